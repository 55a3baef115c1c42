"""How an attention layer subtracts: which heads from which, and with which λ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from models.attention.layer_inputs import layer_input

#: The heads that are A1, and the head that is A2 of each, by number.
HeadPairs = tuple[Sequence[int], Sequence[int]]


def halves(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair head h with head h + H/2, as transformers does."""
    return range(heads // 2), range(heads // 2, heads)


def neighbours(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair head 2h with head 2h + 1, as the code of the paper's authors does."""
    return range(0, heads, 2), range(1, heads, 2)


def grouped_heads(signals: int) -> Callable[[nn.Module, int], HeadPairs]:
    """Return a pairing for groups of `signals` signal heads followed by one noise head that they share.

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
    returns a scalar or (pairs,). `token_lambda` takes the layer and its input, (batch, query, hidden), and returns
    (batch, query, pairs). Both round as the layer rounds. `pairs` takes the layer and the number of heads in its
    attention weights and returns which of them are A1 and, for each of these, which is its A2; several may share one.
    The layer must call transformers' `AttentionInterface`, once or several times with the same queries and keys.
    """

    fits: Callable[[nn.Module], bool]
    weight: Callable[[nn.Module], torch.Tensor] | None = None
    pairs: Callable[[nn.Module, int], HeadPairs] = halves
    token_lambda: Callable[[nn.Module, torch.Tensor], torch.Tensor] | None = None

    def __post_init__(self) -> None:
        if (self.weight is None) == (self.token_lambda is None):
            raise ValueError("Subtraction: expected either weight or token_lambda, got both or neither")

    def parts(self, layer: nn.Module, weights_BxHx: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Split (batch, heads, …) into A1 and A2, or into sums over them: both (batch, pairs, …)."""
        first, second = self.pairs(layer, weights_BxHx.shape[1])
        return weights_BxHx[:, _index(first)], weights_BxHx[:, _index(second)]

    def factor(self, layer: nn.Module, heads: list[int] | None = None) -> torch.Tensor:
        """Return λ of all pairs, or of the pairs `heads`, in a shape that multiplies (batch, pairs, query, key).

        A λ that depends on the text is that of the layer's current input, (batch, pairs, query, 1). Raises
        `AttentionUnavailable` for it outside a forward pass that is observed.
        """
        if self.token_lambda is not None:
            weight_BxPxQ = self.token_lambda(layer, layer_input(layer)).detach().transpose(1, 2)
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
