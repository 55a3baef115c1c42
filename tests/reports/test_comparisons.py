"""What noise costs, and whether it costs one model more than another: the rows and the words."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from reports.stats.comparisons import Comparison, comparisons, write_comparisons_csv
from reports.stats.problem_scores import Scores, scores_of
from reports.stats.proportions import wilson, wilson_by_problem
from reports.store.records import Cell, Prediction, draw_id, problem_of
from reports.tables.narrative import narrative
from tests.reports.record_factories import SETTINGS, predicted

pytestmark = pytest.mark.quick


def scored(model: str, noise: str, right: str, stage: str = "zero_shot", first: int = 0, **changed: str) -> Scores:
    """The scores of a cell; `right` has a letter a problem: `1` right, `0` wrong, `e` an error."""
    outcomes = {"1": "correct", "0": "incorrect", "e": "error"}
    lines: list[Prediction] = [
        predicted(f"p{first + n}", outcomes[letter], **changed)  # type: ignore[arg-type]
        for n, letter in enumerate(right)
    ]
    return scores_of(Cell(model, noise, stage), replace(SETTINGS, weights=model), lines)


def row(rows: list[Comparison], contrast: str, model: str = "diffllama", noise: str = "inf") -> Comparison:
    (found,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return found


FOUR = [
    scored("diffllama", "clean", "1111110000"),
    scored("diffllama", "inf", "1111010000"),
    scored("llama", "clean", "1111110000"),
    scored("llama", "inf", "1000000001"),
]


def test_the_figures_are_those_counted_by_hand() -> None:
    rows = comparisons(FOUR)
    assert row(rows, "degradation").estimate == pytest.approx(0.1)
    assert row(rows, "degradation", "llama").estimate == pytest.approx(0.4)
    assert row(rows, "difference_in_differences").estimate == pytest.approx(0.3), "llama loses more"
    assert row(rows, "model_difference").estimate == pytest.approx(0.3)
    assert row(rows, "relative_drop", "llama").estimate == pytest.approx(4 / 6)
    assert row(rows, "accuracy").estimate == pytest.approx(0.5)
    assert row(rows, "degradation", "llama").p == pytest.approx(2 * 7 / 64), "five lost, one won"
    assert {r.clusters for r in rows} == {10}


def test_the_mean_over_noises_is_one_number_a_problem() -> None:
    """Of ten problems diffllama loses 0.1 by one noise and 0.2 by the other, llama 0.4 and 0.6."""
    more = [*FOUR, scored("diffllama", "sd", "1111000000"), scored("llama", "sd", "0000000000")]
    rows = comparisons(more)
    mean = row(rows, "mean_degradation", noise="all 2")
    assert (mean.estimate, mean.n, mean.clusters) == (pytest.approx(0.15), 20, 10)
    assert row(rows, "mean_degradation", "llama", "all 2").estimate == pytest.approx(0.5)
    found = row(rows, "mean_difference_in_differences", noise="all 2")
    assert (found.estimate, found.against, found.p_adjusted) == (pytest.approx(0.35), "llama", found.p)
    said = " ".join(" ".join(narrative(rows)).split())
    assert "all 2 noises: llama loses 50.0 points [" in said
    assert "p adjusted over 2 comparisons, means over noises apart)" in said
    other = [*more[:-1], scored("llama", "sd", "0000000000", question="another noise")]
    assert row(comparisons(other), "mean_difference_in_differences", noise="all 2").clusters == 0
    short = [*more[:-1], scored("llama", "sd", "00000000", first=2)]
    assert row(comparisons(short), "mean_difference_in_differences", noise="all 2").clusters == 8


def test_an_error_is_no_answer_and_leaves_its_problem_out_of_the_pair() -> None:
    rows = comparisons([scored("diffllama", "clean", "1110"), scored("diffllama", "inf", "e001")])
    assert (row(rows, "degradation").clusters, row(rows, "degradation").estimate) == (3, pytest.approx(1 / 3))


def test_what_was_asked_otherwise_is_not_compared() -> None:
    other_text = [*FOUR[:3], scored("llama", "inf", "1000000001", question="another noise")]
    found = row(comparisons(other_text), "difference_in_differences")
    assert (found.clusters, found.estimate) == (0, None)
    other_settings = [*FOUR[:3], replace(FOUR[3], settings=replace(FOUR[3].settings, prompt="other"))]
    assert not [r for r in comparisons(other_settings) if r.contrast == "difference_in_differences"]


def test_draws_of_a_problem_stay_together() -> None:
    """The same answers three times are no more evidence than once."""
    assert problem_of(draw_id("a (b)", 2)) == "a (b)"
    lines = [
        predicted(draw_id(f"p{n}", draw), "correct" if n < 4 else "incorrect") for n in range(10) for draw in range(3)
    ]
    thrice = scores_of(Cell("diffllama", "inf", "zero_shot"), SETTINGS, lines)
    assert (thrice.draws == 3).all()
    once = comparisons([FOUR[0], scored("diffllama", "inf", "1111000000")])
    tripled = comparisons([replace(FOUR[0], settings=thrice.settings), thrice])
    assert row(tripled, "degradation").p == row(once, "degradation").p
    assert (row(tripled, "degradation").low, row(tripled, "degradation").n) == (row(once, "degradation").low, 30)
    assert wilson_by_problem(thrice.values, thrice.draws) == pytest.approx(wilson(4, 10), abs=0.02)


def test_independent_draws_are_more_evidence() -> None:
    shares = numpy.tile([0.4, 0.4, 0.6, 0.6], 10)
    low, high = wilson_by_problem(shares, numpy.full(40, 5))
    assert (low, high) == pytest.approx(wilson(100, 200))


def test_tuned_models_are_compared_with_each_other_and_with_what_they_were() -> None:
    tuned = [replace(one, cell=replace(one.cell, stage="sft")) for one in FOUR]
    rows = comparisons([*FOUR, *tuned])
    gains = [r for r in rows if r.contrast == "gain"]
    assert len(gains) == 4
    assert {r.estimate for r in gains} == {0.0}
    assert {r.stage for r in rows if r.contrast == "difference_in_differences"} == {"zero_shot", "sft"}


def test_a_family_is_all_rows_of_a_contrast() -> None:
    more = [*FOUR, scored("diffllama", "sd", "1" * 6 + "0" * 4), scored("llama", "sd", "0" * 10)]
    rows = [r for r in comparisons(more) if r.contrast == "degradation"]
    assert len(rows) == 4
    smallest = min(rows, key=lambda r: r.p or 0.0)
    assert smallest.p_adjusted == pytest.approx(4 * (smallest.p or 0.0))


def test_a_file_has_no_value_that_is_no_number(tmp_path: Path) -> None:
    cells = [scored("diffllama", "clean", "0"), scored("diffllama", "inf", "0"), scored("llama", "inf", "e")]
    write_comparisons_csv(comparisons(cells), tmp_path / "comparisons.csv")
    with (tmp_path / "comparisons.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["contrast"] for line in lines} >= {"accuracy", "degradation", "relative_drop"}
    assert not {"nan", "inf"} & {value.lower() for line in lines for name, value in line.items() if name != "noise"}


def test_the_words_say_who_loses_less_or_that_the_run_cannot_tell() -> None:
    large = [
        scored("diffllama", "clean", "1" * 90 + "0" * 10),
        scored("diffllama", "inf", "1" * 80 + "0" * 20),
        scored("llama", "clean", "1" * 90 + "0" * 10),
        scored("llama", "inf", "1" * 30 + "0" * 70),
    ]
    said = narrative(comparisons(large))
    assert said[0] == "what noise costs, zero_shot, in accuracy (95 % intervals)", "one comparison is not adjusted"
    assert "llama loses 60.0 points [" in said[1]
    assert "diffllama loses 50.0 points less than llama [" in " ".join(said)
    assert "p < 0.001, 100 problems." in " ".join(" ".join(said).split())
    cannot = " ".join(" ".join(narrative(comparisons(FOUR))).split())
    assert "No evidence that llama loses more than diffllama: 30.0 points [" in cannot
    assert "10 problems could have shown " in cannot
    assert "problems would settle 30.0." in cannot
    assert max(map(len, said)) <= 80
    alone = " ".join(" ".join(narrative(comparisons(FOUR[:2]))).split())
    assert "inf: No evidence that diffllama loses any: 10.0 points [" in alone, "one model is compared with nobody"
    assert "inf: llama loses 60.0 points [" in " ".join(" ".join(narrative(comparisons(large[2:]))).split())
