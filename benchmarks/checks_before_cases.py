"""Before the first case: can the baseline, the problems and the models of a run be used? Each fault is a usage error.

PYTEST_DONT_REWRITE: there is no assertion here, and the conftest imports it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from benchmarks.engines.engine import EngineError
from benchmarks.engines.ray_engine import check_reachable
from benchmarks.error_remedies import user_message
from benchmarks.plan import Plan
from benchmarks.runner import ModelsError, ProblemsError, Runner
from models.model_registry import trained_on
from models.prompt import PLAIN
from noise.problems.problem_sources import is_file_source
from reports.gate.baseline_file import BaselineError
from reports.gate.regression_gate import Gate
from reports.store.records import Cell
from reports.tables.printable_text import printable

#: How many of the lines that are left out are named on the terminal.
_BAD_LINES_SHOWN = 3


def check_baseline_covers(gate: Gate, gated: Sequence[Cell]) -> None:
    """Raise `pytest.UsageError` if the baseline of `gate` has none of the `gated` cells, or lacks one of them."""
    try:
        gate.require(gated)
    except BaselineError as error:
        raise pytest.UsageError(user_message(error)) from None


def check_problems(runner: Runner, gate: Gate | None = None, gated: Sequence[Cell] = ()) -> list[str]:
    """Read the problems of a run, and return what to say about them: which are left out, and how many there are.

    The problems of a source that is not a file, and from which nothing can be left out, are read by the first case.
    Raises `pytest.UsageError` if they cannot be used, or if they are too few for `gate` to see a loss in the `gated`
    cells.
    """
    plan, lines = runner.plan, list[str]()
    try:
        is_read = is_file_source(plan.problems) or any(map(trained_on, plan.models)) or plan.template != PLAIN
        if is_read or runner.needs_tuning:
            evaluated = runner.eval_set
            lines = [evaluated.too_few_message(plan.max_samples), evaluated.left_out_message()]
            repeated = evaluated.repeated_questions_message()
            runner.experiment.notes += [repeated] if repeated else []
        if plan.noisy_folder is not None or plan.files:
            sets = runner.read_noisy_files()
            lines += sets
            runner.experiment.notes += sets if plan.files.certified_only else []
        if runner.needs_tuning:
            _ = runner.sft_set
        if gate is not None:
            _check_gate(runner, gate, gated)
    except BaselineError as error:
        raise pytest.UsageError(user_message(error)) from None
    except (ProblemsError, ValueError, OSError) as error:
        raise pytest.UsageError(printable(str(error))) from None
    bad_lines = runner.experiment.bad_lines
    if bad_lines:
        lines += [f"bad lines left out: {len(bad_lines):,}, all named in run.json", *bad_lines[:_BAD_LINES_SHOWN]]
    return lines


def _check_gate(runner: Runner, gate: Gate, gated: Sequence[Cell]) -> None:
    """Raise `BaselineDiffers` if the baseline is of other problems or settings than the cells will have, as far as that
    shows before they run, and `ProblemsError` if too few problems are asked to see a loss."""
    plan, evaluated = runner.plan, runner.eval_set
    known = {"max_new_tokens": plan.max_new_tokens, "prompt": plan.template.key, "problems": evaluated.source}
    for cell in gated:
        problems = [problem.id for problem in plan.sample(evaluated.problems, cell.stage)]
        too_few = gate.too_few_problems_message(cell, len(problems), len(gated))
        if too_few is not None:
            raise ProblemsError(too_few)
        gate.check_asked(cell, problems, known)


def check_engine(plan: Plan, several_workers: bool) -> None:
    """Raise `pytest.UsageError` for an engine that cannot be reached, or that `several_workers` would each start."""
    if plan.engine.name != "ray":
        return
    if several_workers:
        raise pytest.UsageError("-n and --engine ray: expected at most one of the two; Ray has workers of its own")
    try:
        check_reachable(plan.engine.ray_address or "")
    except EngineError as error:
        raise pytest.UsageError(printable(str(error))) from None


def check_models(runner: Runner, cells: Iterable[Cell]) -> None:
    """Raise `pytest.UsageError` for the models of these cells that cannot be loaded."""
    try:
        runner.check_models(cells)
    except ModelsError as error:
        raise pytest.UsageError(printable(str(error))) from None
