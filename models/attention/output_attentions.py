"""Attention mass on segments from the patterns that a model itself returns.

For architectures whose attention is not plain scaled-dot-product attention through transformers' interface: soft caps,
sinks, biases, or their own code. Each layer forms the query × key matrix of one row of the batch.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from models.attention.attention_errors import AttentionInterfaceBypassed, AttentionUnavailable, UnequalVisibleKeys
from models.attention.differential import decoder_of, differential_attention, layer_count
from models.attention.mass_recorder import MassRecorder
from models.attention.subtraction_registry import is_differential_or_raise


def record_from_patterns(
    model: PreTrainedModel,
    recorder: MassRecorder,
    input_ids: torch.Tensor,
    mask: torch.Tensor,
    cause: AttentionInterfaceBypassed,
) -> None:
    """Fill `recorder` from the attentions of `model` over the tokens (batch, length) where `mask` is 1.

    The keys that a query sees are read from the patterns too: those to which some head gives a weight.

    Raises `cause` for a model that returns no patterns, and for a differential one, whose patterns are not those it
    applies; `UnequalVisibleKeys` for layers that see different keys; `AttentionUnavailable` for patterns that are not
    causal.
    """
    if is_differential_or_raise(model):
        raise cause
    rows = [_row_masses(model, recorder, input_ids[row], mask[row], row, cause) for row in range(len(input_ids))]
    recorder.tokens = torch.cat([tokens for tokens, _, _ in rows])
    for layer in recorder.layers:
        recorder.signed[layer] = torch.cat([signed[layer] for _, signed, _ in rows])
        recorder.absolute_shares[layer] = torch.cat([absolute_shares[layer] for _, _, absolute_shares in rows])


def _row_masses(
    model: PreTrainedModel,
    recorder: MassRecorder,
    input_ids: torch.Tensor,
    mask: torch.Tensor,
    row: int,
    cause: AttentionInterfaceBypassed,
) -> tuple[torch.Tensor, dict[int, torch.Tensor], dict[int, torch.Tensor]]:
    """Return, for one row without its padding, the token shares, (1, queries, segments), and by layer the signed masses
    and the shares of the absolute mass, (1, heads, queries, segments)."""
    real = mask.bool()
    patterns = _row_patterns(model, input_ids[real], cause)
    segments = recorder.segments[row, real]
    visible = _visible_keys([patterns[layer][0] for layer in sorted(recorder.layers)], cause)
    visible_mass = visible.float() @ segments
    tokens = visible_mass / visible_mass.sum(-1, keepdim=True)
    every_position = torch.arange(len(input_ids), device=real.device)
    positions = every_position if recorder.positions is None else recorder.positions[row]
    queries = (real.cumsum(0) - 1)[positions.clamp(min=0)].clamp(min=0)  # positions in the row without its padding
    signed, absolute_shares = {}, {}
    for layer in recorder.layers:
        pattern = patterns[layer][0, recorder.heads].float()[:, queries]
        masses = pattern @ segments
        signed[layer] = masses[None]
        absolute_shares[layer] = (masses / pattern.sum(-1, keepdim=True))[None]
    return tokens[queries][None], signed, absolute_shares


def _visible_keys(patterns_HxQxK: list[torch.Tensor], cause: AttentionInterfaceBypassed) -> torch.Tensor:
    """Return which keys each query sees, (query, key), the same in all layers."""
    visible = [(pattern != 0).any(0).cpu() for pattern in patterns_HxQxK]
    if any(layer.triu(1).any() for layer in visible):
        raise AttentionUnavailable(
            "the patterns that the model returns give weight to later tokens; expected causal attention"
        ) from cause
    if not all(torch.equal(layer, visible[0]) for layer in visible):
        raise UnequalVisibleKeys from cause
    return visible[0].to(patterns_HxQxK[0].device)


def _row_patterns(model: PreTrainedModel, ids: torch.Tensor, cause: AttentionInterfaceBypassed) -> Any:
    """Return the pattern of each layer, (1, heads, query, key), from the model's own explicit attention."""
    try:
        with differential_attention(model):
            output = decoder_of(model)(input_ids=ids[None], use_cache=False, output_attentions=True)
    except (AttentionUnavailable, TypeError, ValueError) as error:
        raise cause from error
    patterns = getattr(output, "attentions", None)
    if (
        not patterns
        or len(patterns) != layer_count(model)
        or any(pattern is None or pattern.ndim != 4 for pattern in patterns)
    ):
        raise cause
    return patterns
