"""What a plan asks of each model, counted in problems and characters, without what is on disk. No torch here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from benchmarks.intervention_conditions import Condition, Heads, conditions_of
from benchmarks.model_rates import ModelShape
from benchmarks.needles import DEPTHS, NEEDLE, needles
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from benchmarks.stage_work import CellWork, RunSettings, StageWork
from benchmarks.stages.stage import NothingToMeasure
from models.model_registry import ModelSpec
from noise.problems.problem import NoisyProblem, Problem
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.store.stage_and_file_names import ATTENTION, INTERVENE, SFT, ZERO_SHOT
from reports.store.tuning_logs import tuned_checkpoint_folder

#: Names of what a model does besides its stages.
LOAD, TUNE = "load", "tune"
_NO_PROBLEMS = CellWork(0, 0, 0, 0, 0)


def settings_of_run(plan: Plan) -> RunSettings:
    """Return the settings that the cost of a plan depends on; a batch size `auto` counts as its default."""
    rank = plan.tuning.rank if plan.tuning.method == "lora" else 0
    return RunSettings(plan.fixed_batch_size, plan.max_new_tokens, plan.tuning.batch, rank)


def work_of(runner: Runner, spec: ModelSpec, shape: ModelShape) -> Iterator[StageWork]:
    """Yield what a model does, in the order in which it does it, as far as its records are not on disk yet.

    Raises `ProblemsError`.
    """
    plan = runner.plan
    stages = [stage for stage in plan.stages if plan.goes_through(stage, spec)]
    cells = [cell for stage in stages if plan.has_cases(stage) for cell in _cells(plan, stage, spec)]
    tuned = [cell for cell in cells if plan.is_tuned(cell)]
    loads = (len(tuned) < len(cells)) + bool(tuned)
    if loads:
        yield StageWork(spec.name, LOAD, "loads", (_NO_PROBLEMS,) * loads)
    for stage in stages:
        if stage == SFT and tuned and not tuned_checkpoint_folder(runner.experiment.results.folder, spec.name).exists():
            yield _tuning(runner, spec)
        of_stage = [cell for cell in cells if cell.stage == stage]
        if not of_stage:
            continue
        if stage == INTERVENE:
            yield _interventions(runner, spec, of_stage, shape)
            continue
        kind = "answers" if stage in (ZERO_SHOT, SFT) else "reads"
        for row in (stage, NEEDLE):
            works = [_cell_work(missing_texts(runner, cell)) for cell in of_stage if row_of(cell) == row]
            if works:
                yield StageWork(spec.name, row, kind, tuple(works))


def _cells(plan: Plan, stage: str, spec: ModelSpec) -> list[Cell]:
    """Return the cases of a stage: its cells, and of attention the needle's."""
    extra = plan.cells(stage, spec, datasets=(NEEDLE,)) if stage == ATTENTION else []
    return plan.cells(stage, spec) + extra


def row_of(cell: Cell) -> str:
    """Return what a cell counts for: its stage, but the needle's texts are longer, and timed for themselves."""
    return NEEDLE if cell.noise == NEEDLE else cell.stage


def missing_texts(runner: Runner, cell: Cell) -> list[NoisyProblem]:
    """Return the texts of a cell that have no record yet; one that ended in an error is asked again."""
    if cell.noise != NEEDLE:
        done = _recorded(runner.experiment.results, cell)
        return [noisy for noisy in _questions(runner, cell) if noisy.problem.id not in done]
    plan, texts = runner.plan, list[NoisyProblem]()
    if plan.noisy_folder is not None:
        return texts
    for depth in DEPTHS:
        done = _recorded(runner.experiment.results, Cell(cell.model, f"{NEEDLE}{depth}", cell.stage))
        at_depth = needles(plan.sample(runner.eval_set.problems, cell.stage), depth, plan.seed)
        texts += [noisy for noisy in at_depth if noisy.problem.id not in done]
    return texts


def _questions(runner: Runner, cell: Cell) -> list[NoisyProblem]:
    try:
        return runner.questions(cell)
    except NothingToMeasure:  # the other shards have them all
        return []


def _recorded(results: Results, cell: Cell) -> set[str]:
    stored = results.load_cell(cell)
    return set() if stored is None else {id for id, record in stored.records.items() if record.outcome != "error"}


def _cell_work(texts: Sequence[NoisyProblem]) -> CellWork:
    return CellWork(
        problems=len(texts),
        questions=sum(len(noisy.question) for noisy in texts),
        answers=sum(len(noisy.problem.answer) for noisy in texts),
        clean=sum(len(noisy.problem.question) for noisy in texts),
        longest=max((len(noisy.question) for noisy in texts), default=0),
    )


def conditions_under(plan: Plan, shape: ModelShape) -> list[Condition]:
    """Return the conditions of the stage `intervene` for a model of this shape."""
    heads: dict[str, Heads] = {"heads_top": {}, "heads_random": {}} if "heads" in plan.interventions else {}
    return conditions_of(plan.interventions, range(shape.layers), shape.differential, heads)


def _interventions(runner: Runner, spec: ModelSpec, cells: Sequence[Cell], shape: ModelShape) -> StageWork:
    """The answers to the problems as they are are those of the stage `zero_shot`, where that asks them too."""
    plan, conditions = runner.plan, conditions_under(runner.plan, shape)
    written = len(conditions) if "accuracy" in plan.measures else 0
    if written and plan.has_cases(ZERO_SHOT) and plan.goes_through(ZERO_SHOT, spec):
        written -= 1 + ("clean" in plan.datasets)
    works = []
    for cell in cells:
        done = _recorded(runner.experiment.results, cell)
        asked = [noisy for noisy in _questions(runner, cell) if noisy.spans]
        works.append(
            _cell_work([n for n in asked if any(f"{n.problem.id} {of.name}" not in done for of in conditions)])
        )
    clean = sum(condition.clean for condition in conditions)
    return StageWork(spec.name, INTERVENE, "intervenes", tuple(works), len(conditions), written, clean)


def _tuning(runner: Runner, spec: ModelSpec) -> StageWork:
    tuning, problems = runner.plan.tuning, runner.sft_set.problems
    steps = tuning.epochs * math.ceil(math.ceil(len(problems) / tuning.batch) / tuning.accumulation)
    return StageWork(spec.name, TUNE, "tunes", (_tuning_work(problems),), steps=steps * tuning.accumulation)


def _tuning_work(problems: Sequence[Problem]) -> CellWork:
    questions = [len(problem.question) for problem in problems]
    answers = sum(len(problem.answer) for problem in problems)
    return CellWork(len(problems), sum(questions), answers, sum(questions), max(questions))
