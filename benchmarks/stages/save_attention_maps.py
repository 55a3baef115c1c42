"""The attention patterns that a cell keeps to be drawn: which heads, and the files they are saved in."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.segmented_text import SEGMENTS, segmented
from noise.problems.problem import NoisyProblem
from reports.store.records import AttentionReading, Cell

if TYPE_CHECKING:  # torch stays out of collection
    from benchmarks.engines.engine import AskedModel
    from benchmarks.runner import Runner
    from models.loading.load_model import LoadedModel
    from reports.plots.attention_maps import AttentionMap

#: The segment that a map's head is chosen by, with noise and without, in words.
_CHOSEN_FOR = {"ni": "highest lift of the noise", "kmi": "highest lift of the key information"}


def chosen_by(readings: Sequence[AttentionReading]) -> str:
    """Return the segment that a head is chosen by: the noise, or the key information if there is no noise."""
    return "ni" if any(reading.spans for reading in readings if reading.outcome == "measured") else "kmi"


def highest_lift_head(readings: Sequence[AttentionReading]) -> tuple[int, int]:
    """Return the layer and head with the highest lift of the segment of `chosen_by`."""
    import numpy

    measured = [reading for reading in readings if reading.outcome == "measured"]
    segment = SEGMENTS.index(chosen_by(measured))
    lifts = [
        numpy.array(reading.absolute)[:, :, segment] / reading.tokens[segment]
        for reading in measured
        if reading.tokens[segment] > 0
    ]
    if not lifts:
        raise ValueError(f"no reading has a token of {SEGMENTS[segment]!r}: there is no head to choose")
    layer, head = divmod(int(numpy.mean(lifts, axis=0).argmax()), len(measured[0].heads))
    return measured[0].layers[layer], measured[0].heads[head]


def mapped_heads(readings: Sequence[AttentionReading], named: bool) -> list[tuple[int, int]]:
    """Return the (layer, head) pairs whose maps are kept: all measured ones if `named`, else the one of highest lift.

    That one comes last, as the last map of a model is the one drawn next to another model's. Empty if nothing was
    measured.
    """
    measured = [reading for reading in readings if reading.outcome == "measured"]
    if not measured:
        return []
    best = highest_lift_head(measured)
    if not named:
        return [best]
    pairs = [(layer, head) for layer in measured[0].layers for head in measured[0].heads]
    return [*(pair for pair in pairs if pair != best), best]


def maps_of(
    loaded: LoadedModel,
    cell: Cell,
    noisy: NoisyProblem,
    number: int,
    layer_heads: Sequence[tuple[int, int]],
    chosen_for: str = "",
) -> list[AttentionMap]:
    """Return the pattern of each of `layer_heads` for a problem, number `number` of those whose maps are kept.

    `chosen_for` says why the last head was chosen. A pattern covers the prompt and the worked answer, query × key; of a
    differential model it is A1 − λ·A2.
    """
    import torch

    from models.attention.differential import (
        AttentionUnavailable,
        decoder_of,
        differential_attention,
        lambda_depends_on_text,
        lambdas,
        layer_count,
        pair_counts_by_layer,
    )
    from reports.plots.attention_maps import AttentionMap

    differential, by_token = sorted(pair_counts_by_layer(loaded.model)), lambda_depends_on_text(loaded.model)
    by_layer = {} if by_token else dict(zip(differential, lambdas(loaded.model).tolist(), strict=True))
    text = segmented(loaded, noisy, "answer")
    with torch.inference_mode(), differential_attention(loaded.model) as model:
        ids = torch.tensor([text.ids], device=loaded.device)
        patterns = decoder_of(model)(ids, use_cache=False, output_attentions=True).attentions
    if not patterns or len(patterns) != layer_count(loaded.model):
        raise AttentionUnavailable(f"{loaded.spec.name} does not return the pattern of every layer, so no map is drawn")
    overall = _overall(patterns, text.queries)
    mean_token_lambdas = _mean_token_lambdas([patterns[layer] for layer in differential]) if by_token else None
    return [
        AttentionMap(
            model=cell.model,
            noise=cell.noise,
            stage=cell.stage,
            number=number,
            id=noisy.problem.id,
            layer=layer,
            head=head,
            signed=layer in differential,
            tokens=text.tokens,
            kinds=text.kinds(),
            pattern=patterns[layer][0, head].float().cpu().numpy(),
            lambda_=by_layer.get(layer),
            overall=overall,
            chosen_for=chosen_for if (layer, head) == layer_heads[-1] else "",
            mean_token_lambdas=mean_token_lambdas,
        )
        for layer, head in layer_heads
    ]


def _overall(patterns: Sequence[Any], queries: Any) -> tuple[float, ...]:
    """Return each token's share of the absolute attention of these queries, averaged over queries, layers and heads."""
    shares = [pattern[0, :, queries].float().abs().cpu() for pattern in patterns]  # (heads, queries, keys)
    means = [(share / share.sum(dim=-1, keepdim=True)).mean(dim=(0, 1)) for share in shares]
    return tuple(round(float(value), 6) for value in sum(means) / len(means))


def _mean_token_lambdas(patterns: Sequence[Any]) -> tuple[float, ...]:
    """Return λ of each token, averaged over layers and heads: what its row of a pattern lacks to 1."""
    means = [(1 - pattern[0].float().sum(-1)).mean(0).cpu() for pattern in patterns]
    return tuple(round(float(value), 6) for value in sum(means) / len(means))


def keep_maps(
    runner: Runner,
    cell: Cell,
    loaded: AskedModel,
    samples: Mapping[int, NoisyProblem],
    readings: Sequence[AttentionReading],
) -> None:
    """Save the patterns that a cell keeps to be drawn, unless they are there, and remove its other ones.

    They are those of `samples`, by number, of the heads that the plan names, or else of the one that attends most to
    the noise. The readings of a cell are of one model, so patterns that are there are of these weights. A shard chooses
    the head over its own readings, which the map says, and leaves the maps of other numbers to the other shards.
    """
    from models.attention.attention_errors import AttentionUnavailable
    from reports.plots.attention_maps import keep_only, load_map, map_path, save_map

    folder, scope, shard = runner.experiment.results.folder, runner.plan.attention_scope, runner.plan.shard
    numbers = None if shard.is_whole else list(samples)
    heads = mapped_heads(readings, named=scope.layers is not None or scope.heads is not None)
    if not samples or not heads:
        return
    wanted = {
        map_path(folder, cell, number, layer, head): noisy.problem.id
        for number, noisy in samples.items()
        for layer, head in heads
    }
    if all(path.exists() and load_map(path).id == id for path, id in wanted.items()):
        keep_only(folder, cell.model, cell.stage, cell.noise, list(wanted), numbers)
        return
    kept = list[Path]()
    chosen_for = _CHOSEN_FOR[chosen_by(readings)] + ("" if shard.is_whole else f" in shard {shard}")
    try:
        for number, noisy in samples.items():
            maps = runner.engine.call(loaded, maps_of, cell, noisy, number, heads, chosen_for)
            kept += [save_map(folder, attention_map) for attention_map in maps]
    except AttentionUnavailable as error:  # what was measured stands
        warnings.warn(str(error), stacklevel=1)
        return
    keep_only(folder, cell.model, cell.stage, cell.noise, kept, numbers)
