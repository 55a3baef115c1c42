"""Stage `sft`: each model is fine-tuned, and its tuned checkpoint answers what the model itself was asked."""

from __future__ import annotations

import pytest

from benchmarks.run_case import check_baseline, run_cell
from benchmarks.runner import Runner
from reports.gate.regression_gate import Gate
from reports.store.records import Cell


@pytest.mark.quick
@pytest.mark.stage("sft")
def test_sft(runner: Runner, cell: Cell, gate: Gate | None, request: pytest.FixtureRequest) -> None:
    """The tuned checkpoint is proven to hold what was trained, and every problem of the cell gets an answer."""
    predictions = run_cell(runner, cell)
    check_baseline(gate, runner, cell, predictions, request)
