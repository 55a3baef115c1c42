"""Stage `attention`: where each head of a model looks while the worked answer of a problem is read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.attention_scope import AttentionScope
from benchmarks.evaluation import one_by_one_on_error, settings_of
from benchmarks.needles import DEPTHS, NEEDLE, NEEDLE_PARTS, needles
from benchmarks.segmented_text import GRID_PARTS, SEGMENTS, Parts, SegmentedText, segmented
from benchmarks.stages.stage import NothingToMeasure, Stage
from noise.problems.problem import NoisyProblem
from reports.experiment import Experiment
from reports.stages import REPORTED_STAGES
from reports.store.records import AttentionReading, Cell, Settings

if TYPE_CHECKING:  # torch stays out of collection
    from benchmarks.runner import Runner
    from models.loading.load_model import LoadedModel

#: Part of every reading's key: raise it when a change here, in the segments or in the allocation can change a figure.
ATTENTION_VERSION = "2"
#: Texts read at once, at the most: padding and masks of a larger batch cost more than they save.
_MOST_TEXTS = 16


class AttentionScopeError(ValueError):
    """A layer or head was asked for that the model does not have."""


def measure_attention(
    experiment: Experiment,
    loaded: LoadedModel,
    cell: Cell,
    asked: Sequence[NoisyProblem],
    source: str,
    scope: AttentionScope,
    batch_size: int = 64,
    parts: Parts = GRID_PARTS,
) -> dict[str, AttentionReading]:
    """The readings of `cell` by problem id: those on disk, and the missing ones made now, on disk as batches end.

    A batch that fails is read again one problem at a time; a problem that fails alone gets the outcome `error`. Raises
    `AttentionScopeError` for a layer or head that the model does not have, `AttentionUnavailable` for a model whose
    attention cannot be observed, and what `Results.read` raises.
    """
    from models.attention.allocation import selected_layers_and_heads
    from models.attention.differential import AttentionUnavailable, is_differential
    from models.decode.generation import batches

    def read(some: Sequence[NoisyProblem]) -> list[AttentionReading]:
        return read_attention(loaded, some, scope, parts)

    try:
        selected_layers_and_heads(loaded.model, scope.layers, scope.heads)
    except ValueError as error:
        pair = "; a differential head is a pair of the configuration's" if is_differential(loaded.model) else ""
        raise AttentionScopeError(f"{loaded.spec.name}: {error}{pair}") from None
    texts = {problem.problem.id: f"{problem.question}\n{problem.problem.answer}" for problem in asked}
    with experiment.cell(cell, attention_settings(loaded, source, scope), texts) as opened:
        missing = [problem for problem in asked if problem.problem.id not in opened.records]
        for indices in batches(loaded, [problem.question for problem in missing], min(batch_size, _MOST_TEXTS)):
            batch = [missing[index] for index in indices]
            opened.append(one_by_one_on_error(batch, read, _failed, AttentionUnavailable))
    return {id: reading for id, reading in opened.records.items() if isinstance(reading, AttentionReading)}


def attention_settings(loaded: LoadedModel, source: str, scope: AttentionScope) -> Settings:
    """What a reading of this model depends on besides the problem's text. Nothing is generated."""
    key = settings_of(loaded, source, max_new_tokens=0)
    return replace(key, stop="", generation=ATTENTION_VERSION, attention=str(scope))


