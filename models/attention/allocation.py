"""How much attention goes to each segment of a text, at any length: no query × key matrix of the whole text is formed.

With C the (key × segment) indicator, the mass on the segments is softmax(QKᵀ)·C, so scaled-dot-product attention
computes it with C in the place of V. For a differential layer the masses of A1 and A2 are subtracted with λ, as in
`models.attention.differential`. The absolute mass has no such form; it is summed over blocks of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from models.attention.attention_errors import AttentionInterfaceBypassed, AttentionUnavailable, LayersNotObserved
from models.attention.differential import (
    attention_implementation,
    decoder_of,
    layer_count,
    pair_counts_by_layer,
)
from models.attention.mass_recorder import IMPLEMENTATION, MassRecorder
from models.attention.output_attentions import record_from_patterns

#: Kinds of layer (`layer_types` of a configuration) without a query × key pattern. `hybrid` ones have one.
_WITHOUT_PATTERN = ("conv", "linear_attention", "mamba", "mlp", "moe", "recurrent")


@dataclass(frozen=True)
class Allocation:
    """The attention that the queries of a batch pay to segments. All tensors are float32, on the model's device.

    `signed` is the mass of the pattern on each segment, (layers, batch, heads, queries, segments): it sums to 1 over
    the segments, for a differential layer to 1 − λ, and can be negative. `absolute`, of the same shape, is the share of
    the absolute mass, which sums to 1; for an ordinary layer it equals `signed`; None if it was not requested.
    `lambdas` is λ of each head and query, (layers, batch, heads, queries); None for ordinary layers. `tokens`
    is the share of the keys that a query sees, (batch, queries, segments), which sums to 1. `positions`, (batch,
    queries), is the position of each query in the text; −1 fills up rows with fewer queries, and values there are
    meaningless.
    """

    layers: tuple[int, ...]
    heads: tuple[int, ...]
    signed: torch.Tensor
    absolute: torch.Tensor | None
    tokens: torch.Tensor
    positions: torch.Tensor
    lambdas: torch.Tensor | None = None

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of `signed`, `absolute` or `tokens` over the queries, the second axis from the end."""
        real = (self.positions >= 0).to(values.dtype)
        weights = (real / real.sum(-1, keepdim=True)).unsqueeze(-1)  # (batch, queries, 1)
        if values.ndim == 5:
            weights = weights.unsqueeze(1)  # an axis for the heads
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
    """Run the decoder once over `input_ids` (batch, length) and return the attention that its queries pay to segments.

    `segments` (batch, length, segments) is the share of each token that belongs to each segment. `queries` (batch,
    length) marks the positions whose attention is counted; default: all real tokens. `attention_mask` (batch, length)
    is 0 for padding, on either side. `layers` and `heads` are numbers from 0; default: all, and of a model with
    differential and ordinary layers the differential ones. The heads of a differential layer are its pairs.
    `absolute=False` leaves out the absolute shares, which for a differential model with many queries take longer than
    the forward pass.

    Memory is linear in the length, with two exceptions. For padded rows transformers itself makes a mask of one byte
    per query and key. For architectures whose attention is not a plain one through transformers' interface, the model's
    own patterns are used, a row at a time.

    Raises `ValueError` for shapes that do not match, a row without queries, or a layer or head that does not exist;
    `AttentionUnavailable` for a model whose attention cannot be observed.
    """
    mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    queries = _real_queries(input_ids, segments, mask.bool() if queries is None else queries.bool(), mask)
    selected_layers, selected_heads = selected_layers_and_heads(model, layers, heads)
    positions = None if queries.all() else _query_positions(queries)
    masked_segments = (segments * mask.unsqueeze(-1)).float()
    query_heads = model.config.get_text_config().num_attention_heads

    def new_recorder() -> MassRecorder:
        layers, heads = frozenset(selected_layers), list(selected_heads)
        return MassRecorder(masked_segments, positions, layers, heads, absolute, query_heads)

    recorder = new_recorder()
    inputs = {
        "input_ids": input_ids,
        "attention_mask": None if mask.all() else mask,
        "position_ids": (mask.cumsum(-1) - 1).clamp(min=0),
        "use_cache": False,
    }
    try:
        with attention_implementation(model, IMPLEMENTATION):
            try:
                decoder_of(model)(**inputs, allocation=recorder)
            except TypeError as error:
                raise AttentionInterfaceBypassed(
                    f"{type(model).__name__} accepts no keyword arguments: {error}"
                ) from error
        if recorder.tokens is None or recorder.signed.keys() != set(selected_layers):
            observed = sorted(recorder.signed)
            numbers = ",".join(map(str, observed))
            raise LayersNotObserved(
                f"{type(model).__name__}: {len(observed)} of {len(selected_layers)} layers have an attention that can"
                f" be observed{f' (layers {numbers})' if observed else ''}",
                observed,
            )
    except AttentionInterfaceBypassed as error:
        recorder = new_recorder()
        record_from_patterns(model, recorder, input_ids, mask, error)
    assert recorder.tokens is not None
    device = input_ids.device
    every_position = torch.arange(input_ids.shape[1], device=device).expand_as(input_ids)
    absolute_shares = [recorder.absolute_shares[layer].to(device) for layer in selected_layers]
    return Allocation(
        layers=selected_layers,
        heads=selected_heads,
        signed=torch.stack([recorder.signed[layer].to(device) for layer in selected_layers]),
        absolute=torch.stack(absolute_shares) if absolute else None,
        tokens=recorder.tokens.to(device),
        positions=every_position if recorder.positions is None else recorder.positions.to(device),
        lambdas=_stacked(
            [recorder.lambdas[layer].to(device) for layer in selected_layers if layer in recorder.lambdas]
        ),
    )


