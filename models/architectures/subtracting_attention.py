"""An attention layer that applies (A1 − λ·A2)·V, for any number of heads that share an A2, a key or a value.

The query heads attend in one call of transformers' `AttentionInterface`, each to its own copy of the key and the value
that it shares with others; the outputs of the noise heads are then subtracted from those of the signal heads. What
differs between architectures is a `HeadLayout`, λ, and a norm. Shapes: B rows of the batch, Q queries, H query heads,
P pairs of heads, D head size, E hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import pad
from transformers import LlamaConfig
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb, eager_attention_forward


@dataclass(frozen=True)
class HeadLayout:
    """Which query heads are A1 (`first`), which is the A2 of each (`second`), and the key and the value of every query
    head, all by number from 0. A value is `value_width` times as wide as a query."""

    first: Sequence[int]
    second: Sequence[int]
    keys: Sequence[int]
    values: Sequence[int]
    value_width: int = 1


class SubtractingAttention(nn.Module):
    """The projections, the attention and the subtraction. Subclasses give λ, and may normalise the difference.

    Raises `ValueError` for a configuration with dropout.
    """

    def __init__(self, config: LlamaConfig, layer_idx: int, heads: HeadLayout) -> None:
        super().__init__()
        if config.attention_dropout:
            raise ValueError(f"attention_dropout: expected 0, as its papers have none, got {config.attention_dropout}")
        self.config, self.layer_idx, self.heads = config, layer_idx, heads
        self.head_dim: int = config.head_dim  # type: ignore[assignment]
        self.value_dim = heads.value_width * self.head_dim
        self.num_key_value_groups = 1  # every query head is given its own key and value
        self.scaling = self.head_dim**-0.5
        self.is_causal = True

        def projection(inputs: int, outputs: int) -> nn.Linear:
            return nn.Linear(inputs, outputs, bias=config.attention_bias)

        self.q_proj = projection(config.hidden_size, len(heads.keys) * self.head_dim)
        self.k_proj = projection(config.hidden_size, (max(heads.keys) + 1) * self.head_dim)
        self.v_proj = projection(config.hidden_size, (max(heads.values) + 1) * self.value_dim)
        self.o_proj = projection(len(heads.first) * self.value_dim, config.hidden_size)

    def lambda_of(self, hidden_BxQxE: torch.Tensor) -> torch.Tensor:
        """Return λ, in a shape that multiplies (batch, query, pairs)."""
        raise NotImplementedError

    def normalised(self, difference_BxQxPxD: torch.Tensor) -> torch.Tensor:
        """Return what the output projection is applied to."""
        return difference_BxQxPxD

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None = None,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Any = None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the layer's output, (B, Q, E), and the softmax of all query heads, (B, H, Q, K) or None."""
        shape = hidden_states.shape[:-1]
        query = self.q_proj(hidden_states).view(*shape, -1, self.head_dim).transpose(1, 2)
        key = self.k_proj(hidden_states).view(*shape, -1, self.head_dim).transpose(1, 2)
        value = self.v_proj(hidden_states).view(*shape, -1, self.value_dim).transpose(1, 2)
        if position_embeddings is not None:
            query, key = apply_rotary_pos_emb(query, key, *position_embeddings)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        key, value = _shared(key, self.heads.keys), _shared(value, self.heads.values)
        wider = self.value_dim - self.head_dim
        if wider:  # the fused kernels take queries, keys and values of one size
            query, key = pad(query, (0, wider)), pad(key, (0, wider))
        attend: Callable[..., Any] = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        output, weights = attend(self, query, key, value, attention_mask, scaling=self.scaling, **options)
        signal, noise = output[:, :, list(self.heads.first)], output[:, :, list(self.heads.second)]
        difference = self.normalised(signal - self.lambda_of(hidden_states).unsqueeze(-1) * noise)
        return self.o_proj(difference.flatten(-2)), weights


def _shared(states_BxGxKxD: torch.Tensor, numbers: Sequence[int]) -> torch.Tensor:
    """Return the head that each query head uses, (batch, query heads, key, size); what is already so is not copied."""
    alone = list(numbers) == list(range(states_BxGxKxD.shape[1]))
    return states_BxGxKxD if alone else states_BxGxKxD[:, list(numbers)]
