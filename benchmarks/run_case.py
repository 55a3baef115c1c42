"""The body of a case: run its cell, and fail with one sentence.

PYTEST_DONT_REWRITE: there is no assertion here, and the conftest imports it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks.error_remedies import is_wrong_use, user_message
from benchmarks.runner import AlreadyFailed, Runner
from benchmarks.stages.stage import NothingToMeasure
from reports.gate.regression_gate import Gate
from reports.plugin import WrongUse
from reports.stages import REPORTED_STAGES
from reports.stats.problem_scores import all_scores
from reports.store.atomic_io import display_path
from reports.store.records import Cell
from reports.tables.printable_text import printable

RunCell = Callable[[Runner, Cell], Mapping[str, Any]]


def cell_of(item: pytest.Item) -> Cell | None:
    """Return the cell that a case is about; None for a test that is about none."""
    cell = item.callspec.params.get("cell") if hasattr(item, "callspec") else None
    return cell if isinstance(cell, Cell) else None


def gated_cells(items: Iterable[pytest.Item]) -> list[Cell]:
    """Return the cells among these cases whose accuracy `--baseline` is about."""
    cells = (cell_of(item) for item in items)
    return [cell for cell in cells if cell is not None and REPORTED_STAGES[cell.stage].gated]


def run_cell(runner: Runner, cell: Cell) -> Mapping[str, Any]:
    """Run a cell in the body of its case, and return its records by problem id.

    The case fails with one sentence if the error is a user's to fix (`benchmarks.error_remedies`), or, once every
    problem has been asked, if some of them ended in an error. What the model answers never fails a case.
    """
    with failing_with_user_message():
        records = runner.run(cell)
    failed = [record for record in records.values() if record.outcome == "error"]
    if failed:
        last_line = (failed[0].error or "").strip().rpartition("\n")[2]
        pytest.fail(
            f"{cell.id}: {len(failed)} of {len(records)} problems ended in an error; {failed[0].id}: {last_line}"
            " (tracebacks are in the cell's file)",
            pytrace=False,
        )
    return records


def check_baseline(
    gate: Gate | None, runner: Runner, cell: Cell, records: Mapping[str, Any], request: pytest.FixtureRequest
) -> None:
    """Fail the case where the accuracy of its cell is significantly below that of the baseline, if there is one."""
    if gate is None:
        return
    (scores,) = all_scores(runner.experiment.results, {cell: records.keys()})
    with failing_with_user_message():
        loss = gate.loss(scores, cells=len(gated_cells(request.session.items)))
    if loss.too_few_problems_message:
        raise WrongUse(loss.too_few_problems_message, pytrace=False)
    request.node.user_properties += loss.facts().items()
    if loss.failed:
        path = display_path(gate.path)
        accept = f"  to accept it, run the same with --save-baseline {path} in place of --baseline {path}"
        pytest.fail(f"{loss}\n{accept}", pytrace=False)


@contextmanager
def failing_with_user_message() -> Iterator[None]:
    """Fail the test with one sentence and no traceback if the block raises a user-facing error.

    What has failed for an earlier test, which has said why, skips this one, and so does a cell that has no problem to
    ask.
    """
    try:
        yield
    except NothingToMeasure as reason:
        pytest.skip(str(reason))
    except AlreadyFailed as earlier:
        pytest.skip(f"an earlier case has failed for the same reason: {printable(str(earlier))}")
    except Exception as error:
        message = user_message(error)
        if message is None:
            raise
        failure = WrongUse if is_wrong_use(error) else pytest.fail.Exception
        raise failure(message, pytrace=False) from None
