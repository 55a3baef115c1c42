"""The second differential transformer of its authors (January 2026): λ of each token and head, and no norm.

There are twice as many query heads as in an ordinary model of the same size, 2h and 2h + 1 are a pair and share their
key and value, and λ = sigmoid(W·x) of the layer's input x. Source: microsoft/unilm, Diff-Transformer-V2. Rotary
positions pair the halves of a head, as in Llama.
"""

from __future__ import annotations

from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import eager_attention_forward

from models.architectures.subtracting_attention import HeadLayout, SubtractingAttention

__all__ = ["ALL_ATTENTION_FUNCTIONS", "eager_attention_forward"]  # expected in the module of a model and a layer


@strict
class DiffV2Config(LlamaConfig):
    """`num_attention_heads` counts both query heads of a pair; `head_dim` is hidden size / pairs by default.

    Raises `ValueError` for query heads that do not share their key and value in pairs.
    """

    model_type = "diff_v2"

    def __post_init__(self, **options: Any) -> None:
        if self.head_dim is None:
            self.head_dim = 2 * self.hidden_size // self.num_attention_heads
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads // 2
        super().__post_init__(**options)
        heads, keys = self.num_attention_heads, self.num_key_value_heads or 1
        if heads % (2 * keys):
            raise ValueError(
                f"num_attention_heads: expected a multiple of {2 * keys} (twice the {keys} key heads), so that both"
                f" heads of a pair share a key head, got {heads}"
            )

    def validate_architecture(self) -> None:
        """Accept a number of heads that does not divide the hidden size, as Llama's configuration does not."""


class DiffV2Attention(SubtractingAttention):
    """A layer that subtracts with λ = sigmoid(W·x), one for each token and pair."""

    def __init__(self, config: DiffV2Config, layer_idx: int) -> None:
        query_heads = config.num_attention_heads
        shared = [head // (query_heads // config.num_key_value_heads) for head in range(query_heads)]  # type: ignore[operator]
        heads = HeadLayout(range(0, query_heads, 2), range(1, query_heads, 2), keys=shared, values=shared)
        super().__init__(config, layer_idx, heads)
        self.lambda_proj = nn.Linear(config.hidden_size, query_heads // 2, bias=config.attention_bias)

    def lambda_of(self, hidden_BxQxE: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.lambda_proj(hidden_BxQxE))


class DiffV2Model(LlamaModel):
    """Llama's stack with the layers that subtract."""

    config: DiffV2Config
    _can_record_outputs = LlamaModel._can_record_outputs | {"attentions": DiffV2Attention}

    def __init__(self, config: DiffV2Config) -> None:
        super().__init__(config)
        for number, layer in enumerate(self.layers):
            layer.self_attn = DiffV2Attention(config, number)
        self.post_init()


class DiffV2ForCausalLM(LlamaForCausalLM):
    """The model with its output head."""

    config: DiffV2Config
    config_class = DiffV2Config

    def __init__(self, config: DiffV2Config) -> None:
        super().__init__(config)
        self.model = DiffV2Model(config)
        self.post_init()
