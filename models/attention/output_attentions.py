"""The masses of attention on segments out of the patterns that a model itself gives out, for architectures whose
attention is not plain scaled-dot-product attention through transformers' interface: soft caps, sinks, biases, or code
of their own. A query × key matrix of one row of the batch is formed in each layer."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from models.attention.differential import decoder_of, differential_attention, layers_of
from models.attention.segment_mass import Request
from models.attention.subtraction import AttentionUnavailable, NotThroughTheInterface, subtracts


def take_from_patterns(
    model: PreTrainedModel,
    request: Request,
    input_ids: torch.Tensor,
    mask: torch.Tensor,
    refusal: NotThroughTheInterface,
) -> None:
    """Fill in `request` from the attentions of `model`, over the tokens (batch, length) that `mask` says are real.

    Which keys a query can see is taken from the patterns as well: those that some head gives a weight. Raises `refusal`
    for a model that gives none out, or that gives out patterns which are not what it applies: a differential one, and
    one whose patterns look ahead; `AttentionUnavailable` for layers that see different keys.
    """
    if subtracts(model):
        raise refusal
    rows = [_of_row(model, request, input_ids[row], mask[row], row, refusal) for row in range(len(input_ids))]
    request.tokens = torch.cat([tokens for tokens, _, _ in rows])
    for layer in request.layers:
        request.signed[layer] = torch.cat([signed[layer] for _, signed, _ in rows])
        request.shares[layer] = torch.cat([shares[layer] for _, _, shares in rows])


def _of_row(
    model: PreTrainedModel,
    request: Request,
    input_ids: torch.Tensor,
    mask: torch.Tensor,
    row: int,
    refusal: NotThroughTheInterface,
) -> tuple[torch.Tensor, dict[int, torch.Tensor], dict[int, torch.Tensor]]:
    """Of one row, without its padding: token shares (1, queries, segments), and by layer the signed masses and the
    shares of the absolute mass, (1, heads, queries, segments)."""
    real = mask.bool()
    patterns = _patterns(model, input_ids[real], refusal)
    segments = request.segments[row, real]
    visible = _visible([patterns[layer][0] for layer in sorted(request.layers)], refusal)
    seen = visible.float() @ segments
    tokens = seen / seen.sum(-1, keepdim=True)
    length = len(input_ids)
    places = torch.arange(length, device=real.device) if request.positions is None else request.positions[row]
    looking = (real.cumsum(0) - 1)[places.clamp(min=0)].clamp(min=0)  # where in the unpadded row each query is
    signed, shares = {}, {}
    for layer in request.layers:
        pattern = patterns[layer][0, request.heads].float()[:, looking]
        masses = pattern @ segments
        signed[layer] = masses[None]
        shares[layer] = (masses / pattern.sum(-1, keepdim=True))[None]
    return tokens[looking][None], signed, shares


def _visible(patterns: list[torch.Tensor], refusal: NotThroughTheInterface) -> torch.Tensor:
    """(query, key): which keys are seen, the same in all layers."""
    seen = [(pattern != 0).any(0).cpu() for pattern in patterns]
    if any(some.triu(1).any() for some in seen):
        raise AttentionUnavailable(
            "the patterns that the model gives out look at tokens that are still to come, which a causal one cannot"
        ) from refusal
    if not all(torch.equal(some, seen[0]) for some in seen):
        raise AttentionUnavailable(
            "the layers see different keys (a sliding window in some of them): choose layers of one kind"
            " (--attention-layers)"
        ) from refusal
    return seen[0].to(patterns[0].device)


def _patterns(model: PreTrainedModel, ids: torch.Tensor, refusal: NotThroughTheInterface) -> Any:
    """(1, heads, query, key) of each layer, by the model's own explicit attention."""
    try:
        with differential_attention(model):
            found = decoder_of(model)(input_ids=ids[None], use_cache=False, output_attentions=True)
    except (AttentionUnavailable, TypeError, ValueError) as error:
        raise refusal from error
    patterns = getattr(found, "attentions", None)
    if not patterns or len(patterns) != layers_of(model) or any(one is None or one.ndim != 4 for one in patterns):
        raise refusal
    return patterns
