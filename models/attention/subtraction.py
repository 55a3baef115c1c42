"""How the attention layers of a differential architecture subtract: which heads from which, and with what λ.

transformers' own differential layers, and what is derived from them, are known here. For a layer that is made
otherwise, say it in a `Subtraction` and append that to `SUBTRACTIONS`, in a conftest or wherever the model's own code
is imported; `docs/attention.md` has an example. A layer that has a λ and fits nothing is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from transformers.models.diffllama.modeling_diffllama import DiffLlamaAttention


class AttentionUnavailable(RuntimeError):
    """A model's attention cannot be observed: it does not go through transformers' attention interface, or it subtracts
    in a way that nobody has said."""


class NotThroughTheInterface(AttentionUnavailable):
    """The attention function of ours was not asked, or what it computes is not all that the layer does: it may be that
    the model's own patterns can be had instead."""


def halves(heads: int) -> tuple[slice, slice]:
    """Heads h and h + H/2 are a pair, as in transformers."""
    return slice(0, heads // 2), slice(heads // 2, heads)


def neighbours(heads: int) -> tuple[slice, slice]:
    """Heads 2h and 2h + 1 are a pair, as in the code of the paper's authors."""
    return slice(0, heads, 2), slice(1, heads, 2)


@dataclass(frozen=True)
class Subtraction:
    """What must be known of a kind of layer that applies A1 − λ·A2.

    `fits` says of a module whether it is such a layer. `weight` gives its λ, a scalar or one for each pair of heads,
    (pairs,), rounded as the layer rounds it. `pairs` says, for the number of heads whose weights the layer's attention
    function has, which of them are A1 and which A2. That function must go through transformers' `AttentionInterface`,
    once or more often with the same queries and keys.
    """

    fits: Callable[[nn.Module], bool]
    weight: Callable[[nn.Module], torch.Tensor]
    pairs: Callable[[int], tuple[slice, slice]] = halves

    def parts(self, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A1 and A2, or what was summed of them, out of all heads: both (batch, pairs, …) out of (batch, heads, …)."""
        first, second = self.pairs(weights.shape[1])
        return weights[:, first], weights[:, second]

    def factor(self, layer: nn.Module, heads: list[int] | None = None) -> torch.Tensor:
        """λ in a shape that multiplies (batch, pairs, query, key), of all pairs or of some."""
        weight = self.weight(layer).detach().reshape(-1)
        if len(weight) > 1 and heads is not None:
            weight = weight[heads]
        return weight.reshape(-1, 1, 1)


def paper_weight(layer: nn.Module) -> torch.Tensor:
    """λ = exp(λq1·λk1) − exp(λq2·λk2) + λ_init (Ye et al., arXiv 2410.05258, eq. 2), of a layer that calls them
    `lambda_q1` and so on."""
    q1, k1, q2, k2 = (getattr(layer, f"lambda_{name}") for name in ("q1", "k1", "q2", "k2"))
    first, second = (  # that of the queries, also where the weights are quantised
        torch.exp(torch.sum(q * k, dim=-1, dtype=torch.float32)).to(q1.dtype) for q, k in ((q1, k1), (q2, k2))
    )
    weight: torch.Tensor = first - second + layer.lambda_init  # type: ignore[operator]
    return weight


#: Every way to subtract that is known; the last that fits a layer is its own.
SUBTRACTIONS: list[Subtraction] = [
    Subtraction(fits=lambda layer: isinstance(layer, DiffLlamaAttention), weight=paper_weight)
]


def subtraction_of(layer: nn.Module) -> Subtraction | None:
    """How a layer subtracts; None for an ordinary one."""
    return next((known for known in reversed(SUBTRACTIONS) if known.fits(layer)), None)


def known_subtraction_of(layer: nn.Module) -> Subtraction | None:
    """The same of a layer whose attention is about to be taken for what it shows. Raises `AttentionUnavailable` for one
    that has a λ and fits nothing: it must not pass for an ordinary one."""
    found = subtraction_of(layer)
    own = [name for name, _ in layer.named_parameters(recurse=False) if "lambda" in name.lower()]
    if found is None and own:
        raise AttentionUnavailable(
            f"{type(layer).__name__} has the parameters {', '.join(own[:4])}, and nobody has said how it subtracts with"
            " them; append a Subtraction to models.attention.subtraction.SUBTRACTIONS (docs/attention.md)"
        )
    return found


def subtracts(model: nn.Module) -> bool:
    """Whether a layer of `model` does, in a way that is known. Raises what `known_subtraction_of` raises."""
    return any(known_subtraction_of(module) is not None for module in model.modules())
