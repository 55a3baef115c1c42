"""How much attention goes to each segment of a text, at any length: no query × key matrix of the whole text is formed.

With C the (key × segment) indicator, the mass on the segments is softmax(QKᵀ)·C, so scaled-dot-product attention gives
it when C stands in the place of V. For a differential layer the heads are chunked and subtracted with λ, as in
`models.differential`. The absolute mass is no such product; it is summed up over blocks of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.models.diffllama.modeling_diffllama import DiffLlamaAttention

from models.differential import AttentionUnavailable, attention_implementation, is_differential, layer_lambda

_NAME = "allocation"
#: The largest block of explicit weights, in numbers: 64 MiB of float32.
_BLOCK = 2**24


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
    as many heads as its configuration says. Memory is linear in the length. `absolute=False` leaves out the absolute
    shares, which for a differential model with many queries take longer than the forward pass.

    Raises `ValueError` for shapes that do not fit, a row without queries, or a layer or head that is not there;
    `AttentionUnavailable` for a model whose attention cannot be observed.
    """
    mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    queries = _checked(input_ids, segments, mask.bool() if queries is None else queries.bool(), mask)
    chosen_layers = _chosen("layer", layers, model.config.num_hidden_layers)
    pairs = 2 if is_differential(model) else 1
    chosen_heads = _chosen("head", heads, model.config.num_attention_heads // pairs)
    request = _Request(
        segments=(segments * mask.unsqueeze(-1)).float(),
        positions=None if queries.all() else _positions(queries),
        layers=frozenset(chosen_layers),
        heads=list(chosen_heads),
        absolute=absolute,
    )
    with attention_implementation(model, _NAME):
        model.get_decoder()(
            input_ids=input_ids,
            attention_mask=None if mask.all() else mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            use_cache=False,
            allocation=request,
        )
    if request.tokens is None or request.signed.keys() != set(chosen_layers):
        raise AttentionUnavailable(
            f"{type(model).__name__}: {len(request.signed)} of {len(chosen_layers)} layers could be observed;"
            " a model that hands keyword arguments on to its attention function was expected"
        )
    positions = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)
    return Allocation(
        layers=chosen_layers,
        heads=chosen_heads,
        signed=torch.stack([request.signed[layer] for layer in chosen_layers]),
        absolute=torch.stack([request.shares[layer] for layer in chosen_layers]) if absolute else None,
        tokens=request.tokens,
        positions=positions if request.positions is None else request.positions,
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


def _chosen(what: str, numbers: Sequence[int] | None, there: int) -> tuple[int, ...]:
    chosen = tuple(range(there)) if numbers is None else tuple(numbers)
    for number in chosen:
        if not 0 <= number < there:
            raise ValueError(f"{what} {number}: the model has {what}s 0 to {there - 1}")
    return chosen


def _positions(queries: torch.Tensor) -> torch.Tensor:
    """(batch, most queries of a row): where each row's queries are, and −1 behind them."""
    most = int(queries.sum(-1).max())
    order = torch.argsort(queries.int(), dim=-1, descending=True, stable=True)[:, :most]
    return torch.where(queries.gather(-1, order), order, -1)


@dataclass
class _Request:
    """What is asked of the attention functions of one forward pass, and what they have found so far, by layer."""

    segments: torch.Tensor
    positions: torch.Tensor | None
    layers: frozenset[int]
    heads: list[int]
    absolute: bool
    signed: dict[int, torch.Tensor] = field(default_factory=dict)
    shares: dict[int, torch.Tensor] = field(default_factory=dict)
    tokens: torch.Tensor | None = None


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    allocation: _Request,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Plain scaled-dot-product attention, which on the way is asked where it looks."""
    layer = module.layer_idx
    if layer in allocation.layers and layer not in allocation.signed:  # a differential layer comes here twice
        _measure(module, query, key, attention_mask, scaling, allocation)
    return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)


AttentionInterface.register(_NAME, _attend)
AttentionMaskInterface.register(_NAME, sdpa_mask)


def _measure(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    request: _Request,
) -> None:
    differential = isinstance(module, DiffLlamaAttention)
    heads = request.heads
    if differential:
        heads = [*heads, *(head + query.shape[1] // 2 for head in heads)]
    groups = query.shape[1] // key.shape[1]
    query, key = query[:, heads].float(), repeat_kv(key, groups)[:, heads].float()
    if request.positions is not None:
        query, mask = _looking(query, mask, request.positions, key.shape[2])
    if request.tokens is None:  # a query of noughts looks at all it can see alike
        request.tokens = _masses(torch.zeros_like(query[:, :1]), key[:, :1], mask, 1.0, request.segments)[:, 0]
    weight = float(layer_lambda(module)) if differential else 0.0
    if differential and request.absolute:
        signed, shares = _in_blocks(query, key, mask, scaling, request.segments, weight)
    else:
        signed = _masses(query, key, mask, scaling, request.segments)
        if differential:
            first, second = signed.chunk(2, dim=1)
            signed = first - weight * second
        shares = signed
    request.signed[module.layer_idx] = signed
    request.shares[module.layer_idx] = shares


def _looking(
    query: torch.Tensor, mask: torch.Tensor | None, positions: torch.Tensor, length: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The chosen queries, (batch, heads, queries, size), and which keys each may see, (batch, 1, queries, key)."""
    rows = positions.clamp(min=0)
    chosen = query.gather(2, rows[:, None, :, None].expand(-1, query.shape[1], -1, query.shape[3]))
    if mask is None:
        visible = torch.arange(length, device=rows.device) <= rows[..., None]
        return chosen, visible[:, None]
    mask = mask.expand(len(rows), -1, -1, -1)
    return chosen, mask.gather(2, rows[:, None, :, None].expand(-1, 1, -1, length))


def _masses(
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    segments: torch.Tensor,
) -> torch.Tensor:
    """softmax(QKᵀ)·C, (batch, heads, queries, segments). C is widened to the size of a head: the fused kernels, which
    form no matrix, ask for that."""
    size = query.shape[-1]
    found = []
    for few in segments.split(size, dim=-1):
        values = pad(few, (0, size - few.shape[-1]))[:, None].expand(-1, query.shape[1], -1, -1)
        masses = scaled_dot_product_attention(query, key, values, mask, is_causal=mask is None, scale=scaling)
        found.append(masses[..., : few.shape[-1]])
    return torch.cat(found, dim=-1)


def _in_blocks(
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    segments: torch.Tensor,
    weight: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The signed masses of A1 − λ·A2 and the shares of its absolute mass, a block of queries at a time."""
    batch, heads, queries, size = query.shape
    length = key.shape[2]
    step = max(1, _BLOCK // (batch * heads * length))
    signed, shares = [], []
    for start in range(0, queries, step):
        block = slice(start, min(start + step, queries))
        scores = query[:, :, block] @ key.transpose(2, 3) * (size**-0.5 if scaling is None else scaling)
        if mask is None:
            rows = torch.arange(block.start, block.stop, device=query.device)
            visible = torch.arange(length, device=query.device) <= rows[:, None]
        else:
            visible = mask[:, :, block]
        lowest = torch.finfo(scores.dtype).min  # not −∞: a padded query sees nothing, and must not become NaN
        first, second = scores.masked_fill_(~visible, lowest).softmax(-1).chunk(2, dim=1)
        pattern = first.sub_(second, alpha=weight)
        signed.append(pattern @ segments[:, None])
        masses = pattern.abs_() @ segments[:, None]
        shares.append(masses / pattern.sum(-1, keepdim=True))
    return torch.cat(signed, dim=2), torch.cat(shares, dim=2)