def read_attention(
    loaded: LoadedModel, batch: Sequence[NoisyProblem], scope: AttentionScope, parts: Parts = GRID_PARTS
) -> list[AttentionReading]:
    """One reading for each problem of `batch`, in their order, from one forward pass."""
    from models.attention.allocation import attention_allocation
    from models.attention.differential import is_differential, lambdas
    from models.decode.generation import threads_for

    texts = [segmented(loaded, noisy, scope.queries, parts) for noisy in batch]
    with threads_for(loaded):
        found = attention_allocation(loaded.model, **_padded(loaded, texts), layers=scope.layers, heads=scope.heads)
    assert found.absolute is not None
    signed, absolute, tokens = (found.mean(values).cpu() for values in (found.signed, found.absolute, found.tokens))
    if not (signed.isfinite().all() and absolute.isfinite().all()):
        raise ValueError(
            f"the attention of {loaded.spec.name!r} in {loaded.precision} is not finite; try --dtype float32"
        )
    by_layer = lambdas(loaded.model)[list(found.layers)].tolist() if is_differential(loaded.model) else None
    return [
        AttentionReading(
            id=noisy.problem.id,
            question=noisy.question,
            spans=noisy.spans,
            outcome="measured",
            queries=int(text.queries.sum()),
            segments=parts.names,
            layers=found.layers,
            heads=found.heads,
            tokens=tuple(tokens[row].tolist()),
            signed=_nested(signed[:, row]),
            absolute=_nested(absolute[:, row]),
            lambdas=None if by_layer is None else tuple(by_layer),
            gold=noisy.problem.answer,
        )
        for row, (noisy, text) in enumerate(zip(batch, texts, strict=True))
    ]


def _nested(values: Any) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple(tuple(head) for head in layer) for layer in values.tolist())


def _failed(noisy: NoisyProblem, error: str) -> AttentionReading:
    return AttentionReading(
        id=noisy.problem.id,
        question=noisy.question,
        spans=noisy.spans,
        outcome="error",
        queries=0,
        segments=(),
        layers=(),
        heads=(),
        tokens=(),
        signed=(),
        absolute=(),
        lambdas=None,
        gold=noisy.problem.answer,
        error=error,
    )


def _padded(loaded: LoadedModel, texts: Sequence[SegmentedText]) -> dict[str, Any]:
    """The texts as one batch, padded on the left: `input_ids`, `segments`, `queries` and `attention_mask`."""
    import torch
    from torch.nn.functional import pad

    longest = max(map(len, texts))
    filler = loaded.tokenizer.pad_token_id or 0
    columns: dict[str, list[torch.Tensor]] = {"input_ids": [], "segments": [], "queries": [], "attention_mask": []}
    for text in texts:
        left = longest - len(text)
        columns["input_ids"].append(pad(torch.tensor(text.ids), (left, 0), value=filler))
        columns["segments"].append(pad(text.shares, (0, 0, left, 0)))
        columns["queries"].append(pad(text.queries, (left, 0)))
        columns["attention_mask"].append(pad(torch.ones(len(text), dtype=torch.long), (left, 0)))
    return {name: torch.stack(rows).to(loaded.device) for name, rows in columns.items()}


def most_telling_head(readings: Sequence[AttentionReading]) -> tuple[int, int]:
    """The layer and head that look most at the noise for its length; where there is none, at the key information."""
    import numpy

    measured = [reading for reading in readings if reading.outcome == "measured"]
    segment = SEGMENTS.index("ni" if any(reading.spans for reading in measured) else "kmi")
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
    """Of which (layer, head) maps are kept: all that were measured if they were `named`, else the most telling one.

    The most telling one comes last: beside another model's map the last one stands. Empty where nothing was measured.
    """
    measured = [reading for reading in readings if reading.outcome == "measured"]
    if not measured:
        return []
    telling = most_telling_head(measured)
    if not named:
        return [telling]
    places = [(layer, head) for layer in measured[0].layers for head in measured[0].heads]
    return [*(place for place in places if place != telling), telling]


def save_maps(
    folder: Path,
    loaded: LoadedModel,
    cell: Cell,
    samples: Sequence[NoisyProblem],
    places: Sequence[tuple[int, int]],
) -> list[Path]:
    """Keeps the pattern of each (layer, head) of `places` for each of `samples`, to be drawn when the run ends.

    The pattern is over the prompt and the worked answer, query × key: A1 − λ·A2 for a differential model.
    """
    import torch

    from models.attention.differential import (
        AttentionUnavailable,
        decoder_of,
        differential_attention,
        is_differential,
        lambdas,
        layer_count,
    )
    from reports.plots.attention_maps import AttentionMap, save_map

    saved = []
    by_layer = lambdas(loaded.model).tolist()
    for number, noisy in enumerate(samples):
        text = segmented(loaded, noisy, "answer")
        with torch.inference_mode(), differential_attention(loaded.model) as model:
            ids = torch.tensor([text.ids], device=loaded.device)
            patterns = decoder_of(model)(ids, use_cache=False, output_attentions=True).attentions
        if not patterns or len(patterns) != layer_count(loaded.model):
            raise AttentionUnavailable(f"{loaded.spec.name} gives out no pattern for each layer: no map is drawn")
        overall = _overall(patterns, text.queries)
        for layer, head in places:
            drawn = AttentionMap(
                model=cell.model,
                noise=cell.noise,
                stage=cell.stage,
                number=number,
                id=noisy.problem.id,
                layer=layer,
                head=head,
                signed=is_differential(loaded.model),
                tokens=text.tokens,
                kinds=text.kinds(),
                pattern=patterns[layer][0, head].float().cpu().numpy(),
                lambda_=by_layer[layer] if by_layer else None,
                overall=overall,
            )
            saved.append(save_map(folder, drawn))
    return saved


