"""Stages that others added with `benchmarks.stages.register_stage`, and that have no file of their own."""

from __future__ import annotations

import pytest

from benchmarks.run_case import run_cell
from benchmarks.runner import Runner
from reports.store.records import Cell


@pytest.mark.quick
@pytest.mark.added_stages
def test_added_stage(runner: Runner, cell: Cell) -> None:
    """Every problem of the cell gets a record."""
    run_cell(runner, cell)
