"""Layers of others, known by the names in their published code: the authors of DIFF V1 and V2, Motif, Phi-4-mini-flash.

They pair the heads that their code projects next to each other. Sources: microsoft/unilm, Motif's and Microsoft's code
in vLLM, and the description of Motif-3 in llama.cpp.
"""

from __future__ import annotations

import torch
from torch import nn

from models.attention.attention_errors import AttentionUnavailable
from models.attention.subtraction import HeadPairs, Subtraction, grouped_heads, layer_lambda

#: What a layer of the authors' code has.
_AUTHORS_NAMES = ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2", "lambda_init", "subln")


def _authors_lambda(layer: nn.Module) -> nn.Module | None:
    """Return the module that holds λ under the names of the authors' code: the layer itself, or its part
    `inner_cross_attn` (Phi-4-mini-flash); None where there is none."""
    for holder in (layer, getattr(layer, "inner_cross_attn", None)):
        if isinstance(getattr(layer, "layer_idx", None), int) and all(hasattr(holder, name) for name in _AUTHORS_NAMES):
            return holder
    return None


def _authors_weight(layer: nn.Module) -> torch.Tensor:
    holder = _authors_lambda(layer)
    assert holder is not None
    return layer_lambda(holder)


def _authors_pairs(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair neighbours, or, where the configuration counts noise heads (Motif-2-12.7B), the heads of each group."""
    noise = getattr(getattr(layer, "config", None), "num_noise_heads", None) or heads // 2
    return grouped_heads((heads - noise) // noise)(layer, heads)


def _projected_weight(layer: nn.Module, hidden_BxQxE: torch.Tensor) -> torch.Tensor:
    """Return λ = sigmoid(W·x) of DIFF V2 and Motif-3, (batch, query, pairs)."""
    weight: torch.Tensor = torch.sigmoid(layer.lambda_proj(hidden_BxQxE))  # type: ignore[operator]
    return weight


def _projected_pairs(layer: nn.Module, heads: int) -> HeadPairs:
    """Pair the heads of each group: as many are signal heads as there are λ, the rest noise heads."""
    signals: int = layer.lambda_proj.out_features  # type: ignore[union-attr, assignment]
    if not 0 < heads - signals <= signals or signals % (heads - signals):
        raise AttentionUnavailable(
            f"{type(layer).__name__}: lambda_proj gives {signals} λ, but {heads} heads do not divide into groups with"
            f" {signals} signal heads; append a Subtraction for this layer (docs/attention.md)"
        )
    return grouped_heads(signals // (heads - signals))(layer, heads)


#: With one λ a layer, and with one of each token and head.
RECOGNISED = (
    Subtraction(fits=lambda layer: _authors_lambda(layer) is not None, weight=_authors_weight, pairs=_authors_pairs),
    Subtraction(
        fits=lambda layer: isinstance(getattr(layer, "lambda_proj", None), nn.Linear),
        token_lambda=_projected_weight,
        pairs=_projected_pairs,
    ),
)
