"""Stage `attention`: where each model looks, with each noise and without, and whether it finds a needle among noise."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from benchmarks.grid import NEEDLE
from reports.records import AttentionReading, Cell


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


def fail_on_errors(cell: Cell, readings: Iterable[AttentionReading]) -> None:
    """An error of the code fails the case, once everything that could be read has been."""
    failed = [reading for reading in readings if reading.outcome == "error"]
    if failed:
        last = (failed[0].error or "").strip().rpartition("\n")[2]
        pytest.fail(
            f"{cell.id}: {len(failed)} problems ended in an error; {failed[0].id}: {last}"
            " (tracebacks are in the readings file)",
            pytrace=False,
        )
