"""Stage `zero_shot`: each model answers the clean problems and the same problems with each noise."""

from __future__ import annotations

import pytest

from reports.records import Cell, Prediction


@pytest.mark.quick
@pytest.mark.stage("zero_shot")
def test_zero_shot(cell: Cell, predictions: dict[str, Prediction]) -> None:
    """Every problem of the cell gets an answer. How many are right is the result, not a condition."""
    failed = [prediction for prediction in predictions.values() if prediction.outcome == "error"]
    if failed:
        last = (failed[0].error or "").strip().rpartition("\n")[2]
        pytest.fail(
            f"{cell.id}: {len(failed)} of {len(predictions)} problems ended in an error; {failed[0].id}: {last}"
            " (tracebacks are in the predictions file)",
            pytrace=False,
        )
