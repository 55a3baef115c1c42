"""Attention of one new token per row over a long cache, on a CPU, with fewer copies than transformers' `sdpa`.

With one query, `sdpa` spends most of its time moving keys and values through memory. DiffLlama moves them four times:
it repeats each half of its values for the heads that share them, as a copy, and calls attention twice with the same
queries and keys. Here repeated values are not copied, and the weights of the first call serve the second.

In float32 the sums are those of `sdpa` in another order. In bfloat16 scores and weights are rounded to bfloat16, as in
`eager`, where `sdpa` keeps them in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from models.attention.differential import attention_implementation, can_set_attention_implementation
from models.upstream_torch import RepeatedTensor, materialize
from models.upstream_transformers import current_attention, uses_attention_interface

#: The name under which transformers knows this implementation.
DECODE_ATTENTION = "decode_attention"
#: Options with which `sdpa` does more than is done here.
_UNSUPPORTED_OPTIONS = ("cache", "position_bias", "softcap")


@contextmanager
def fast_decode_attention(model: PreTrainedModel) -> Iterator[bool]:
    """Inside, `model` uses this attention if it runs `sdpa` on a CPU; yields whether it does.

    If so, its cache may return values as `RepeatableTensor`.
    """
    supported = uses_attention_interface(model)  # others warn when their implementation is set
    if (
        not supported
        or model.device.type != "cpu"
        or current_attention(model) != "sdpa"
        or not can_set_attention_implementation(model)
    ):
        yield False
        return
    try:
        with attention_implementation(model, DECODE_ATTENTION):
            yield True
    finally:
        _weight_cache.clear()


def _attention_weights(
    query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, scaling: float
) -> torch.Tensor:
    """Return weights of shape (rows, key heads, queries that share a key head, columns). The softmax is in float32, as
    in `eager`."""
    rows, heads, _, size = key.shape
    queries = (query * scaling).view(rows, heads, -1, size)
    if query.dtype == torch.float32:
        scores = queries @ key.transpose(2, 3)
    else:  # the same product, in the order that is faster
        scores = (key @ queries.transpose(2, 3)).transpose(2, 3)
    if mask is not None:
        if mask.shape[1] != 1:  # one for each head
            mask = mask.reshape(rows, heads, -1, mask.shape[-1])
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1, dtype=torch.float32).to(query.dtype)


class _WeightCache:
    """The weights of a first call, kept for a second one with the same queries, keys and mask.

    Keys are held by a weak reference: they keep a whole cache alive.
    """

    def __init__(self) -> None:
        self._entry: tuple[Any, Any, Any, torch.Tensor] | None = None

    def weights(self, query: torch.Tensor, key: torch.Tensor, mask: Any, scaling: float) -> torch.Tensor:
        entry, self._entry = self._entry, None
        if entry is not None and entry[0]() is query and entry[1]() is key and entry[2] is mask:
            return entry[3]
        weights = _attention_weights(query, key, mask, scaling)
        self._entry = (ref(query), ref(key), mask, weights)
        return weights

    def clear(self) -> None:
        self._entry = None


_weight_cache = _WeightCache()


def decode_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Return outputs of shape (rows, 1, heads, size) and no weights: an attention function of `AttentionInterface`.

    Calls that are not supported here (several queries, dropout) go to `sdpa`.
    """
    unsupported = any(options.get(name) is not None for name in _UNSUPPORTED_OPTIONS)
    if query.shape[2] != 1 or dropout or unsupported:
        plain_value = materialize(value).as_subclass(torch.Tensor)
        return sdpa_attention_forward(module, query, key, plain_value, attention_mask, dropout, scaling, **options)
    rows, heads, _, size = query.shape
    scaling = size**-0.5 if scaling is None else scaling
    if not isinstance(value, RepeatedTensor):
        value = value.as_subclass(torch.Tensor)
        outputs = _attention_weights(query, key, attention_mask, scaling) @ value
    else:  # key head h uses value head h modulo `value_heads`; these heads are not adjacent in memory
        times, value = value.times, value.plain
        value_heads, columns = value.shape[1:3]
        weights = _weight_cache.weights(query, key, attention_mask, scaling).unflatten(1, (times, value_heads))
        by_head = [weights[:, :, head].reshape(rows, -1, columns) @ value[:, head] for head in range(value_heads)]
        outputs = torch.stack([output.unflatten(1, (times, -1)) for output in by_head], 2)
    return outputs.reshape(rows, 1, heads, value.shape[-1]), None


AttentionInterface.register(DECODE_ATTENTION, decode_attention_forward)
AttentionMaskInterface.register(DECODE_ATTENTION, sdpa_mask)
