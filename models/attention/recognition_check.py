"""Check of layers that are known by the names of their parts: whether they subtract as the names suggest.

What enters the norm behind the subtraction, or the output projection, must be A1·V − λ·A2·V of the heads' outputs.
Names alone prove nothing, so it is checked in every forward pass whose attention is observed or edited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from models.attention.attention_errors import AttentionUnavailable
from models.attention.recognised_layers import RECOGNISED
from models.attention.subtraction import Subtraction

#: Parts that the difference goes into, first those of a layer with a norm.
_NEXT_PARTS = ("subln", "inner_cross_attn.subln", "o_proj", "out_proj", "wo")
_EXPECTED: WeakKeyDictionary[nn.Module, torch.Tensor] = WeakKeyDictionary()


@contextmanager
def checked_names(layers: Sequence[tuple[nn.Module, Subtraction]]) -> Iterator[None]:
    """Inside, each of `layers` that is known by its names is checked as it attends.

    Raises `AttentionUnavailable` for one in which nothing can be checked, and, while it attends, for one that subtracts
    in another way.
    """
    with ExitStack() as hooks:
        for layer, known in layers:
            if known in RECOGNISED:
                part = _next_part(layer)
                hooks.callback(_EXPECTED.pop, layer, None)
                hooks.enter_context(part.register_forward_pre_hook(partial(_compare, layer)))
        yield


def note_outputs(layer: nn.Module, subtraction: Subtraction | None, output_BxQxHxD: torch.Tensor) -> None:
    """Remember what the outputs of the heads of `layer` should come to, if the layer is known by its names."""
    if subtraction is None or subtraction not in RECOGNISED:
        return
    first, second = subtraction.parts(layer, output_BxQxHxD.detach().transpose(1, 2))  # (batch, pairs, query, size)
    _EXPECTED[layer] = first - subtraction.factor(layer).to(first.dtype) * second


def _next_part(layer: nn.Module) -> nn.Module:
    for name in _NEXT_PARTS:
        part: Any = layer
        for step in name.split("."):
            part = getattr(part, step, None)
        if isinstance(part, nn.Module):
            return part
    raise AttentionUnavailable(
        f"{type(layer).__name__}: expected one of {', '.join(_NEXT_PARTS)}, to check that it subtracts as its names"
        " suggest; append a Subtraction for this layer (docs/attention.md)"
    )


def _compare(layer: nn.Module, part: nn.Module, arguments: tuple[Any, ...]) -> None:
    expected = _EXPECTED.pop(layer, None)
    if expected is None:
        return
    entered = arguments[0].detach()
    if entered.numel() == expected.numel():
        by_query = expected.transpose(1, 2)  # (batch, query, pairs, size), as most code has it
        orders = [expected] if entered.shape == expected.shape else []
        orders += [by_query.reshape(entered.shape)]
        tolerance = (1e-3 if entered.dtype == torch.float32 else 5e-2) * float(expected.abs().max())
        if any(bool((entered - order).abs().max() <= tolerance) for order in orders):
            return
    raise AttentionUnavailable(
        f"{type(layer).__name__} has the names of a known differential layer, but what enters its {type(part).__name__}"
        " is not A1·V − λ·A2·V; append a Subtraction for this layer (docs/attention.md)"
    )
