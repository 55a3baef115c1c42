"""How the attention layers of a differential architecture subtract: which heads from which, and with which λ.

The differential layers of transformers, and layers derived from them, are registered here. To add another kind, append
a `Subtraction` to `SUBTRACTIONS`, in a conftest or where the model's own code is imported; `docs/attention.md` has an
example. A layer that has a λ but matches no `Subtraction` is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from models.attention.attention_errors import AttentionUnavailable
from models.upstream_transformers import DiffLlamaAttention

#: Which pattern of a differential layer is shown: the one that it applies, A1 − λ·A2, or one of the two.
ShownPattern = Literal["difference", "first", "second"]


def halves(heads: int) -> tuple[slice, slice]:
    """Pair head h with head h + H/2, as transformers does."""
    return slice(0, heads // 2), slice(heads // 2, heads)


def neighbours(heads: int) -> tuple[slice, slice]:
    """Pair head 2h with head 2h + 1, as the code of the paper's authors does."""
    return slice(0, heads, 2), slice(1, heads, 2)


@dataclass(frozen=True)
class Subtraction:
    """A kind of layer that applies A1 − λ·A2.

    `fits` returns whether a module is such a layer. `weight` returns its λ, a scalar or (pairs,), rounded as the layer
    rounds it. `pairs` takes the number of heads in the layer's attention weights and returns which of them are A1 and
    which A2. The layer must call transformers' `AttentionInterface`, once or several times with the same queries and
    keys.
    """

    fits: Callable[[nn.Module], bool]
    weight: Callable[[nn.Module], torch.Tensor]
    pairs: Callable[[int], tuple[slice, slice]] = halves

    def parts(self, weights_BxHx: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Split (batch, heads, …) into A1 and A2, or into sums over them: both (batch, pairs, …)."""
        first, second = self.pairs(weights_BxHx.shape[1])
        return weights_BxHx[:, first], weights_BxHx[:, second]

    def factor(self, layer: nn.Module, heads: list[int] | None = None) -> torch.Tensor:
        """Return λ of all pairs, or of the pairs `heads`, in a shape that multiplies (batch, pairs, query, key)."""
        weight = self.weight(layer).detach().reshape(-1)
        if len(weight) > 1 and heads is not None:
            weight = weight[heads]
        return weight.reshape(-1, 1, 1)


def layer_lambda(layer: nn.Module) -> torch.Tensor:
    """Return λ = exp(λq1·λk1) − exp(λq2·λk2) + λ_init (Ye et al., arXiv 2410.05258, eq. 2), a scalar.

    The layer calls its parameters `lambda_q1`, `lambda_k1`, `lambda_q2`, `lambda_k2` and `lambda_init`.
    """
    q1, k1, q2, k2 = (getattr(layer, f"lambda_{name}") for name in ("q1", "k1", "q2", "k2"))
    first, second = (  # rounded to the dtype of the queries, also where the weights are quantised
        torch.exp(torch.sum(q * k, dim=-1, dtype=torch.float32)).to(q1.dtype) for q, k in ((q1, k1), (q2, k2))
    )
    weight: torch.Tensor = first - second + layer.lambda_init  # type: ignore[operator]
    return weight


#: All known kinds of differential layer. The last one that fits a layer applies.
SUBTRACTIONS: list[Subtraction] = [
    Subtraction(fits=lambda layer: isinstance(layer, DiffLlamaAttention), weight=layer_lambda)
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
    parameters = [name for name, _ in layer.named_parameters(recurse=False) if "lambda" in name.lower()]
    if subtraction is None and parameters:
        raise AttentionUnavailable(
            f"{type(layer).__name__} has the parameters {', '.join(parameters[:4])}, and no Subtraction describes how"
            " it uses them; append one to models.attention.subtraction_registry.SUBTRACTIONS (docs/attention.md)"
        )
    return subtraction


def is_differential_or_raise(model: nn.Module) -> bool:
    """Return whether a layer of `model` subtracts. Raises what `checked_subtraction_of` raises."""
    return any(checked_subtraction_of(module) is not None for module in model.modules())


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
    first, second = subtraction.parts(weights_BxHxQxK)
    if shown == "difference":
        weight = subtraction.factor(layer).to(weights_BxHxQxK.dtype)
        return first - (weight if second_factor == 1.0 else weight * second_factor) * second
    return first if shown == "first" else second
