"""Stage `attention`: where each model attends, with each noise and without, and whether it finds a needle in noise."""

from __future__ import annotations

import pytest

from benchmarks.needles import NEEDLE
from benchmarks.run_case import run_cell
from benchmarks.runner import Runner
from reports.store.records import Cell


@pytest.mark.quick
@pytest.mark.stage("attention")
def test_attention(runner: Runner, cell: Cell) -> None:
    """Every problem of the cell can be read. Where the model attends is the result, not a condition."""
    run_cell(runner, cell)


@pytest.mark.quick
@pytest.mark.stage("attention", NEEDLE)
def test_retrieval(runner: Runner, cell: Cell) -> None:
    """What a problem states can be put at any depth of a text of distractors, and read there."""
    run_cell(runner, cell)
