"""The hidden states that a layer is given, kept while it attends: λ that depends on the text is computed from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from models.attention.attention_errors import AttentionUnavailable

_INPUTS: WeakKeyDictionary[nn.Module, torch.Tensor] = WeakKeyDictionary()


@contextmanager
def recorded_inputs(layers: Sequence[nn.Module]) -> Iterator[None]:
    """Inside, `layer_input` returns what each of `layers` was last given. Contexts nest."""
    with ExitStack() as hooks:
        for layer in layers:
            hooks.callback(_INPUTS.pop, layer, None)
            hooks.enter_context(layer.register_forward_pre_hook(_record, with_kwargs=True))
        yield


def layer_input(layer: nn.Module) -> torch.Tensor:
    """Return the hidden states that `layer` is given in the current forward pass, (batch, query, hidden).

    Raises `AttentionUnavailable` outside `recorded_inputs`.
    """
    hidden = _INPUTS.get(layer)
    if hidden is None:
        raise AttentionUnavailable(
            f"{type(layer).__name__}: λ depends on the text, so it has no fixed value;"
            " models.attention_allocation returns it per token"
        )
    return hidden


def _record(layer: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    hidden = arguments[0] if arguments else options.get("hidden_states")
    if not isinstance(hidden, torch.Tensor):
        raise AttentionUnavailable(
            f"{type(layer).__name__}: expected hidden states as its first argument or as `hidden_states`"
        )
    _INPUTS[layer] = hidden.detach()
