"""How a case fails: with the one sentence that its reader needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pytest

from reports.store.records import Cell, Record


@contextmanager
def failing_with(*expected: type[Exception]) -> Iterator[None]:
    """Errors that are answers to the user fail a case with their sentence alone, without a traceback or a chain."""
    try:
        yield
    except expected as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def fail_on_errors(cell: Cell, records: Collection[Record]) -> None:
    """An error of the code fails its case, once every problem has been asked. What the model did never does."""
    failed = [record for record in records if record.outcome == "error"]
    if failed:
        last = (failed[0].error or "").strip().rpartition("\n")[2]
        pytest.fail(
            f"{cell.id}: {len(failed)} of {len(records)} problems ended in an error; {failed[0].id}: {last}"
            " (tracebacks are in the cell's file)",
            pytrace=False,
        )