def _stacked(layers: list[torch.Tensor]) -> torch.Tensor | None:
    return torch.stack(layers) if layers else None


def _real_queries(
    input_ids: torch.Tensor, segments: torch.Tensor, queries: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return `queries` without padding. Raises `ValueError` for shapes that do not match and a row without queries."""
    shape = tuple(input_ids.shape)
    for name, tensor, expected in (
        ("attention_mask", mask, shape),
        ("queries", queries, shape),
        ("segments", segments, (*shape, segments.shape[-1])),
    ):
        if tuple(tensor.shape) != expected:
            raise ValueError(f"{name}: expected the shape {expected} of input_ids, got {tuple(tensor.shape)}")
    queries = queries & mask.bool()
    empty = (~queries.any(-1)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"queries: expected at least one real token in each row, got none in row {empty[0]}")
    return queries


def selected_layers_and_heads(
    model: PreTrainedModel, layers: Sequence[int] | None, heads: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the selected layers and heads.

    None selects all heads, and all layers; if some layers are differential and some are not, it selects the
    differential ones. Raises `ValueError` for a layer or head that `model` does not have, and for a mix of differential
    and ordinary layers. Raises `AttentionUnavailable` for a model without attention heads.
    """
    all_layers, all_heads = layer_count(model), getattr(model.config.get_text_config(), "num_attention_heads", 0)
    if not all_layers or not isinstance(all_heads, int) or not all_heads:
        raise AttentionUnavailable(f"{type(model).__name__}: expected a model with layers of attention heads")
    pairs = pair_counts_by_layer(model)
    selected = _selected("layer", sorted(pairs) if layers is None and pairs else layers, all_layers)
    counts = {layer: pairs.get(layer, all_heads) for layer in selected}
    if len({(layer in pairs, count) for layer, count in counts.items()}) > 1:
        raise ValueError(
            f"layers {','.join(map(str, selected))}: expected only differential or only ordinary layers; differential"
            f" are: {','.join(map(str, sorted(pairs)))} (of 0 to {all_layers - 1})"
        )
    return selected, _selected("head", heads, counts[selected[0]])


def attention_layer_numbers(model: PreTrainedModel) -> tuple[int, ...]:
    """Return the numbers of the layers that attend. A model that mixes them with others, such as state spaces, names
    the kind of each in its configuration as `layer_types`.

    Raises `AttentionUnavailable` for a model without attention heads, or without such a layer.
    """
    selected_layers_and_heads(model, None, None)
    kinds = getattr(model.config.get_text_config(), "layer_types", None) or [""] * layer_count(model)
    numbers = tuple(number for number, kind in enumerate(kinds) if kind not in _WITHOUT_PATTERN)
    if not numbers:
        raise AttentionUnavailable(f"{type(model).__name__}: none of its layers is of a kind that attends")
    return numbers


def _selected(kind: str, numbers: Sequence[int] | None, count: int) -> tuple[int, ...]:
    selected = tuple(range(count)) if numbers is None else tuple(numbers)
    if not selected:
        raise ValueError(f"{kind}s: expected at least one, got none")
    for number in selected:
        if not 0 <= number < count:
            raise ValueError(f"{kind} {number}: the model has {kind}s 0 to {count - 1}")
    return selected


def _query_positions(queries: torch.Tensor) -> torch.Tensor:
    """Return the positions of each row's queries, (batch, largest number of queries in a row), filled up with −1."""
    most = int(queries.sum(-1).max())
    order = torch.argsort(queries.int(), dim=-1, descending=True, stable=True)[:, :most]
    return torch.where(queries.gather(-1, order), order, -1)
