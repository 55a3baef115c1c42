"""Stage `zero_shot`: each model answers the clean problems and the same problems with each noise."""

from __future__ import annotations

import pytest

from benchmarks.run_case import check_baseline, run_cell
from benchmarks.runner import Runner
from reports.gate.regression_gate import Gate
from reports.store.records import Cell


@pytest.mark.quick
@pytest.mark.stage("zero_shot")
def test_zero_shot(runner: Runner, cell: Cell, gate: Gate | None, request: pytest.FixtureRequest) -> None:
    """Every problem of the cell gets an answer. How many are right is the result, not a condition, unless there is a
    `--baseline`."""
    predictions = run_cell(runner, cell)
    check_baseline(gate, runner, cell, predictions, request)
