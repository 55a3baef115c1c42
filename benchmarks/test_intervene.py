"""Stage `intervene`: what each model answers when it cannot attend to the noise, or when only positions change."""

from __future__ import annotations

import pytest

from benchmarks.run_case import run_cell
from benchmarks.runner import Runner
from reports.store.records import Cell


@pytest.mark.quick
@pytest.mark.stage("intervene")
def test_intervene(runner: Runner, cell: Cell) -> None:
    """Every problem of the cell can be asked under every condition. What the model answers is the result."""
    run_cell(runner, cell)
