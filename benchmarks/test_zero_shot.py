"""Stage `zero_shot`: each model answers the clean problems and the same problems with each noise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.case_failures import fail_on_errors
from reports.store.records import Cell, Prediction


@pytest.mark.quick
@pytest.mark.stage("zero_shot")
def test_zero_shot(cell: Cell, predictions: dict[str, Prediction], fail_on_loss: Callable[[], None]) -> None:
    """Every problem of the cell gets an answer. How many are right is the result, not a condition, unless
    there is a `--baseline`."""
    fail_on_errors(cell, predictions.values())
    fail_on_loss()
