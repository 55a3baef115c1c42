"""Stage `attention`: how much each head attends to each segment while the model reads the worked answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.attention_scope import AttentionScope
from benchmarks.engines.engine import Ask, AskedModel, Engine
from benchmarks.engines.local_engine import LOCAL
from benchmarks.evaluation import missing_from, question_length, record_as_they_come, retry_one_by_one, settings_of
from benchmarks.needles import DEPTHS, NEEDLE, NEEDLE_PARTS, needles
from benchmarks.segmented_text import GRID_PARTS, Parts, SegmentedText, segmented
from benchmarks.stages.save_attention_maps import keep_maps
from benchmarks.stages.stage import NothingToMeasure, Stage
from noise.problems.problem import NoisyProblem
from reports.experiment import Experiment
from reports.stages import REPORTED_STAGES
from reports.store.records import AttentionReading, Cell, Settings

if TYPE_CHECKING:  # torch stays out of collection
    from transformers import PreTrainedModel

    from benchmarks.plan import Plan
    from benchmarks.runner import Runner
    from models.attention.allocation import Allocation
    from models.loading.load_model import LoadedModel
    from models.model_registry import ModelSpec

#: Part of every reading's key. Raise it when a change here, in the segments or in the allocation can change a figure.
ATTENTION_VERSION = "2"
#: The largest batch of texts: padding and masks of a larger one cost more than it saves.
_LARGEST_BATCH = 16


class AttentionScopeError(ValueError):
    """A layer or head was asked for that the model does not have."""


def measure_attention(
    experiment: Experiment,
    loaded: AskedModel,
    cell: Cell,
    noisy_problems: Sequence[NoisyProblem],
    source: str,
    scope: AttentionScope,
    batch_size: int = 64,
    parts: Parts = GRID_PARTS,
    engine: Engine = LOCAL,
) -> dict[str, AttentionReading]:
    """Return the readings of `cell` by problem id: those on disk, and the missing ones, written as they complete.

    After a failure the problems of a batch are read one at a time; a problem that fails alone gets the outcome `error`.

    Raises `AttentionScopeError` for a layer or head that the model does not have, `AttentionUnavailable` for a model
    whose attention cannot be observed, and what `Results.read_for_resume` raises.
    """
    engine.call(loaded, _check_scope_of, scope)
    texts = {problem.problem.id: f"{problem.question}\n{problem.problem.answer}" for problem in noisy_problems}
    with experiment.cell(cell, attention_settings(loaded, source, scope), texts) as recorder:
        missing = missing_from(recorder, noisy_problems)
        record_as_they_come(recorder, engine.records(loaded, READINGS, missing, scope, parts, batch_size))
    return {id: reading for id, reading in recorder.records.items() if isinstance(reading, AttentionReading)}


def _read_batches(
    loaded: LoadedModel, noisy_problems: Sequence[NoisyProblem], scope: AttentionScope, parts: Parts, batch_size: int
) -> Iterator[list[AttentionReading]]:
    from models.attention.differential import AttentionUnavailable
    from models.decode.generation import batches

    def read(problems: Sequence[NoisyProblem]) -> list[AttentionReading]:
        return read_attention(loaded, problems, scope, parts)

    for indices in batches(loaded, [noisy.question for noisy in noisy_problems], min(batch_size, _LARGEST_BATCH)):
        yield retry_one_by_one([noisy_problems[index] for index in indices], read, _failed, AttentionUnavailable)


def _check_scope_of(loaded: LoadedModel, scope: AttentionScope) -> None:
    _check_scope(loaded.model, loaded.spec, scope)


def _check_scope(model: PreTrainedModel, spec: ModelSpec, scope: AttentionScope) -> None:
    """Raise `AttentionScopeError` for a layer or head that `model`, with weights or without, does not have."""
    from models.attention.allocation import selected_layers_and_heads
    from models.attention.differential import is_differential

    try:
        selected_layers_and_heads(model, scope.layers, scope.heads)
    except ValueError as error:
        pair = "; a differential head is a pair of the configuration's" if is_differential(model) else ""
        raise AttentionScopeError(f"{spec.name}: {error}{pair}") from None


def _check(plan: Plan, spec: ModelSpec) -> None:
    """Check the layers and heads of the plan, if it names some."""
    from models.loading.load_model import without_weights

    if plan.attention_scope.layers is not None or plan.attention_scope.heads is not None:
        _check_scope(without_weights(spec), spec, plan.attention_scope)


def attention_settings(loaded: AskedModel, source: str, scope: AttentionScope) -> Settings:
    """Return what a reading of this model depends on besides the problem's text; nothing is generated."""
    key = settings_of(loaded, source, max_new_tokens=0)
    return replace(key, stop="", generation=ATTENTION_VERSION, attention=str(scope))


