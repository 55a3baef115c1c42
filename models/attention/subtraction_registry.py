"""How the attention layers of a differential architecture subtract: which heads from which, and with which λ.

The differential layers of transformers, layers derived from them, and those of `models.architectures` are registered
here. To add another kind, append a `Subtraction` to `SUBTRACTIONS`, in a conftest, in a file for `--adapter`, or where
the model's own code is imported; `docs/attention.md` has an example. A layer that has a λ but matches no `Subtraction`
is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from models.architectures.diff_v1 import LayerLambdaAttention
from models.architectures.diff_v2 import DiffV2Attention
from models.architectures.subtracting_layer import SubtractingLayer
from models.attention.attention_errors import AttentionUnavailable
from models.attention.layer_inputs import layer_input
from models.upstream_transformers import DiffLlamaAttention

#: Which pattern of a differential layer is shown: the one that it applies, A1 − λ·A2, or one of the two.
ShownPattern = Literal["difference", "first", "second"]
#: The heads that are A1, and the head that is A2 of each, by number.
HeadPairs = tuple[Sequence[int], Sequence[int]]


def halves(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair head h with head h + H/2, as transformers does."""
    return range(heads // 2), range(heads // 2, heads)


def neighbours(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair head 2h with head 2h + 1, as the code of the paper's authors does."""
    return range(0, heads, 2), range(1, heads, 2)


def groups_of(signals: int) -> Callable[[nn.Module, int], HeadPairs]:
    """Return what pairs each of `signals` heads with the one behind them, as grouped differential attention does.

    With 4, heads 0 to 3 are paired with head 4, heads 5 to 8 with head 9 (arXiv 2510.06949).
    """

    def pairs(layer: nn.Module, heads: int) -> HeadPairs:
        first = [head for head in range(heads) if head % (signals + 1) < signals]
        return first, [head - head % (signals + 1) + signals for head in first]

    return pairs


@dataclass(frozen=True)
class Subtraction:
    """A kind of layer that applies A1 − λ·A2.

    `fits` returns whether a module is such a layer. λ is given by one of two functions. `weight` takes the layer and
    returns a scalar or (pairs,). `token_weight` takes the layer and its input, (batch, query, hidden), and returns
    (batch, query, pairs). Both round as the layer rounds. `pairs` takes the layer and the number of heads in its
    attention weights and returns which of them are A1 and, for each of these, which is its A2; several may share one.
    The layer must call transformers' `AttentionInterface`, once or several times with the same queries and keys.
    """

    fits: Callable[[nn.Module], bool]
    weight: Callable[[nn.Module], torch.Tensor] | None = None
    pairs: Callable[[nn.Module, int], HeadPairs] = halves
    token_weight: Callable[[nn.Module, torch.Tensor], torch.Tensor] | None = None

    def __post_init__(self) -> None:
        if (self.weight is None) == (self.token_weight is None):
            raise ValueError("Subtraction: expected either weight or token_weight, got both or neither")

    def parts(self, layer: nn.Module, weights_BxHx: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Split (batch, heads, …) into A1 and A2, or into sums over them: both (batch, pairs, …)."""
        first, second = self.pairs(layer, weights_BxHx.shape[1])
        return weights_BxHx[:, _index(first)], weights_BxHx[:, _index(second)]

    def factor(self, layer: nn.Module, heads: list[int] | None = None) -> torch.Tensor:
        """Return λ of all pairs, or of the pairs `heads`, in a shape that multiplies (batch, pairs, query, key).

        A λ that depends on the text is that of the layer's current input, (batch, pairs, query, 1). Raises
        `AttentionUnavailable` for it outside a forward pass that is observed.
        """
        if self.token_weight is not None:
            weight_BxPxQ = self.token_weight(layer, layer_input(layer)).detach().transpose(1, 2)
            return (weight_BxPxQ if heads is None else weight_BxPxQ[:, heads]).unsqueeze(-1)
        assert self.weight is not None
        weight = self.weight(layer).detach().reshape(-1)
        if len(weight) > 1 and heads is not None:
            weight = weight[heads]
        return weight.reshape(-1, 1, 1)


def _index(heads: Sequence[int]) -> slice | list[int]:
    """Return what selects `heads`: a slice, which copies nothing, where they are evenly spaced."""
    return slice(heads.start, heads.stop, heads.step) if isinstance(heads, range) else list(heads)


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


def _mapped(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair the heads as a layer of `models.architectures` says."""
    assert isinstance(layer, SubtractingLayer)
    return layer.heads.signal, layer.heads.noise


#: All known kinds of differential layer. The last one that fits a layer applies.
SUBTRACTIONS: list[Subtraction] = [
    Subtraction(fits=lambda layer: isinstance(layer, DiffLlamaAttention), weight=layer_lambda),
    Subtraction(
        fits=lambda layer: isinstance(layer, LayerLambdaAttention),
        weight=lambda layer: layer.weight(),  # type: ignore[operator]
        pairs=_mapped,
    ),
    Subtraction(
        fits=lambda layer: isinstance(layer, DiffV2Attention),
        token_weight=lambda layer, hidden: layer.weight(hidden),  # type: ignore[operator]
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
