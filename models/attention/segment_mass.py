"""The masses of attention on segments, taken down by an attention function while a forward pass goes through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from models.attention.subtraction import AttentionUnavailable, NotThroughTheInterface, Subtraction, known_subtraction_of

#: The attention implementation that takes them down; it wants the keyword argument `allocation=Request(...)`.
IMPLEMENTATION = "allocation"
#: What some architectures add to their scores (soft caps, sinks, biases). Without it the masses would be others.
_CHANGING = ("softcap", "s_aux", "position_bias")
#: The largest block of explicit weights, in numbers: 16 MiB of float32.
_BLOCK = 2**22


@dataclass
class Request:
    """What is asked of the attention functions of one forward pass, and what they have found so far, by layer.

    `segments` (batch, length, segments) is 0 for padding; `positions` (batch, queries) says who looks, −1 filling up,
    None for every token. `signed` and `shares` are (batch, heads, queries, segments), and the same where the layer is
    ordinary or `absolute` was not asked for; `tokens` is (batch, queries, segments).
    """

    segments: torch.Tensor
    positions: torch.Tensor | None
    layers: frozenset[int]
    heads: list[int]
    absolute: bool
    signed: dict[int, torch.Tensor] = field(default_factory=dict)
    shares: dict[int, torch.Tensor] = field(default_factory=dict)
    tokens: torch.Tensor | None = None
    masks: list[torch.Tensor | None] = field(default_factory=list)

    def check_mask(self, mask: torch.Tensor | None) -> None:
        """Refuse layers that see different keys, as where some have a sliding window: their token shares differ."""
        if not self.masks:
            self.masks.append(mask)
        first = self.masks[0]
        if mask is not first and (mask is None or first is None or not torch.equal(mask.to(first.device), first)):
            raise AttentionUnavailable(
                "the layers see different keys (a sliding window in some of them): choose layers of one kind"
                " (--attention-layers)"
            )

    def follow(self, device: torch.device) -> None:
        """Go to the device of a layer, where a model is laid over several."""
        self.segments = self.segments.to(device)
        self.positions = None if self.positions is None else self.positions.to(device)

    def see(self, key: torch.Tensor, mask: torch.Tensor | None, queries: int) -> None:
        """Note the segments' shares of the tokens that each query can see: a query of noughts looks at all alike."""
        if self.tokens is None:
            nought = key.new_zeros(key.shape[0], 1, queries, key.shape[-1])
            self.tokens = _masses(nought, key[:, :1], mask, 1.0, self.segments)[:, 0]


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    allocation: Request | None = None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Plain scaled-dot-product attention, which on the way is asked where it looks."""
    if allocation is None:
        raise NotThroughTheInterface(
            f"{type(module).__name__} does not hand keyword arguments on to its attention function, so that nothing can"
            " be asked of it"
        )
    changing = [name for name in _CHANGING if options.get(name) is not None]
    if changing:
        raise NotThroughTheInterface(
            f"{type(module).__name__}: its attention uses {changing[0]!r}, which scaled-dot-product attention has not"
        )

    def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)[0]

    layer = int(module.layer_idx)  # type: ignore[arg-type]  # every attention module of transformers has one
    if layer not in allocation.layers or layer in allocation.signed:  # a differential layer comes here twice
        return plain(query, key, value), None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    allocation.follow(query.device)
    subtraction = known_subtraction_of(module)
    shares = None
    allocation.check_mask(attention_mask)
    riding = _all_can_ride_along(query, scaling, subtraction is not None, allocation)
    if riding:
        output, masses = _riding_along(plain, query, key, value, allocation.segments)
        allocation.see(key, attention_mask, query.shape[2])
    else:
        output = plain(query, key, value)
        masses, shares = _apart(module, subtraction, query, key, attention_mask, scale, allocation)
    if subtraction is not None and shares is None:
        first, second = subtraction.parts(masses) if riding else masses.chunk(2, dim=1)
        masses = first - subtraction.factor(module, allocation.heads).float() * second
    allocation.signed[layer] = masses
    allocation.shares[layer] = masses if shares is None else shares
    return output, None


AttentionInterface.register(IMPLEMENTATION, _attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)


def _all_can_ride_along(query: torch.Tensor, scaling: float | None, differential: bool, request: Request) -> bool:
    """Whether what is asked can be had from the very call that makes the layer's output."""
    heads = list(range(query.shape[1] // (2 if differential else 1)))
    everything = request.positions is None and request.heads == heads  # in this order: they come out in it
    linear = not (differential and request.absolute)
    return everything and linear and scaling is not None and query.dtype == torch.float32


def _riding_along(
    plain: Callable[..., torch.Tensor],
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    segments: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The output, (batch, queries, heads, size), and the masses, (batch, heads, queries, segments), of one call.

    The segments are a few more columns of V; noughts widen Q and K to the same size, as the fused kernels want.
    """
    size, few = value.shape[-1], segments.shape[-1]
    wider = few + -few % 8
    columns = pad(segments, (0, wider - few))[:, None].expand(-1, value.shape[1], -1, -1)
    both = plain(pad(query, (0, wider)), pad(key, (0, wider)), torch.cat([value, columns], dim=-1))
    masses = both[..., size : size + few].transpose(1, 2).clone()  # a view would keep all of `both`
    return both[..., :size].contiguous(), masses


def _apart(
    module: nn.Module,
    subtraction: Subtraction | None,
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    request: Request,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The masses of the chosen heads and queries in float32, of a differential layer those of all A1 and then those of
    all A2; or, where its absolute shares are asked for, the signed masses of its pairs and those shares."""
    heads = request.heads
    if subtraction is not None:
        places = range(query.shape[1])
        heads = [places[part][head] for part in subtraction.pairs(len(places)) for head in heads]
    groups = query.shape[1] // key.shape[1]
    query, key = query[:, heads].float(), repeat_kv(key, groups)[:, heads].float()
    if request.positions is not None:
        query, mask = _looking(query, mask, request.positions, key.shape[2])
    request.see(key, mask, query.shape[2])
    if subtraction is not None and request.absolute:
        factor = subtraction.factor(module, request.heads).to(query.dtype)
        return _in_blocks(query, key, mask, scale, request.segments, factor)
    return _masses(query, key, mask, scale, request.segments), None


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
    scale: float,
    segments: torch.Tensor,
) -> torch.Tensor:
    """softmax(QKᵀ)·C, (batch, heads, queries, segments). C is widened to the size of a head: the fused kernels, which
    form no matrix, ask for that."""
    size = query.shape[-1]
    found = []
    for few in segments.split(size, dim=-1):
        values = pad(few, (0, size - few.shape[-1]))[:, None].expand(-1, query.shape[1], -1, -1)
        masses = scaled_dot_product_attention(query, key, values, mask, is_causal=mask is None, scale=scale)
        found.append(masses[..., : few.shape[-1]])
    return torch.cat(found, dim=-1)


def _in_blocks(
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    segments: torch.Tensor,
    factor: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The signed masses of A1 − λ·A2 and the shares of its absolute mass, a block of queries at a time."""
    batch, heads, queries, _ = query.shape
    length = key.shape[2]
    step = max(1, _BLOCK // (batch * heads * length))
    signed, shares = [], []
    for start in range(0, queries, step):
        block = slice(start, min(start + step, queries))
        scores = query[:, :, block] @ key.transpose(2, 3) * scale
        if mask is None:
            rows = torch.arange(block.start, block.stop, device=query.device)
            visible = torch.arange(length, device=query.device) <= rows[:, None]
        else:
            visible = mask[:, :, block]
        lowest = torch.finfo(scores.dtype).min  # not −∞: a padded query sees nothing, and must not become NaN
        first, second = scores.masked_fill_(~visible, lowest).softmax(-1).chunk(2, dim=1)
        pattern = first.sub_(second.mul_(factor))
        signed.append(pattern @ segments[:, None])
        masses = pattern.abs_() @ segments[:, None]
        shares.append(masses / pattern.sum(-1, keepdim=True))
    return torch.cat(signed, dim=2), torch.cat(shares, dim=2)