def read_attention(
    loaded: LoadedModel, batch: Sequence[NoisyProblem], scope: AttentionScope, parts: Parts = GRID_PARTS
) -> list[AttentionReading]:
    """Return one reading for each problem of `batch`, in order, from one forward pass."""
    from models.attention.allocation import attention_allocation
    from models.attention.differential import lambda_depends_on_text
    from models.decode.generation import threads_for

    texts = [segmented(loaded, noisy, scope.queries, parts) for noisy in batch]
    with threads_for(loaded):
        allocation = attention_allocation(
            loaded.model, **_padded(loaded, texts), layers=scope.layers, heads=scope.heads
        )
    assert allocation.absolute is not None
    masses = (allocation.signed, allocation.absolute, allocation.tokens)
    signed, absolute, tokens = (allocation.mean(values).cpu() for values in masses)
    if not (signed.isfinite().all() and absolute.isfinite().all()):
        raise ValueError(
            f"the attention of {loaded.spec.name!r} in {loaded.precision} is not finite; try dtype float32"
        )
    lambdas, spreads = _lambdas_of(allocation)
    if not lambda_depends_on_text(loaded.model):
        spreads = None
    return [
        AttentionReading(
            id=noisy.problem.id,
            question=noisy.question,
            spans=noisy.spans,
            outcome="measured",
            queries=int(text.queries.sum()),
            segments=parts.names,
            layers=allocation.layers,
            heads=allocation.heads,
            tokens=tuple(tokens[row].tolist()),
            signed=_nested(signed[:, row]),
            absolute=_nested(absolute[:, row]),
            lambdas=None if lambdas is None else tuple(lambdas[:, row].tolist()),
            gold=noisy.problem.answer,
            lambda_stds=None if spreads is None else tuple(spreads[:, row].tolist()),
        )
        for row, (noisy, text) in enumerate(zip(batch, texts, strict=True))
    ]


def _lambdas_of(allocation: Allocation) -> tuple[Any, Any]:
    """Return the mean and the standard deviation of λ over the heads and queries of a text, both (layers, batch); None
    and None for ordinary layers."""
    import torch

    if allocation.lambdas is None:
        return None, None
    values = allocation.lambdas.double()  # (layers, batch, heads, queries)
    real = (allocation.positions >= 0)[None, :, None].expand_as(values)  # other values are meaningless
    count = real.sum((2, 3))
    means = torch.where(real, values, 0.0).sum((2, 3)) / count
    variances = torch.where(real, (values - means[..., None, None]) ** 2, 0.0).sum((2, 3)) / count
    return means.cpu(), variances.sqrt().cpu()


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


#: How the readings of a cell are got.
READINGS = Ask(_read_batches, _failed, question_length)


def _padded(loaded: LoadedModel, texts: Sequence[SegmentedText]) -> dict[str, Any]:
    """Return the texts as one batch, padded on the left: `input_ids`, `segments`, `queries` and `attention_mask`."""
    import torch
    from torch.nn.functional import pad

    longest = max(map(len, texts))
    padding = loaded.tokenizer.pad_token_id or 0
    columns: dict[str, list[torch.Tensor]] = {"input_ids": [], "segments": [], "queries": [], "attention_mask": []}
    for text in texts:
        left = longest - len(text)
        columns["input_ids"].append(pad(torch.tensor(text.ids), (left, 0), value=padding))
        columns["segments"].append(pad(text.shares, (0, 0, left, 0)))
        columns["queries"].append(pad(text.queries, (left, 0)))
        columns["attention_mask"].append(pad(torch.ones(len(text), dtype=torch.long), (left, 0)))
    return {name: torch.stack(rows).to(loaded.device) for name, rows in columns.items()}


def _run(runner: Runner, cell: Cell) -> dict[str, AttentionReading]:
    """Return the readings of a cell, and leave its maps; of a needle's cell, those at every depth."""
    if cell.noise == NEEDLE:
        return _run_needles(runner, cell)
    plan, loaded, questions = runner.plan, runner.asked_model(cell), runner.questions(cell)
    readings = measure_attention(
        runner.experiment,
        loaded,
        cell,
        questions,
        runner.eval_set.source,
        plan.attention_scope,
        plan.fixed_batch_size,
        engine=runner.engine,
    )
    keep_maps(runner, cell, loaded, runner.mapped_questions(cell, plan.attention_maps), list(readings.values()))
    return readings


def _run_needles(runner: Runner, cell: Cell) -> dict[str, AttentionReading]:
    """Return the readings of a needle among distractors by depth and problem: `25 mine-00001`."""
    plan, readings = runner.plan, dict[str, AttentionReading]()
    if plan.noisy_folder is not None:
        raise NothingToMeasure("noisy problems are read from files, and a needle needs noise drawn around it")
    for depth in DEPTHS:
        texts = needles(runner.sample(cell), depth, plan.seed)
        if texts:
            at_depth = Cell(cell.model, f"{cell.noise}{depth}", cell.stage)
            loaded, source = runner.asked_model(cell), runner.eval_set.source
            of_depth = measure_attention(
                runner.experiment,
                loaded,
                at_depth,
                texts,
                source,
                plan.attention_scope,
                plan.fixed_batch_size,
                NEEDLE_PARTS,
                runner.engine,
            )
            readings |= {f"{depth} {id}": reading for id, reading in of_depth.items()}
    if not readings:
        raise NothingToMeasure("no problem has a sentence of its own before the one that asks")
    return readings


ATTENTION = Stage.from_reported(
    REPORTED_STAGES["attention"],
    check=_check,
    own_test=True,
    run=_run,
    models="both",
    samples=lambda plan: plan.attention_samples,
    draws=lambda plan: 1,
    skip_help="leave out the stage attention, and intervene unless --interventions asks for it",
)
