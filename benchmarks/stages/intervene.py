"""Stage `intervene`: what each model answers when it cannot attend to the noise, or when only positions change."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.engines.engine import AskedModel, Engine
from benchmarks.engines.local_engine import LOCAL
from benchmarks.evaluation import record_as_they_come, settings_of
from benchmarks.grading import GRADING_VERSION
from benchmarks.intervention_cases import (
    ConditionItem,
    failed_record,
    intervention_id,
    question_under,
)
from benchmarks.intervention_conditions import REFERENCES, Condition, conditions_of
from benchmarks.intervention_prompts import NoisyTokens, can_be_asked, noisy_tokens
from benchmarks.measure_interventions import INTERVENTIONS_OF_ITEMS
from benchmarks.ranked_heads import RANKED_PROBLEMS, ranked_heads
from benchmarks.stages.stage import NothingToMeasure, Stage
from models.decode.batch_size_option import BatchSize
from noise.problems.problem import NoisyProblem
from reports.experiment import Experiment
from reports.stages import REPORTED_STAGES
from reports.store.record_codec import settings_hash
from reports.store.records import Cell, Intervention, Prediction, Settings
from reports.store.stage_and_file_names import ZERO_SHOT

if TYPE_CHECKING:  # torch stays out of collection
    from benchmarks.plan import Plan
    from benchmarks.runner import Runner
    from models.loading.load_model import LoadedModel

#: Part of every record's key. Raise it when a change here, in the conditions, in the prompts or in the faults can
#: change one.
INTERVENTION_VERSION = "1"


@dataclass(frozen=True, eq=False)
class _Asked:
    """A noisy problem, and its prompt in tokens, or why it has none."""

    noisy: NoisyProblem
    tokens: NoisyTokens | None
    error: str = ""


def intervene(
    experiment: Experiment,
    loaded: AskedModel,
    cell: Cell,
    noisy_problems: Sequence[NoisyProblem],
    source: str,
    interventions: Sequence[str],
    batch_size: BatchSize = 64,
    max_new_tokens: int = 256,
    answers: bool = True,
    ranked_over: Sequence[NoisyProblem] = (),
    engine: Engine = LOCAL,
) -> dict[str, Intervention]:
    """Return the records of `cell` by id, problem and condition: those on disk, and the missing ones, made now.

    Every problem is asked under the conditions of `interventions` and as it is, clean and noisy; those without noise
    are left out. Texts of the stage `zero_shot` that were made under the same settings are not written again. With
    `answers=False` only likelihoods are taken. The intervention `heads` ranks heads over the problems `ranked_over`.

    Raises `NothingToMeasure` where no problem has noise, `AttentionUnavailable` for a model whose attention cannot be
    edited, and what `Results.read_for_resume` raises.
    """
    with_noise = [noisy for noisy in noisy_problems if noisy.spans]
    ranked_over = [noisy for noisy in ranked_over or noisy_problems if noisy.spans]
    asked, conditions = engine.call(loaded, _read_and_conditions, with_noise, ranked_over, interventions, cell)
    if not asked:
        raise NothingToMeasure("no problem of the cell has noise that could be hidden")
    texts = {
        intervention_id(text.noisy, condition): f"{text.noisy.question}\n{text.noisy.problem.answer}"
        for condition in conditions
        for text in asked
        if text.tokens is None or can_be_asked(text.tokens, condition)
    }
    settings = settings_of(loaded, source, max_new_tokens)
    known = _written_before(experiment, cell, settings)
    versions = f"intervention {INTERVENTION_VERSION}, grading {GRADING_VERSION}"
    settings = replace(settings, generation=f"{settings.generation}, {versions}")
    with experiment.cell(cell, settings, texts) as recorder:
        items: dict[str, ConditionItem] = {}
        for condition in conditions:
            ids = {text: intervention_id(text.noisy, condition) for text in asked}
            done = {id for id, record in recorder.records.items() if record.outcome != "measured" or not answers}
            missing = [text for text, id in ids.items() if id in texts and id not in done]
            recorder.append(
                [failed_record(text.noisy, condition, text.error) for text in missing if text.tokens is None]
            )
            for text in missing:
                if text.tokens is not None:
                    written = _known_text(text.noisy, condition, known)
                    items[ids[text]] = ConditionItem(text.noisy, text.tokens, condition, written)
        arguments = (batch_size, max_new_tokens, answers)
        record_as_they_come(recorder, engine.records(loaded, INTERVENTIONS_OF_ITEMS, items, *arguments))
    return {id: record for id, record in recorder.records.items() if isinstance(record, Intervention)}


def _read(loaded: LoadedModel, noisy: NoisyProblem) -> _Asked:
    try:
        return _Asked(noisy, noisy_tokens(loaded, noisy))
    except ValueError:  # kept as the outcome of the problem that causes it
        return _Asked(noisy, None, traceback.format_exc())


def _read_and_conditions(
    loaded: LoadedModel,
    noisy_problems: Sequence[NoisyProblem],
    ranked_over: Sequence[NoisyProblem],
    interventions: Sequence[str],
    cell: Cell,
) -> tuple[list[_Asked], list[Condition]]:
    """Return the prompts of problems in tokens, and the conditions to ask them under; none where there is no problem.

    Raises `AttentionUnavailable` for a model whose attention cannot be edited.
    """
    from models.decode.generation import check_editable

    check_editable(loaded.model)
    if not noisy_problems:
        return [], []
    asked = [_read(loaded, noisy) for noisy in noisy_problems]
    return asked, _conditions(loaded, ranked_over, interventions, cell)


def _conditions(
    loaded: LoadedModel, noisy_problems: Sequence[NoisyProblem], interventions: Sequence[str], cell: Cell
) -> list[Condition]:
    from models.attention.allocation import attention_layer_numbers
    from models.attention.differential import is_differential, shares_second_patterns

    layers = attention_layer_numbers(loaded.model)
    ranked = ranked_heads(loaded, noisy_problems, f"{cell.model} {cell.noise}") if "heads" in interventions else {}
    conditions = conditions_of(interventions, layers, is_differential(loaded.model), ranked)
    if shares_second_patterns(loaded.model):  # then A1 alone can be cut in single heads
        conditions = [replace(each, part="first") if each.name in ranked else each for each in conditions]
    return conditions


def _written_before(experiment: Experiment, cell: Cell, settings: Settings) -> dict[tuple[str, str], Prediction]:
    """Return the predictions of the stage `zero_shot` by problem and question, of the clean problems and of the cell's
    noise, as far as they were made under these settings and graded as now."""
    known: dict[tuple[str, str], Prediction] = {}
    for noise in ("clean", cell.noise):
        stored = experiment.results.load_cell(Cell(cell.model, noise, ZERO_SHOT))
        if stored is not None and stored.settings_hash == settings_hash(settings):
            for id, record in stored.records.items():
                if isinstance(record, Prediction) and record.outcome != "error" and record.grading == GRADING_VERSION:
                    known[id, record.question] = record
    return known


def _known_text(
    noisy: NoisyProblem, condition: Condition, known: Mapping[tuple[str, str], Prediction]
) -> Prediction | None:
    """Return what was written before for the text of a problem; None if it was graded against another worked answer."""
    if condition.name not in REFERENCES:
        return None
    prediction = known.get((noisy.problem.id, question_under(noisy, condition)))
    return prediction if prediction is not None and prediction.gold == noisy.problem.answer else None


def _run(runner: Runner, cell: Cell) -> dict[str, Intervention]:
    from models.attention.attention_errors import AttentionUnavailable

    plan, loaded, questions = runner.plan, runner.asked_model(cell), runner.questions(cell)
    try:
        return intervene(
            runner.experiment,
            loaded,
            cell,
            questions,
            runner.eval_set.source,
            plan.interventions,
            plan.batch_size,
            plan.max_new_tokens,
            "accuracy" in plan.measures,
            runner.first_questions(cell, RANKED_PROBLEMS) if "heads" in plan.interventions else (),
            runner.engine,
        )
    except AttentionUnavailable as error:
        raise NothingToMeasure(str(error)) from error


def _has_cases(plan: Plan) -> bool:
    return any(dataset != "clean" for dataset in plan.datasets)


def _is_skipped(options: Mapping[str, Any]) -> bool:
    """Leave the stage out of runs that ask for less than the whole grid, unless they name interventions."""
    return options["interventions"] is None and bool(options["mode"] or options["skip_attention"])


INTERVENE = Stage.from_reported(
    REPORTED_STAGES["intervene"],
    own_test=True,
    run=_run,
    asks_clean=False,
    draws=lambda plan: 1,
    has_cases=_has_cases,
    skipped=_is_skipped,
    skip_help="leave out the stage intervene",
)
