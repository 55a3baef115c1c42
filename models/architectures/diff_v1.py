"""The differential transformer of Ye et al. (arXiv 2410.05258) in its authors' layout of heads and weights.

Heads 2h and 2h + 1 are a pair, with keys of their own and one value of twice the size; the norm behind the subtraction
has a learned scale. transformers' DiffLlama pairs h and h + H/2 and has no scale. Rotary positions pair the halves of a
head, as in Llama; the authors' own weights pair neighbours, which `python -m models convert` permutes.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaAttention, eager_attention_forward

from models.architectures.subtracting_attention import HeadLayout, SubtractingAttention

__all__ = ["ALL_ATTENTION_FUNCTIONS", "eager_attention_forward"]  # expected in the module of a model and a layer


@strict
class DiffV1Config(LlamaConfig):
    """`num_attention_heads` and `num_key_value_heads` count both heads of a pair, as DiffLlama's do.

    `differential_layers` are the numbers of the layers that subtract, from 0; the others are Llama's. None: all.
    `lambda_std_dev` is the standard deviation that the vectors of λ begin with. Raises `ValueError` for heads that do
    not make pairs, and for a layer that does not exist.
    """

    model_type = "diff_v1"
    lambda_std_dev: float = 0.1
    differential_layers: list[int] | None = None

    def __post_init__(self, **options: Any) -> None:
        super().__post_init__(**options)
        heads, keys = self.num_attention_heads, self.num_key_value_heads or self.num_attention_heads
        if heads % 2 or keys % 2 or heads % keys:
            raise ValueError(
                "expected num_attention_heads and num_key_value_heads to be even, and the second to divide the first,"
                f" got {heads} and {keys}"
            )
        missing = [layer for layer in self.differential_layers or () if not 0 <= layer < self.num_hidden_layers]
        if missing:
            last = self.num_hidden_layers - 1
            raise ValueError(f"differential_layers: the model has layers 0 to {last}, got {missing[0]}")

    def validate_architecture(self) -> None:
        """Accept a number of heads that does not divide the hidden size, as Llama's configuration does not."""


class PerLayerLambdaAttention(SubtractingAttention):
    """A layer with one λ = exp(λq1·λk1) − exp(λq2·λk2) + λ_init, where λ_init = 0.8 − 0.6·exp(−0.3·`depth`), and with a
    norm of each pair's difference, times 1 − λ_init."""

    def __init__(self, config: Any, layer_idx: int, heads: HeadLayout, depth: int) -> None:
        super().__init__(config, layer_idx, heads)
        self.lambda_init = 0.8 - 0.6 * math.exp(-0.3 * depth)
        self.lambda_q1, self.lambda_k1, self.lambda_q2, self.lambda_k2 = (
            nn.Parameter(torch.normal(0, config.lambda_std_dev, size=(self.head_dim,))) for _ in range(4)
        )
        self.subln = nn.RMSNorm(self.value_dim, eps=config.rms_norm_eps)

    def lambda_of(self, hidden_BxQxE: torch.Tensor | None = None) -> torch.Tensor:
        """Return λ, (1,), summed in float32 and rounded to the dtype of the weights. The input does not matter."""
        first, second = (
            torch.exp(torch.sum(q * k, dim=-1, dtype=torch.float32)).to(q.dtype)
            for q, k in ((self.lambda_q1, self.lambda_k1), (self.lambda_q2, self.lambda_k2))
        )
        return (first - second + self.lambda_init).reshape(1)

    def normalised(self, difference_BxQxPxD: torch.Tensor) -> torch.Tensor:
        scaled: torch.Tensor = (1 - self.lambda_init) * self.subln(difference_BxQxPxD)
        return scaled


class DiffV1Attention(PerLayerLambdaAttention):
    """A layer of the authors' layout; layers count from 0 in λ_init."""

    def __init__(self, config: DiffV1Config, layer_idx: int) -> None:
        pairs, key_pairs = config.num_attention_heads // 2, config.num_key_value_heads // 2  # type: ignore[operator]
        shared = [pair // (pairs // key_pairs) for pair in range(pairs)]
        heads = HeadLayout(
            first=range(0, 2 * pairs, 2),
            second=range(1, 2 * pairs, 2),
            keys=[2 * key_pair + half for key_pair in shared for half in (0, 1)],
            values=[key_pair for key_pair in shared for _ in (0, 1)],
            value_width=2,
        )
        super().__init__(config, layer_idx, heads, depth=layer_idx)


class DiffV1Model(LlamaModel):
    """Llama's stack with the layers that subtract."""

    config: DiffV1Config
    _can_record_outputs = LlamaModel._can_record_outputs | {"attentions": [DiffV1Attention, LlamaAttention]}

    def __init__(self, config: DiffV1Config) -> None:
        super().__init__(config)
        numbers = config.differential_layers
        for number in range(config.num_hidden_layers) if numbers is None else numbers:
            self.layers[number].self_attn = DiffV1Attention(config, number)
        self.post_init()


class DiffV1ForCausalLM(LlamaForCausalLM):
    """The model with its output head."""

    config: DiffV1Config
    config_class = DiffV1Config

    def __init__(self, config: DiffV1Config) -> None:
        super().__init__(config)
        self.model = DiffV1Model(config)
        self.post_init()
