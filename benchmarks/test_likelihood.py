"""Stage `likelihood`, with `--measure likelihood`: how likely each model holds the worked answers to be."""

from __future__ import annotations

import pytest

from benchmarks.case_failures import fail_on_errors
from reports.store.records import Cell, Likelihood


@pytest.mark.quick
@pytest.mark.stage("likelihood")
def test_likelihood(cell: Cell, likelihoods: dict[str, Likelihood]) -> None:
    """Every worked answer of the cell has a likelihood. How large it is is the result, not a condition."""
    fail_on_errors(cell, likelihoods.values())
