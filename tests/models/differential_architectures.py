"""Small random models of every differential architecture, and what each computes, written out from its formulas.

The pairs of heads stand here as numbers, and λ as a function of the weights: nothing of `models` is asked for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DiffLlamaConfig, DiffLlamaForCausalLM, PreTrainedModel

from models.architectures import (
    DiffV1Config,
    DiffV1ForCausalLM,
    DiffV2Config,
    DiffV2ForCausalLM,
    GroupedDiffConfig,
    GroupedDiffForCausalLM,
)
from tests.models.attention_models import rotated, softmax_of
from tests.models.stand_ins.diff_v2_stand_in import AuthorsV2Config, AuthorsV2ForCausalLM
from tests.models.stand_ins.motif_stand_in import MotifConfig, MotifForCausalLM
from tests.models.stand_ins.phi4_flash_stand_in import Phi4FlashConfig, Phi4FlashForCausalLM

#: A pair of heads: the query heads of A1 and A2, the key heads of both, and the value heads whose values are joined.
Pair = tuple[int, int, int, int, tuple[int, ...]]
SIZE, EPSILON = 8, 1e-5


def layer_lambda(attention: Any, depth: int, hidden_TxE: torch.Tensor) -> torch.Tensor:
    """Return λ of a layer by eq. 2 and 3 of Ye et al., (tokens, 1); the first layer has `depth` 0."""
    attention = getattr(attention, "inner_cross_attn", attention)
    first, second = (
        math.exp(float(getattr(attention, f"lambda_q{n}") @ getattr(attention, f"lambda_k{n}"))) for n in (1, 2)
    )
    return torch.full((len(hidden_TxE), 1), first - second + initial_lambda(depth))


def initial_lambda(depth: int) -> float:
    return 0.8 - 0.6 * math.exp(-0.3 * depth)


def token_lambda(attention: Any, depth: int, hidden_TxE: torch.Tensor) -> torch.Tensor:
    """Return λ of each token and pair, the sigmoid of a linear map of the layer's input: (tokens, pairs)."""
    return 1 / (1 + torch.exp(-hidden_TxE @ attention.lambda_proj.weight.T))


