"""How much attention goes to each segment of a text, at any length: no query × key matrix of the whole text is formed.

With C the (key × segment) indicator, the mass on the segments is softmax(QKᵀ)·C, so scaled-dot-product attention gives
it when C stands in the place of V. For a differential layer the heads are chunked and subtracted with λ, as in
`models.attention.differential`. The absolute mass is no such product; it is summed up over blocks of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from models.attention.differential import (
    AttentionUnavailable,
    attention_implementation,
    decoder_of,
    is_differential,
    layers_of,
    pair_lambdas,
)
from models.attention.output_attentions import take_from_patterns
from models.attention.segment_mass import IMPLEMENTATION, Request
from models.attention.subtraction import NotThroughTheInterface


@dataclass(frozen=True)
class Allocation:
    """Where the queries of a batch look. All tensors are float32 and on the model's device.

    `signed` is the mass of the pattern on each segment, (layers, batch, heads, queries, segments): it sums to 1 over
    the segments, for a differential layer to 1 − λ, and can be negative. `absolute` is the share of the absolute mass,
    of the same shape, which sums to 1; None where it was not asked for; for an ordinary layer it is `signed`. `tokens`
    is the share of the keys a query can see, (batch, queries, segments), which sums to 1. `positions`, (batch,
    queries), says where in the text each query is; −1 fills up rows with fewer queries: what is there means nothing.
    """

    layers: tuple[int, ...]
    heads: tuple[int, ...]
    signed: torch.Tensor
    absolute: torch.Tensor | None
    tokens: torch.Tensor
    positions: torch.Tensor

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean of `signed`, `absolute` or `tokens` over the queries: the second axis from the end goes."""
        real = (self.positions >= 0).to(values.dtype)
        weights = (real / real.sum(-1, keepdim=True)).unsqueeze(-1)  # (batch, queries, 1)
        if values.ndim == 5:
            weights = weights.unsqueeze(1)  # a place for the heads
        return torch.where(weights > 0, values * weights, 0.0).sum(-2)


@torch.inference_mode()
def attention_allocation(
    model: PreTrainedModel,
    input_ids: torch.Tensor,
    segments: torch.Tensor,
    queries: torch.Tensor | None = None,
    attention_mask: torch.Tensor | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    absolute: bool = True,
) -> Allocation:
    """One forward pass of the decoder over `input_ids` (batch, length), and where its queries look.

    `segments` (batch, length, segments) is the share of each token that belongs to each segment; `queries` (batch,
    length) marks the positions that are looked from, all real ones by default. `attention_mask` (batch, length) is 0
    for padding, on either side. `layers` and `heads` are numbers from 0, all by default; a differential layer has half
    as many heads as its configuration says. Memory is linear in the length, save for the mask of one byte a query and
    key that transformers itself makes where rows are padded, and save for architectures whose attention is not a plain
    one through transformers' interface: there the model's own patterns are taken, a row at a time. `absolute=False`
    leaves out the absolute shares, which for a differential model with many queries take longer than the forward pass.

    Raises `ValueError` for shapes that do not fit, a row without queries, or a layer or head that is not there;
    `AttentionUnavailable` for a model whose attention cannot be observed.
    """
    mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    queries = _checked(input_ids, segments, mask.bool() if queries is None else queries.bool(), mask)
    chosen_layers, chosen_heads = chosen_places(model, layers, heads)
    places = None if queries.all() else _positions(queries)
    shares = (segments * mask.unsqueeze(-1)).float()
    request = Request(shares, places, frozenset(chosen_layers), list(chosen_heads), absolute)
    options = {
        "input_ids": input_ids,
        "attention_mask": None if mask.all() else mask,
        "position_ids": (mask.cumsum(-1) - 1).clamp(min=0),
        "use_cache": False,
    }
    try:
        with attention_implementation(model, IMPLEMENTATION):
            try:
                decoder_of(model)(**options, allocation=request)
            except TypeError as error:
                raise NotThroughTheInterface(f"{type(model).__name__} takes no keyword arguments: {error}") from error
        if request.tokens is None or request.signed.keys() != set(chosen_layers):
            seen = ",".join(map(str, sorted(request.signed)))
            raise NotThroughTheInterface(
                f"{type(model).__name__}: {len(request.signed)} of {len(chosen_layers)} layers have an attention that"
                f" can be observed{f' (--attention-layers {seen})' if seen else ''}"
            )
    except NotThroughTheInterface as refusal:
        request = Request(shares, places, frozenset(chosen_layers), list(chosen_heads), absolute)
        take_from_patterns(model, request, input_ids, mask, refusal)
    assert request.tokens is not None
    place = input_ids.device
    positions = torch.arange(input_ids.shape[1], device=place).expand_as(input_ids)
    return Allocation(
        layers=chosen_layers,
        heads=chosen_heads,
        signed=torch.stack([request.signed[layer].to(place) for layer in chosen_layers]),
        absolute=torch.stack([request.shares[layer].to(place) for layer in chosen_layers]) if absolute else None,
        tokens=request.tokens.to(place),
        positions=positions if request.positions is None else request.positions.to(place),
    )


def _checked(
    input_ids: torch.Tensor, segments: torch.Tensor, queries: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """The queries among the real tokens. Raises `ValueError` for shapes that do not fit and for a row without any."""
    shape = tuple(input_ids.shape)
    for name, tensor, expected in (
        ("attention_mask", mask, shape),
        ("queries", queries, shape),
        ("segments", segments, (*shape, segments.shape[-1])),
    ):
        if tuple(tensor.shape) != expected:
            raise ValueError(f"{name}: expected the shape {expected} of input_ids, found {tuple(tensor.shape)}")
    queries = queries & mask.bool()
    empty = (~queries.any(-1)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"queries: expected at least one real token in each row, found none in row {empty[0]}")
    return queries


def chosen_places(
    model: PreTrainedModel, layers: Sequence[int] | None, heads: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The layers and heads that are meant, None being all. Raises `ValueError` for one that `model` does not have."""
    pairs = 2 if is_differential(model) else 1
    of_layers, of_heads = layers_of(model), getattr(model.config.get_text_config(), "num_attention_heads", 0)
    if not of_layers or not isinstance(of_heads, int) or not of_heads:
        raise AttentionUnavailable(f"{type(model).__name__}: a model with layers of attention heads was expected")
    if pairs == 2 and len(pair_lambdas(model)) != of_layers:
        raise AttentionUnavailable(
            f"{type(model).__name__}: {len(pair_lambdas(model))} of its {of_layers} layers are differential; a model in"
            " which all are, or none, was expected"
        )
    return _chosen("layer", layers, of_layers), _chosen("head", heads, of_heads // pairs)


def _chosen(what: str, numbers: Sequence[int] | None, there: int) -> tuple[int, ...]:
    chosen = tuple(range(there)) if numbers is None else tuple(numbers)
    if not chosen:
        raise ValueError(f"{what}s: expected at least one, found none")
    for number in chosen:
        if not 0 <= number < there:
            raise ValueError(f"{what} {number}: the model has {what}s 0 to {there - 1}")
    return chosen


def _positions(queries: torch.Tensor) -> torch.Tensor:
    """(batch, most queries of a row): where each row's queries are, and −1 behind them."""
    most = int(queries.sum(-1).max())
    order = torch.argsort(queries.int(), dim=-1, descending=True, stable=True)[:, :most]
    return torch.where(queries.gather(-1, order), order, -1)
