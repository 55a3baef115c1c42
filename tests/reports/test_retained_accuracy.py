"""What is retained of what both models solve: the rows, counted by hand."""

from __future__ import annotations

import pytest

from reports.stats.comparisons import Comparison, comparisons
from reports.tables.narrative import narrative
from tests.reports.record_factories import scored

pytestmark = pytest.mark.quick
#: Both solve the first six of ten clean. Of these diffllama keeps five with inf, llama three; with filler six and five.
CELLS = [
    scored("diffllama", "clean", "1111111100"),
    scored("diffllama", "inf", "1111101000"),
    scored("diffllama", "filler:inf", "1111111000"),
    scored("llama", "clean", "1111110011"),
    scored("llama", "inf", "1110000011"),
    scored("llama", "filler:inf", "1111100011"),
]


def of(rows: list[Comparison], contrast: str, noise: str = "inf", model: str = "diffllama") -> Comparison:
    (found,) = [row for row in rows if (row.contrast, row.noise, row.model) == (contrast, noise, model)]
    return found


def test_only_problems_that_both_solve_clean_count() -> None:
    rows = comparisons(CELLS)
    assert of(rows, "retained").estimate == pytest.approx(5 / 6)
    assert of(rows, "retained", model="llama").estimate == pytest.approx(3 / 6)
    between = of(rows, "retained_difference")
    assert (between.estimate, between.clusters, between.against) == (pytest.approx(2 / 6), 6, "llama")
    assert between.p == 0.5, "two problems, both on one side"


def test_noise_is_measured_against_its_filler() -> None:
    """diffllama loses one of six more with inf than with filler, llama two."""
    beyond = of(comparisons(CELLS), "retained_difference_over_filler", "inf-filler:inf")
    assert (beyond.estimate, beyond.clusters) == (pytest.approx(1 / 6), 6)


def test_the_mean_is_over_the_noises_that_have_a_filler() -> None:
    more = [
        scored("diffllama", "rcs", "1111000000"),
        scored("diffllama", "filler:rcs", "1111110000"),
        scored("diffllama", "sd", "1111110000"),
        scored("llama", "rcs", "1000000000"),
        scored("llama", "filler:rcs", "1111110000"),
        scored("llama", "sd", "1111110000"),
    ]
    rows = comparisons([*CELLS, *more])
    mean = of(rows, "mean_retained_difference_over_filler", "inf+rcs")
    assert mean.estimate == pytest.approx((1 / 6 + 3 / 6) / 2)
    assert of(rows, "mean_retained", "all 3").estimate == pytest.approx((5 + 4 + 6) / 18)


def test_the_sentences_say_what_each_keeps_of_what_both_solve() -> None:
    text = " ".join(" ".join(narrative(comparisons(CELLS))).split())
    assert "Of the problems both solve without noise, diffllama retains 83.3 % and llama 50.0 % (difference [" in text


def test_nothing_is_retained_of_nothing() -> None:
    none = [
        scored("diffllama", "clean", "1100"),
        scored("diffllama", "inf", "1000"),
        scored("llama", "clean", "0011"),
        scored("llama", "inf", "0010"),
    ]
    assert not [row for row in comparisons(none) if row.contrast.startswith("retained")]


def test_without_a_clean_cell_nothing_is_retained() -> None:
    rows = comparisons([cell for cell in CELLS if cell.cell.noise != "clean"])
    assert not [row for row in rows if "retained" in row.contrast]