def _overall(patterns: Sequence[Any], queries: Any) -> tuple[float, ...]:
    """Each token's share of the absolute attention that these queries pay, mean over them, all layers and heads."""
    shares = [pattern[0, :, queries].float().abs().cpu() for pattern in patterns]  # (heads, queries, keys)
    means = [(share / share.sum(dim=-1, keepdim=True)).mean(dim=(0, 1)) for share in shares]
    return tuple(round(float(value), 6) for value in sum(means) / len(means))


def _run(runner: Runner, cell: Cell) -> dict[str, AttentionReading]:
    """Return the readings of a cell, and leave its maps; of a needle's cell, those at every depth."""
    if cell.noise == NEEDLE:
        return _run_needles(runner, cell)
    plan, loaded, questions = runner.plan, runner.model_of(cell), runner.questions(cell)
    readings = measure_attention(
        runner.experiment, loaded, cell, questions, runner.eval_set.source, plan.attention_scope, plan.rows
    )
    _keep_maps(runner, cell, loaded, questions[: plan.attention_maps], list(readings.values()))
    return readings


def _run_needles(runner: Runner, cell: Cell) -> dict[str, AttentionReading]:
    """Return the readings of a needle among distractors by depth and problem: `25 mine-00001`."""
    plan, readings = runner.plan, dict[str, AttentionReading]()
    if plan.noisy_folder is not None:
        raise NothingToMeasure("noisy problems are read from files, and a needle needs noise drawn around it")
    for depth in DEPTHS:
        texts = needles(plan.sample(runner.eval_set.problems, cell.stage), depth, plan.seed)
        if texts:
            at_depth = Cell(cell.model, f"{cell.noise}{depth}", cell.stage)
            loaded, source = runner.model_of(cell), runner.eval_set.source
            of_depth = measure_attention(
                runner.experiment, loaded, at_depth, texts, source, plan.attention_scope, plan.rows, NEEDLE_PARTS
            )
            readings |= {f"{depth} {id}": reading for id, reading in of_depth.items()}
    if not readings:
        raise NothingToMeasure("no problem has a sentence of its own before the one that asks")
    return readings


def _keep_maps(
    runner: Runner,
    cell: Cell,
    loaded: LoadedModel,
    samples: Sequence[NoisyProblem],
    readings: Sequence[AttentionReading],
) -> None:
    """Save the patterns that a cell keeps to be drawn, in place of earlier ones: of `samples`, and of the heads that
    were named, or else of the one that attends most to the noise."""
    from models.attention.attention_errors import AttentionUnavailable
    from reports.plots.attention_maps import keep_only

    folder, scope = runner.experiment.results.folder, runner.plan.attention_scope
    heads = mapped_heads(readings, named=scope.layers is not None or scope.heads is not None)
    if not samples or not heads:
        return
    try:
        kept = save_maps(folder, loaded, cell, samples, heads)
    except AttentionUnavailable as error:  # what was measured stands
        warnings.warn(str(error), stacklevel=1)
        return
    keep_only(folder, cell.model, cell.stage, cell.noise, kept)


ATTENTION = Stage.of(
    REPORTED_STAGES["attention"],
    run=_run,
    models="both",
    samples=lambda plan: plan.attention_samples,
    draws=lambda plan: 1,
    skip_help="leave out the stage attention",
)
