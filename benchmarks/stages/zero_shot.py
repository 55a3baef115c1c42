"""Stage `zero_shot`: each model answers the problems of a cell, clean or with noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.evaluation import evaluate
from benchmarks.stages.stage import Stage
from reports.stages import REPORTED_STAGES

if TYPE_CHECKING:
    from benchmarks.runner import Runner
    from reports.store.records import Cell, Prediction


def run_zero_shot(runner: Runner, cell: Cell) -> dict[str, Prediction]:
    """Return the predictions of a cell by problem id: those on disk, and the missing ones made now."""
    plan = runner.plan
    return evaluate(
        runner.experiment,
        runner.asked_model(cell),
        cell,
        runner.questions(cell),
        runner.eval_set.source,
        plan.batch_size,
        plan.max_new_tokens,
        runner.engine,
    )


ZERO_SHOT = Stage.from_reported(
    REPORTED_STAGES["zero_shot"],
    own_test=True,
    runs_every_replicate=True,
    run=run_zero_shot,
    has_cases=lambda plan: "accuracy" in plan.measures,
    skipped=lambda options: "accuracy" not in options["measures"],
    skip_help="leave out the stage zero_shot",
)
