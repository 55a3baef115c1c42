"""Stage `sft`: each model is fine-tuned, and its tuned checkpoint answers what the model itself was asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.case_failures import fail_on_errors
from reports.store.records import Cell, Prediction


@pytest.mark.quick
@pytest.mark.stage("sft")
def test_sft(cell: Cell, predictions: dict[str, Prediction], fail_on_loss: Callable[[], None]) -> None:
    """The tuned checkpoint is proven to hold what was trained, and every problem of the cell gets an answer."""
    fail_on_errors(cell, predictions.values())
    fail_on_loss()