def projections(attention: Any, hidden_TxE: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return queries, keys, with rotary positions, and values, all (tokens, heads × size)."""
    query, key = (
        rotated((hidden_TxE @ layer.weight.T).unflatten(-1, (-1, SIZE)).transpose(0, 1)[None])[0].transpose(0, 1)
        for layer in (attention.q_proj, attention.k_proj)
    )
    return query.flatten(1), key.flatten(1), hidden_TxE @ attention.v_proj.weight.T


def projected_together(attention: Any, hidden_TxE: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the same of one projection for all three, with a bias, and without positions."""
    everything = hidden_TxE @ attention.Wqkv.weight.T + attention.Wqkv.bias
    query, key, value = everything.split([4 * SIZE, 4 * SIZE, 4 * SIZE], dim=-1)
    return query, key, value


@dataclass(frozen=True)
class Architecture:
    """A differential architecture: how to build it, its pairs of heads, its λ, and whether a norm follows.

    `depth` maps a layer's number, from 0, to the depth in λ_init. `differential` holds the layers that subtract,
    `attending` those that attend at all. `is_ours` is false of models of others, which stand-ins stand for.
    """

    config: Any
    model: Any
    shape: dict[str, Any]
    pairs: tuple[Pair, ...]
    weight: Callable[[Any, int, torch.Tensor], torch.Tensor] = layer_lambda
    depth: Callable[[int], int] = lambda layer: layer
    has_norm: bool = True
    differential: tuple[int, ...] = (0, 1)
    attending: tuple[int, ...] = (0, 1)
    projections: Callable[[Any, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = projections
    is_ours: bool = True

    def attention(self, model: Any, layer: int) -> Any:
        """Return the module of a layer that attends."""
        return getattr(model.model.layers[layer], "self_attn", None) or model.model.layers[layer].attn


ARCHITECTURES: dict[str, Architecture] = {
    "diffllama": Architecture(
        DiffLlamaConfig,
        DiffLlamaForCausalLM,
        {"num_attention_heads": 8, "num_key_value_heads": 4},
        pairs=((0, 4, 0, 2, (0, 2)), (1, 5, 0, 2, (0, 2)), (2, 6, 1, 3, (1, 3)), (3, 7, 1, 3, (1, 3))),
    ),
    "diff_v1": Architecture(
        DiffV1Config,
        DiffV1ForCausalLM,
        {"num_attention_heads": 8, "num_key_value_heads": 4},
        pairs=((0, 1, 0, 1, (0,)), (2, 3, 0, 1, (0,)), (4, 5, 2, 3, (1,)), (6, 7, 2, 3, (1,))),
    ),
    "diff_v1 in one layer": Architecture(
        DiffV1Config,
        DiffV1ForCausalLM,
        {"num_attention_heads": 4, "num_key_value_heads": 4, "differential_layers": [1]},
        pairs=((0, 1, 0, 1, (0,)), (2, 3, 2, 3, (1,))),
        differential=(1,),
    ),
    "diff_v2": Architecture(
        DiffV2Config,
        DiffV2ForCausalLM,
        {"num_attention_heads": 8, "num_key_value_heads": 2},
        pairs=((0, 1, 0, 0, (0,)), (2, 3, 0, 0, (0,)), (4, 5, 1, 1, (1,)), (6, 7, 1, 1, (1,))),
        weight=token_lambda,
        has_norm=False,
    ),
    "grouped_diff": Architecture(
        GroupedDiffConfig,
        GroupedDiffForCausalLM,
        {"num_attention_heads": 8, "num_noise_heads": 2, "num_key_value_heads": 4},
        pairs=(
            *((head, 3, 0, 1, (0,)) for head in (0, 1, 2)),
            *((head, 7, 2, 3, (1,)) for head in (4, 5, 6)),
        ),
        depth=lambda layer: layer - 1,
    ),
    "motif": Architecture(
        MotifConfig,
        MotifForCausalLM,
        {"num_attention_heads": 4, "num_key_value_heads": 2},
        pairs=((0, 1, 0, 1, (0, 1)), (2, 3, 0, 1, (0, 1))),
        depth=lambda layer: layer - 1,
        is_ours=False,
    ),
    "phi4flash": Architecture(
        Phi4FlashConfig,
        Phi4FlashForCausalLM,
        {"num_attention_heads": 4, "num_key_value_heads": 4},
        pairs=((0, 1, 0, 1, (0, 1)), (2, 3, 2, 3, (2, 3))),
        differential=(1,),
        attending=(1,),
        projections=projected_together,
        is_ours=False,
    ),
    "authors_diff_v2": Architecture(
        AuthorsV2Config,
        AuthorsV2ForCausalLM,
        {"num_attention_heads": 8, "num_key_value_heads": 2},
        pairs=((0, 1, 0, 0, (0,)), (2, 3, 0, 0, (0,)), (4, 5, 1, 1, (1,)), (6, 7, 1, 1, (1,))),
        weight=token_lambda,
        has_norm=False,
        is_ours=False,
    ),
}


def random_architecture(name: str, seed: int = 0, vocabulary: int = 40, **options: Any) -> PreTrainedModel:
    """Return a model with widely spread weights: patterns far from uniform, and λ far from its initial value."""
    architecture = ARCHITECTURES[name]
    torch.manual_seed(seed)
    model: PreTrainedModel = architecture.model(
        architecture.config(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            head_dim=SIZE,
            rms_norm_eps=EPSILON,
            max_position_embeddings=512,
            attn_implementation="sdpa",
            **architecture.shape,
            **options,
        )
    )
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if any(part in parameter_name for part in ("proj", "Wqkv", "fc", "conv")):
                parameter.copy_(0.4 * torch.randn_like(parameter))
            elif "lambda" in parameter_name:
                parameter.copy_(0.15 * torch.randn_like(parameter))
            elif "subln" in parameter_name:
                parameter.copy_(1 + 0.3 * torch.randn_like(parameter))
    return model.eval()


def patterns_and_output(name: str, attention: Any, hidden_TxE: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return A1 − λ·A2 of each pair, (pairs, tokens, tokens), and what is projected, (tokens, pairs × value size)."""
    architecture, depth = ARCHITECTURES[name], ARCHITECTURES[name].depth(attention.layer_idx)
    query, key, value = architecture.projections(attention, hidden_TxE)
    queries, keys = (states.unflatten(-1, (-1, SIZE)).transpose(0, 1) for states in (query, key))
    value_heads = 1 + max(max(joined) for *_, joined in architecture.pairs)
    values = value.unflatten(-1, (value_heads, -1))
    weights = architecture.weight(attention, depth, hidden_TxE)
    patterns, outputs = [], []
    for number, (signal, noise, signal_key, noise_key, joined) in enumerate(architecture.pairs):
        weight = weights[:, [min(number, weights.shape[1] - 1)]]
        first, second = softmax_of(queries[signal], keys[signal_key]), softmax_of(queries[noise], keys[noise_key])
        patterns.append(first - weight * second)
        output = patterns[-1] @ torch.cat([values[:, head] for head in joined], dim=-1)
        if architecture.has_norm:
            output = output * torch.rsqrt(output.pow(2).mean(-1, keepdim=True) + EPSILON) * (1 - initial_lambda(depth))
            scale = getattr(getattr(attention, "inner_cross_attn", attention), "subln", None)
            output = output if scale is None else output * scale.weight
        outputs.append(output)
    return torch.stack(patterns), torch.cat(outputs, dim=-1)
