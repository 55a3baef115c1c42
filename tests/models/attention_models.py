"""Small random models of both families, and the steps of the paper's computation of a pattern."""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import DiffLlamaConfig, DiffLlamaForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedModel

FAMILIES: dict[str, tuple[Any, Any]] = {
    "diffllama": (DiffLlamaConfig, DiffLlamaForCausalLM),
    "llama": (LlamaConfig, LlamaForCausalLM),
}
#: (hidden size, heads, key-value heads, layers): ungrouped and grouped queries.
SHAPES = [(32, 4, 4, 2), (48, 6, 2, 3), (64, 8, 4, 1)]


def random_model(family: str, shape: tuple[int, int, int, int], seed: int = 0) -> PreTrainedModel:
    """Return a model with widely spread weights: patterns far from uniform, and λ far from its initial value."""
    hidden, heads, groups, layers = shape
    config_class, model_class = FAMILIES[family]
    torch.manual_seed(seed)
    model = model_class(
        config_class(
            vocab_size=40,
            hidden_size=hidden,
            intermediate_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=groups,
            max_position_embeddings=64,
            attn_implementation="sdpa",
        )
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "proj" in name:
                parameter.copy_(0.4 * torch.randn_like(parameter))
            elif "lambda" in name:
                parameter.copy_(0.15 * torch.randn_like(parameter))
    return model.eval()


def padded_batch(seed: int = 0, rows: int = 3, length: int = 14) -> dict[str, torch.Tensor]:
    """Return left-padded tokens of several lengths, with the mask and positions that `generate` makes."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, 40, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(rows):
        mask[row, : 3 * row] = 0
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "position_ids": (mask.cumsum(-1) - 1).clamp(min=0),
    }


def rotated(x_BxHxTxD: torch.Tensor, theta: float = 10_000.0) -> torch.Tensor:
    """Return the rotary embedding (Su et al., arXiv 2104.09864) that pairs the halves of a head, positions from 0."""
    length, size = x_BxHxTxD.shape[2:]
    angles = torch.arange(length)[:, None] * theta ** (-torch.arange(0, size, 2) / size)
    cosine, sine = angles.cos(), angles.sin()
    left, right = x_BxHxTxD.chunk(2, dim=-1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], dim=-1)


def paper_lambda(lq1: torch.Tensor, lk1: torch.Tensor, lq2: torch.Tensor, lk2: torch.Tensor, layer: int) -> float:
    """Return λ by eq. 2 and 3 of Ye et al., with layers counted from 1 as there."""
    return math.exp(float(lq1 @ lk1)) - math.exp(float(lq2 @ lk2)) + 0.8 - 0.6 * math.exp(-0.3 * (layer - 1))


def softmax_of(query_TxD: torch.Tensor, key_TxD: torch.Tensor) -> torch.Tensor:
    """Return the causal softmax(QKᵀ/√d) of one head."""
    scores = query_TxD @ key_TxD.T / math.sqrt(query_TxD.shape[-1])
    future = torch.ones_like(scores).triu(1).bool()
    return scores.masked_fill(future, -math.inf).softmax(-1)
