"""Attention of one new token a row over a long cache, on a CPU, with less to move than in transformers' `sdpa`.

What `sdpa` does for one query is mostly carrying keys and values through memory. DiffLlama carries them four times
over: it repeats each half of its values for the heads that share them, in memory, and asks twice with the same queries
and keys. Here values that are repeated stay where they are, and weights that were made are used for both halves.

In float32 the sums are those of `sdpa` but for their order. In bfloat16 scores and weights are rounded to bfloat16, as
`eager` does, where `sdpa` has them in float32.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

import torch
from torch import nn
from torch.utils._pytree import tree_map
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from models.attention.differential import attention_implementation, can_set_attention_implementation

NAME = "one_token"
#: What makes `sdpa` do more than is done here.
_MORE = ("cache", "position_bias", "softcap")


class Values(torch.Tensor):
    """Values of a cache, (rows, heads, columns, size), a tensor like any other but for `repeat`, which along the heads
    alone gives `Repeated` ones."""

    def repeat(self, *sizes: int) -> Any:  # type: ignore[override]
        plain = self.as_subclass(torch.Tensor)
        if len(sizes) != 4 or (sizes[0], *sizes[2:]) != (1, 1, 1):
            return plain.repeat(*sizes)
        repeated = plain.as_subclass(Repeated)
        repeated.plain, repeated.times = plain, sizes[1]
        return repeated


class Repeated(torch.Tensor):
    """`plain` values of which all heads are there `times` times over. They are copied when anybody but `_attend` asks
    for anything."""

    plain: torch.Tensor
    times: int

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*tree_map(_whole, args), **tree_map(_whole, kwargs or {}))


def _whole(argument: Any) -> Any:
    return argument.plain.repeat(1, argument.times, 1, 1) if isinstance(argument, Repeated) else argument


@contextmanager
def one_token_attention(model: PreTrainedModel) -> Iterator[bool]:
    """Inside, `model` attends this way, where it runs on a CPU by `sdpa`; whether it does. A cache may then give out
    its values as `Values`."""
    takes = hasattr(sys.modules[type(model).__module__], "ALL_ATTENTION_FUNCTIONS")  # asking the others makes them warn
    runs_sdpa = takes and model.device.type == "cpu" and model.config._attn_implementation == "sdpa"
    if not runs_sdpa or not can_set_attention_implementation(model):
        yield False
        return
    try:
        with attention_implementation(model, NAME):
            yield True
    finally:
        _shared.forget()


def _weights(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, scaling: float) -> torch.Tensor:
    """(rows, heads of the keys, queries that share one, columns); the softmax in float32, as in `eager`."""
    rows, heads, _, size = key.shape
    queries = (query * scaling).view(rows, heads, -1, size)
    if query.dtype == torch.float32:
        scores = queries @ key.transpose(2, 3)
    else:  # the same, the way round that is faster
        scores = (key @ queries.transpose(2, 3)).transpose(2, 3)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1, dtype=torch.float32).to(query.dtype)


class _Shared:
    """The weights of a first call, kept for a second one with the same queries, keys and mask. The keys are not kept:
    a whole cache hangs on them."""

    def __init__(self) -> None:
        self._kept: tuple[Any, Any, Any, torch.Tensor] | None = None

    def weights(self, query: torch.Tensor, key: torch.Tensor, mask: Any, scaling: float) -> torch.Tensor:
        kept, self._kept = self._kept, None
        if kept is not None and kept[0]() is query and kept[1]() is key and kept[2] is mask:
            return kept[3]
        made = _weights(query, key, mask, scaling)
        self._kept = (ref(query), ref(key), mask, made)
        return made

    def forget(self) -> None:
        self._kept = None


_shared = _Shared()


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers' interface: (rows, 1, heads, size), and no weights."""
    by_head = attention_mask is not None and attention_mask.shape[1] != 1
    if query.shape[2] != 1 or dropout or by_head or any(options.get(name) is not None for name in _MORE):
        whole = _whole(value).as_subclass(torch.Tensor)
        return sdpa_attention_forward(module, query, key, whole, attention_mask, dropout, scaling, **options)
    rows, heads, _, size = query.shape
    scaling = size**-0.5 if scaling is None else scaling
    if not isinstance(value, Repeated):
        value = value.as_subclass(torch.Tensor)
        found = _weights(query, key, attention_mask, scaling) @ value
    else:  # head h of the keys has head h modulo `own` of the values, which do not lie side by side in memory
        times, value = value.times, value.plain
        own, columns = value.shape[1:3]
        weights = _shared.weights(query, key, attention_mask, scaling).unflatten(1, (times, own))
        each = [weights[:, :, head].reshape(rows, -1, columns) @ value[:, head] for head in range(own)]
        found = torch.stack([one.unflatten(1, (times, -1)) for one in each], 2)
    return found.reshape(rows, 1, heads, value.shape[-1]), None


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
