"""Grouped differential attention (GDA, arXiv 2510.06949): several signal heads subtract one noise head.

The layout is that of Motif-2-12.7B (arXiv 2511.07464): groups of signal heads with their noise head last; of the key
heads, 2p serves signal heads and 2p + 1 noise heads; both apply to one value of twice the size.
"""

from __future__ import annotations

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import eager_attention_forward

from models.architectures.diff_v1 import PerLayerLambdaAttention
from models.architectures.subtracting_attention import HeadLayout

__all__ = ["ALL_ATTENTION_FUNCTIONS", "eager_attention_forward"]  # expected in the module of a model and a layer


@strict
class GroupedDiffConfig(LlamaConfig):
    """`num_attention_heads` counts signal and noise heads, of which `num_noise_heads` are noise heads, one a group.

    `num_key_value_heads` counts key heads, of which half serve noise heads; two a group by default. `lambda_std_dev` is
    the standard deviation that the vectors of λ begin with. Raises `ValueError` for heads that do not make groups.
    """

    model_type = "grouped_diff"
    num_noise_heads: int = 1
    lambda_std_dev: float = 0.1

    def __post_init__(self, **options: Any) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = 2 * self.num_noise_heads
        super().__post_init__(**options)
        heads, noise, keys = self.num_attention_heads, self.num_noise_heads, self.num_key_value_heads
        if noise < 1 or heads % noise or heads < 2 * noise:
            raise ValueError(
                f"num_noise_heads: expected a divisor of num_attention_heads ({heads}) below {heads}, got {noise}"
            )
        if keys % 2 or noise % (keys // 2 or 1):
            raise ValueError(
                f"num_key_value_heads: expected an even number whose half divides the {noise} noise heads, got {keys}"
            )

    def validate_architecture(self) -> None:
        """Accept a number of heads that does not divide the hidden size, as Llama's configuration does not."""


class GroupedDiffAttention(PerLayerLambdaAttention):
    """A layer of groups. In λ_init layers count from 0, less one, as Motif's code does."""

    def __init__(self, config: GroupedDiffConfig, layer_idx: int) -> None:
        groups, all_heads = config.num_noise_heads, config.num_attention_heads
        size = all_heads // groups
        groups_of_key = groups // (config.num_key_value_heads // 2)  # type: ignore[operator]
        signal = [head for head in range(all_heads) if head % size < size - 1]
        heads = HeadLayout(
            first=signal,
            second=[head - head % size + size - 1 for head in signal],
            keys=[2 * (head // size // groups_of_key) + (head % size == size - 1) for head in range(all_heads)],
            values=[head // size // groups_of_key for head in range(all_heads)],
            value_width=2,
        )
        super().__init__(config, layer_idx, heads, depth=layer_idx - 1)


class GroupedDiffModel(LlamaModel):
    """Llama's stack with the layers that subtract."""

    config: GroupedDiffConfig
    _can_record_outputs = LlamaModel._can_record_outputs | {"attentions": GroupedDiffAttention}

    def __init__(self, config: GroupedDiffConfig) -> None:
        super().__init__(config)
        for number, layer in enumerate(self.layers):
            layer.self_attn = GroupedDiffAttention(config, number)
        self.post_init()


class GroupedDiffForCausalLM(LlamaForCausalLM):
    """The model with its output head."""

    config: GroupedDiffConfig
    config_class = GroupedDiffConfig

    def __init__(self, config: GroupedDiffConfig) -> None:
        super().__init__(config)
        self.model = GroupedDiffModel(config)
        self.post_init()
