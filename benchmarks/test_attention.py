"""Stage `attention`: where each model looks, with each noise and without, and whether it finds a needle among noise."""

from __future__ import annotations

import pytest

from benchmarks.case_failures import fail_on_errors
from benchmarks.plan import NEEDLE
from reports.store.records import AttentionReading, Cell


@pytest.mark.quick
@pytest.mark.stage("attention")
@pytest.mark.usefixtures("attention_maps")
def test_attention(cell: Cell, readings: dict[str, AttentionReading]) -> None:
    """Every problem of the cell can be read. Where the model looks is the result, not a condition."""
    fail_on_errors(cell, readings.values())


@pytest.mark.quick
@pytest.mark.stage("attention", NEEDLE)
def test_retrieval(cell: Cell, needle_readings: dict[str, AttentionReading]) -> None:
    """What a problem states can be put at any depth of a text of distractors, and read there."""
    if not needle_readings:
        pytest.skip("no problem has a sentence of its own before the one that asks")
    fail_on_errors(cell, needle_readings.values())
