"""Stage `likelihood`, with `--measure likelihood`: the likelihood that each model gives the worked answers."""

from __future__ import annotations

import pytest

from benchmarks.run_case import run_cell
from benchmarks.runner import Runner
from reports.store.records import Cell


@pytest.mark.quick
@pytest.mark.stage("likelihood")
def test_likelihood(runner: Runner, cell: Cell) -> None:
    """Every worked answer of the cell has a likelihood. How large it is is the result, not a condition."""
    run_cell(runner, cell)
