"""How the attention layers of a differential architecture subtract: which heads from which, and with which λ.

The differential layers of transformers, layers derived from them, and those of `models.architectures` are registered
here. To add another kind, append a `Subtraction` to `SUBTRACTIONS`, in a conftest, in a file for `--adapter`, or where
the model's own code is imported; `docs/attention.md` has an example. A layer that has a λ but matches no `Subtraction`
is refused.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from models.architectures.diff_v1 import PerLayerLambdaAttention
from models.architectures.diff_v2 import DiffV2Attention
from models.architectures.subtracting_attention import SubtractingAttention
from models.attention.attention_errors import AttentionUnavailable
from models.attention.recognised_layers import RECOGNISED
from models.attention.subtraction import HeadPairs, Subtraction, layer_lambda
from models.upstream_transformers import DiffLlamaAttention

#: Which pattern of a differential layer is shown: the one that it applies, A1 − λ·A2, or one of the two.
ShownPattern = Literal["difference", "first", "second"]


def _mapped(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair the heads as a layer of `models.architectures` says."""
    assert isinstance(layer, SubtractingAttention)
    return layer.heads.first, layer.heads.second


#: All known kinds of differential layer. The last one that fits a layer applies.
SUBTRACTIONS: list[Subtraction] = [
    *RECOGNISED,
    Subtraction(fits=lambda layer: isinstance(layer, DiffLlamaAttention), weight=layer_lambda),
    Subtraction(
        fits=lambda layer: isinstance(layer, PerLayerLambdaAttention),
        weight=lambda layer: layer.lambda_of(),  # type: ignore[operator]
        pairs=_mapped,
    ),
    Subtraction(
        fits=lambda layer: isinstance(layer, DiffV2Attention),
        token_lambda=lambda layer, hidden: layer.lambda_of(hidden),  # type: ignore[operator]
        pairs=_mapped,
    ),
]


def subtraction_of(layer: nn.Module) -> Subtraction | None:
    """Return the `Subtraction` that fits `layer`; None for an ordinary layer."""
    return next((known for known in reversed(SUBTRACTIONS) if known.fits(layer)), None)


def checked_subtraction_of(layer: nn.Module) -> Subtraction | None:
    """Return the `Subtraction` that fits `layer`; None for an ordinary layer.

    Raises `AttentionUnavailable` for a layer that has a λ and matches no `Subtraction`: it must not pass for an
    ordinary one.
    """
    subtraction = subtraction_of(layer)
    if subtraction is None:
        _refuse_lambda(layer)
    return subtraction


def differential_layers(model: nn.Module) -> list[tuple[nn.Module, Subtraction]]:
    """Return the layers of `model` that subtract, in order, and how. Raises what `checked_subtraction_of` raises."""
    layers: list[tuple[nn.Module, Subtraction]] = []
    described: set[nn.Module] = set()
    for module in model.modules():  # a module comes before its parts, which may hold its λ
        subtraction = subtraction_of(module)
        if subtraction is not None:
            layers.append((module, subtraction))
            described.update(module.modules())
        elif module not in described:
            _refuse_lambda(module)
    return layers


def is_differential_or_raise(model: nn.Module) -> bool:
    """Return whether a layer of `model` subtracts. Raises what `checked_subtraction_of` raises."""
    return bool(differential_layers(model))


def _refuse_lambda(module: nn.Module) -> None:
    own = [name for name, _ in (*module.named_parameters(recurse=False), *module.named_children())]
    names = [name for name in own if "lambda" in name.lower()]
    if names:
        raise AttentionUnavailable(
            f"{type(module).__name__} has the parameters {', '.join(names[:4])}, and no Subtraction describes how it"
            " uses them; append one to models.attention.subtraction_registry.SUBTRACTIONS (docs/attention.md)"
        )


def shown_pattern(
    layer: nn.Module, weights_BxHxQxK: torch.Tensor, shown: ShownPattern, second_factor: float = 1.0
) -> torch.Tensor:
    """Return a pattern of a layer from the softmax of all its heads, (batch, pairs, query, key).

    `second_factor` multiplies λ. The pattern of an ordinary layer is that softmax itself, (batch, heads, query, key).
    Raises what `checked_subtraction_of` raises.
    """
    subtraction = checked_subtraction_of(layer)
    if subtraction is None:
        return weights_BxHxQxK
    first, second = subtraction.parts(layer, weights_BxHxQxK)
    if shown == "difference":
        weight = subtraction.factor(layer).to(weights_BxHxQxK.dtype)
        return first - (weight if second_factor == 1.0 else weight * second_factor) * second
    return first if shown == "first" else second
