"""The masses of attention on segments out of the patterns that a model itself gives out, for architectures whose
attention is not plain scaled-dot-product attention through transformers' interface: soft caps, sinks, biases, or code
of their own. A query × key matrix of one row of the batch is formed in each layer."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from models.differential import differential_attention
from models.segment_masses import Request
from models.subtraction import AttentionUnavailable, NotThroughTheInterface, subtracts


def take_from_patterns(
    model: PreTrainedModel,
    request: Request,
    input_ids: torch.Tensor,
    mask: torch.Tensor,
    refusal: NotThroughTheInterface,
) -> None:
    """Fill in `request` from the attentions of `model`, over the tokens (batch, length) that `mask` says are real.

    Raises `refusal` for a model that gives none out, or that gives out patterns which are not what it applies: a
    differential one; `AttentionUnavailable` for layers that see different keys.
    """
    if subtracts(model):
        raise refusal
    window = getattr(model.config.get_text_config(), "sliding_window", None)
    if window is not None and input_ids.shape[1] > window:
        raise AttentionUnavailable(
            f"{type(model).__name__}: a text of {input_ids.shape[1]} tokens is longer than the window of {window} that"
            " some of its layers see"
        ) from refusal
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
    before = torch.tril(torch.ones(len(segments), len(segments), device=segments.device)) @ segments
    tokens = before / before.sum(-1, keepdim=True)
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


def _patterns(model: PreTrainedModel, ids: torch.Tensor, refusal: NotThroughTheInterface) -> Any:
    """(1, heads, query, key) of each layer, by the model's own explicit attention."""
    try:
        with differential_attention(model):
            found = model.get_decoder()(input_ids=ids[None], use_cache=False, output_attentions=True)
    except (AttentionUnavailable, TypeError, ValueError) as error:
        raise refusal from error
    patterns = getattr(found, "attentions", None)
    layers = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    if not patterns or len(patterns) != layers or any(pattern is None or pattern.ndim != 4 for pattern in patterns):
        raise refusal
    return patterns
