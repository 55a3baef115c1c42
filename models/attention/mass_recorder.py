"""The attention function that records the attention mass on segments while a forward pass goes through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from models import upstream_transformers
from models.attention.attention_errors import (
    AttentionInterfaceBypassed,
    AttentionUnavailable,
    UnequalVisibleKeys,
)
from models.attention.recognition_check import note_outputs
from models.attention.segment_mass import (
    output_and_masses,
    segment_masses,
    select_queries,
    signed_masses_and_absolute_shares,
)
from models.attention.subtraction_registry import Subtraction, checked_subtraction_of

#: The attention implementation that records; it expects the keyword argument `allocation=MassRecorder(...)`.
IMPLEMENTATION = "allocation"


@dataclass
class MassRecorder:
    """What to record during one forward pass, and what has been recorded so far, by layer.

    `segments` (batch, length, segments) is 0 for padding. `positions` (batch, queries) names the queries, filled up
    with −1; None for every token. `query_heads` is the number of query heads of a layer, by the configuration. `signed`
    and `absolute_shares` are (batch, heads, queries, segments), and the same tensor if the layer is ordinary or
    `absolute` is false. `lambdas` is (batch, heads, queries), of differential layers alone. `tokens` is (batch,
    queries, segments).
    """

    segments: torch.Tensor
    positions: torch.Tensor | None
    layers: frozenset[int]
    heads: list[int]
    absolute: bool
    query_heads: int
    signed: dict[int, torch.Tensor] = field(default_factory=dict)
    absolute_shares: dict[int, torch.Tensor] = field(default_factory=dict)
    lambdas: dict[int, torch.Tensor] = field(default_factory=dict)
    tokens: torch.Tensor | None = None
    masks: list[torch.Tensor | None] = field(default_factory=list)

    def check_mask(self, mask: torch.Tensor | None) -> None:
        """Raise `UnequalVisibleKeys` unless `mask` is that of the layers before: their token shares would differ."""
        if not self.masks:
            self.masks.append(mask)
        first = self.masks[0]
        if mask is not first and (mask is None or first is None or not torch.equal(mask.to(first.device), first)):
            raise UnequalVisibleKeys

    def move_to(self, device: torch.device) -> None:
        """Move to the device of a layer, for a model that is spread over several."""
        self.segments = self.segments.to(device)
        self.positions = None if self.positions is None else self.positions.to(device)

    def lambda_of(self, layer: nn.Module, subtraction: Subtraction) -> torch.Tensor:
        """Return λ of the recorded heads and queries in float32, in a shape that multiplies (batch, heads, query, key):
        (1 or heads, 1, 1), or (batch, heads, query, 1) where it depends on the text."""
        factor = subtraction.factor(layer, self.heads).float()
        if factor.ndim == 4 and self.positions is not None:
            rows = self.positions.clamp(min=0)[:, None, :, None].expand(-1, factor.shape[1], -1, 1)
            factor = factor.gather(2, rows)
        return factor

    def record_tokens(self, key: torch.Tensor, mask: torch.Tensor | None, queries: int) -> None:
        """Record the segments' shares of the keys that each query sees: an all-zero query attends uniformly."""
        if self.tokens is None:
            zeros = key.new_zeros(key.shape[0], 1, queries, key.shape[-1])
            self.tokens = segment_masses(zeros, key[:, :1], mask, 1.0, self.segments)[:, 0]


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    allocation: MassRecorder | None = None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Scaled-dot-product attention that records the masses of a selected layer."""
    if allocation is None:
        raise AttentionInterfaceBypassed(
            f"{type(module).__name__} passes no keyword arguments on to its attention function, so that its attention"
            " cannot be recorded"
        )
    modifiers = [name for name in upstream_transformers.SCORE_MODIFIERS if options.get(name) is not None]
    if modifiers:
        raise AttentionInterfaceBypassed(
            f"{type(module).__name__}: its attention uses {modifiers[0]!r}, which scaled-dot-product attention lacks"
        )

    def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return upstream_transformers.sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )[0]

    layer = upstream_transformers.layer_number(module)
    if layer not in allocation.layers or layer in allocation.signed:  # a DiffLlama layer comes here twice
        return plain(query, key, value), None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    allocation.move_to(query.device)
    subtraction = checked_subtraction_of(module)
    if subtraction is not None and query.shape[1] != allocation.query_heads:
        raise AttentionUnavailable(
            f"{type(module).__name__}: {query.shape[1]} query heads attend, and num_attention_heads of the"
            f" configuration is {allocation.query_heads}; expected the same number"
        )
    absolute_shares = None
    allocation.check_mask(attention_mask)
    in_one_call = _fits_in_one_call(module, query, scaling, subtraction, allocation)
    if in_one_call:
        output, masses = output_and_masses(plain, query, key, value, allocation.segments)
        allocation.record_tokens(key, attention_mask, query.shape[2])
    else:
        output = plain(query, key, value)
        masses, absolute_shares = _selected_masses(module, subtraction, query, key, attention_mask, scale, allocation)
    note_outputs(module, subtraction, output)
    if subtraction is not None and absolute_shares is None:
        first, second = subtraction.parts(module, masses) if in_one_call else masses.chunk(2, dim=1)
        masses = first - allocation.lambda_of(module, subtraction) * second
    if subtraction is not None:
        weight = allocation.lambda_of(module, subtraction).squeeze(-1)
        allocation.lambdas[layer] = weight.expand(masses.shape[:3])
    allocation.signed[layer] = masses
    allocation.absolute_shares[layer] = masses if absolute_shares is None else absolute_shares
    return output, None


upstream_transformers.register_attention(IMPLEMENTATION, _attend, upstream_transformers.sdpa_mask)


def _fits_in_one_call(
    module: nn.Module,
    query: torch.Tensor,
    scaling: float | None,
    subtraction: Subtraction | None,
    recorder: MassRecorder,
) -> bool:
    """Return whether the call that computes the layer's output can compute the masses too."""
    heads = query.shape[1] if subtraction is None else len(subtraction.pairs(module, query.shape[1])[0])
    # The masses come out in the order of the heads.
    everything = recorder.positions is None and recorder.heads == list(range(heads))
    linear = subtraction is None or not recorder.absolute
    return everything and linear and scaling is not None and query.dtype == torch.float32


def _selected_masses(
    module: nn.Module,
    subtraction: Subtraction | None,
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    recorder: MassRecorder,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the masses of the selected heads and queries in float32, and None.

    For a differential layer they are those of all A1, then those of all A2. If its absolute shares are wanted, return
    the signed masses of its pairs and those shares instead.
    """
    heads = recorder.heads
    if subtraction is not None:
        heads = [part[head] for part in subtraction.pairs(module, query.shape[1]) for head in heads]
    groups = query.shape[1] // key.shape[1]
    query, key = query[:, heads].float(), upstream_transformers.repeat_kv(key, groups)[:, heads].float()
    if recorder.positions is not None:
        query, mask = select_queries(query, mask, recorder.positions, key.shape[2])
    recorder.record_tokens(key, mask, query.shape[2])
    if subtraction is not None and recorder.absolute:
        factor = recorder.lambda_of(module, subtraction)
        return signed_masses_and_absolute_shares(query, key, mask, scale, recorder.segments, factor)
    return segment_masses(query, key, mask, scale, recorder.segments), None
