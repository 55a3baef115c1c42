"""Tiny random checkpoints in the layouts that are converted, and their logits, computed from the formulas.

Nothing here comes from transformers or from `models`. The computation follows the paper
(https://arxiv.org/abs/2410.05258, sections 2.1 and 2.2) with the conventions of the authors' `multihead_diffattn.py`,
head by head and in float64.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

#: The names of both layouts for the parts of a decoder: outside the layers, and inside behind the prefix.
OUTER = {
    "mlx": {"embedding": "tok_embed.weight", "norm": "final_norm.scale"},
    "authors": {"embedding": "model.embed_tokens.weight", "norm": "model.norm.weight", "head": "lm_head.weight"},
}
INNER = {
    "mlx": {
        "attention norm": "norm_attn.scale",
        "mlp norm": "norm_mlp.scale",
        **{part: f"attn.{part}_proj.weight" for part in "qkvo"},
        **{part: f"mlp.{part}.weight" for part in ("gate", "up", "down")},
        **{part: f"attn.{part}" for part in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2")},
        "subln": "attn.subln.scale",
    },
    "authors": {
        "attention norm": "input_layernorm.weight",
        "mlp norm": "post_attention_layernorm.weight",
        **{part: f"self_attn.{part}_proj.weight" for part in "qkv"},
        "o": "self_attn.out_proj.weight",
        **{part: f"mlp.{part}_proj.weight" for part in ("gate", "up", "down")},
        **{part: f"self_attn.{part}" for part in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2")},
        "subln": "self_attn.subln.weight",
    },
}
PREFIX = {"mlx": "blocks.", "authors": "model.layers."}


@dataclass(frozen=True)
class TinyCheckpoint:
    """A decoder. `heads` and `kv_heads` count the projected heads of size `head_dim`: two a differential head."""

    layout: str
    differential: bool
    vocabulary: int = 50
    kv_heads: int = 4
    tied: bool = True
    eps: float = 1e-5
    keys_as_in: str = "diffattn"
    value_scale: float = 1.0
    heads: int = 4
    head_dim: int = 8
    hidden: int = 32
    intermediate: int = 40
    layers: int = 3
    theta: float = 300.0

    def weights(self, seed: int = 0) -> dict[str, Tensor]:
        """Return random float32 weights (out, in) by their names in the layout. No norm's weights are all one."""
        generator = torch.Generator().manual_seed(seed)

        def normal(*size: int, std: float, mean: float = 0.0) -> Tensor:
            return torch.randn(size, generator=generator) * std + mean

        outer, inner = OUTER[self.layout], INNER[self.layout]
        weights = {outer["embedding"]: normal(self.vocabulary, self.hidden, std=0.15)}
        weights[outer["norm"]] = normal(self.hidden, std=0.3, mean=1.0)
        if not self.tied:
            weights[outer["head"]] = normal(self.vocabulary, self.hidden, std=0.15)
        keys = self.kv_heads * self.head_dim
        shapes = {
            **{"q": (self.hidden, self.hidden), "k": (keys, self.hidden), "v": (keys, self.hidden)},
            **{"o": (self.hidden, self.hidden), "gate": (self.intermediate, self.hidden)},
            **{"up": (self.intermediate, self.hidden), "down": (self.hidden, self.intermediate)},
        }
        for layer in range(self.layers):
            parts = {part: normal(*size, std=0.2) for part, size in shapes.items()}
            parts["v"] *= self.value_scale
            parts |= {f"{part} norm": normal(self.hidden, std=0.3, mean=1.0) for part in ("attention", "mlp")}
            if self.differential:
                parts |= {f"lambda_{part}": normal(self.head_dim, std=0.2) for part in ("q1", "k1", "q2", "k2")}
                parts["subln"] = normal(2 * self.head_dim, std=0.3, mean=1.0)
            weights |= {f"{PREFIX[self.layout]}{layer}.{inner[part]}": tensor for part, tensor in parts.items()}
        return weights

    def config(self) -> dict[str, Any]:
        """Return the configuration in the layout."""
        if self.layout == "mlx":
            counts = {"dim": self.hidden, "n_layers": self.layers, "n_heads_vanilla": self.heads}
            counts |= {"qk_head_dim": self.head_dim, "vocab_size": self.vocabulary, "block_size": 64}
            counts["mlp_intermediate"] = self.intermediate
            other = {"rope_base": self.theta, "rms_eps": self.eps, "tie_embeddings": True, "amp_dtype": "bfloat16"}
            return {"model": counts | other, "train": {"peak_lr": 0.0004}}
        fields = {"rope_theta": self.theta, "rms_norm_eps": self.eps, "max_position_embeddings": 64}
        return fields if self.differential else fields | {"num_heads": self.heads}

    def write(self, folder: Path, weights: dict[str, Tensor] | None = None) -> Path:
        """Write weights (with the prefix and an optimiser's state, in MLX's) and configuration; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = self.weights() if weights is None else weights
        if self.layout == "mlx":
            state = {f"opt.{name}.m": torch.ones(2) for name, tensor in tensors.items()}
            tensors = {f"model.{name}": tensor for name, tensor in tensors.items()} | state
        save_file(tensors, folder / "latest.safetensors", {"step": "30000", "has_opt": "1"})
        (folder / "config.json").write_text(json.dumps(self.config()))
        return folder / "latest.safetensors"

    def logits(self, weights: dict[str, Tensor], tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the logits (token, vocabulary) of a text, and each layer's pattern (head, query, key)."""
        wide, outer = {name: tensor.double() for name, tensor in weights.items()}, OUTER[self.layout]
        x, patterns = wide[outer["embedding"]][tokens], []
        for layer in range(self.layers):
            names = INNER[self.layout].items()
            prefix = f"{PREFIX[self.layout]}{layer}."
            part = {own: wide[prefix + name] for own, name in names if prefix + name in wide}
            attended, pattern = self._attention(_rms(x, self.eps) * part["attention norm"], part, layer)
            x = x + attended
            inside = _rms(x, self.eps) * part["mlp norm"]
            gate = inside @ part["gate"].T
            x = x + (gate * torch.sigmoid(gate) * (inside @ part["up"].T)) @ part["down"].T
            patterns.append(pattern)
        head = wide[outer["embedding"] if self.tied else outer["head"]]
        return (_rms(x, self.eps) * wide[outer["norm"]]) @ head.T, patterns

    def _attention(self, x: Tensor, part: dict[str, Tensor], layer: int) -> tuple[Tensor, Tensor]:
        size, shared = self.head_dim, self.heads // self.kv_heads
        queries = [_rotated(x @ rows.T, self.theta) for rows in part["q"].split(size)]
        keys = [_rotated(x @ rows.T, self.theta) for rows in part["k"].split(size)]
        if not self.differential:
            values = [x @ rows.T for rows in part["v"].split(size)]
            patterns = [_softmax(query, keys[head // shared]) for head, query in enumerate(queries)]
            outputs = [pattern @ values[head // shared] for head, pattern in enumerate(patterns)]
            return torch.cat(outputs, dim=-1) @ part["o"].T, torch.stack(patterns)
        values = [x @ rows.T for rows in part["v"].split(2 * size)]
        first = 0.8 - 0.6 * math.exp(-0.3 * layer)  # the paper's layers count from 1: l - 1
        weight = (
            torch.exp(part["lambda_q1"] @ part["lambda_k1"]) - torch.exp(part["lambda_q2"] @ part["lambda_k2"]) + first
        )
        patterns, outputs = [], []
        for head in range(self.heads // 2):
            signal, noise = 2 * head // shared, (2 * head + 1) // shared
            if self.keys_as_in == "flashdiff":
                signal, noise = 2 * (head // shared), 2 * (head // shared) + 1
            subtracted = weight * _softmax(queries[2 * head + 1], keys[noise])
            patterns.append(_softmax(queries[2 * head], keys[signal]) - subtracted)
            eps = self.eps if self.layout == "mlx" else 1e-5
            outputs.append(_rms(patterns[-1] @ values[head // shared], eps) * part["subln"] * (1 - first))
        return torch.cat(outputs, dim=-1) @ part["o"].T, torch.stack(patterns)


def _rms(x: Tensor, eps: float) -> Tensor:
    return x / (x.square().mean(dim=-1, keepdim=True) + eps).sqrt()


def _rotated(x: Tensor, theta: float) -> Tensor:
    """Turn each pair of neighbouring dimensions (2i, 2i + 1) by position × theta^(-2i/d). `x`: (token, dimension)."""
    turns = torch.arange(len(x), dtype=torch.float64)[:, None] * theta ** -(
        torch.arange(0, x.shape[-1], 2, dtype=torch.float64) / x.shape[-1]
    )
    pairs = torch.view_as_complex(x.reshape(len(x), -1, 2).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(turns), turns)).reshape(x.shape)


def _softmax(query: Tensor, key: Tensor) -> Tensor:
    scores = query @ key.T / math.sqrt(query.shape[-1])
    return scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf).softmax(dim=-1)
