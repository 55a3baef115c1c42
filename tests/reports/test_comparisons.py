"""What noise costs, and whether one model loses more than another: the rows and the sentences."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from reports.stats.comparisons import Comparison, comparisons, write_comparisons_csv
from reports.stats.problem_scores import Scores, scores_from_records
from reports.stats.proportions import wilson, wilson_by_problem
from reports.store.records import Cell, Prediction, draw_id, problem_of
from reports.tables.narrative import narrative
from tests.reports.record_factories import SETTINGS, predicted, question_of

pytestmark = pytest.mark.quick


def scored(model: str, noise: str, answers: str, stage: str = "zero_shot", first: int = 0, **changed: Any) -> Scores:
    """Return the scores of a cell. `answers` has a letter per problem: `1` correct, `0` incorrect, `e` an error."""
    outcomes = {"1": "correct", "0": "incorrect", "e": "error"}
    lines: list[Prediction] = [
        predicted(f"p{first + n}", outcomes[letter], **changed)  # type: ignore[arg-type]
        for n, letter in enumerate(answers)
    ]
    return scores_from_records(Cell(model, noise, stage), replace(SETTINGS, weights=model), lines)


def row(rows: list[Comparison], contrast: str, model: str = "diffllama", noise: str = "inf") -> Comparison:
    (matching,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return matching


FOUR = [
    scored("diffllama", "clean", "1111110000"),
    scored("diffllama", "inf", "1111010000"),
    scored("llama", "clean", "1111110000"),
    scored("llama", "inf", "1000000001"),
]


def test_estimates_match_those_counted_by_hand() -> None:
    rows = comparisons(FOUR)
    assert row(rows, "degradation").estimate == pytest.approx(0.1)
    assert row(rows, "degradation", "llama").estimate == pytest.approx(0.4)
    assert row(rows, "difference_in_differences").estimate == pytest.approx(0.3), "llama loses more"
    assert row(rows, "model_difference").estimate == pytest.approx(0.3)
    assert row(rows, "relative_drop", "llama").estimate == pytest.approx(4 / 6)
    assert row(rows, "accuracy").estimate == pytest.approx(0.5)
    assert row(rows, "degradation", "llama").p == pytest.approx(2 * 7 / 64), "five lost, one gained"
    assert {r.clusters for r in rows} == {10}


def test_the_mean_over_noises_is_one_number_per_problem() -> None:
    """Over ten problems, diffllama loses 0.1 with one noise and 0.2 with the other, llama 0.4 and 0.6."""
    more = [*FOUR, scored("diffllama", "sd", "1111000000"), scored("llama", "sd", "0000000000")]
    rows = comparisons(more)
    mean = row(rows, "mean_degradation", noise="all 2")
    assert (mean.estimate, mean.n, mean.clusters) == (pytest.approx(0.15), 20, 10)
    assert row(rows, "mean_degradation", "llama", "all 2").estimate == pytest.approx(0.5)
    mean_row = row(rows, "mean_difference_in_differences", noise="all 2")
    assert (mean_row.estimate, mean_row.against, mean_row.p_adjusted) == (pytest.approx(0.35), "llama", mean_row.p)
    text = " ".join(" ".join(narrative(rows)).split())
    assert "all 2 noises: llama loses 50.0 points [" in text
    assert "p adjusted over 2 comparisons, means over noises apart)" in text
    other = [*more[:-1], scored("llama", "sd", "0000000000", question="another noise")]
    assert row(comparisons(other), "mean_difference_in_differences", noise="all 2").clusters == 0
    short = [*more[:-1], scored("llama", "sd", "00000000", first=2)]
    assert row(comparisons(short), "mean_difference_in_differences", noise="all 2").clusters == 8


def test_a_problem_with_an_error_is_left_out_of_the_pair() -> None:
    rows = comparisons([scored("diffllama", "clean", "1110"), scored("diffllama", "inf", "e001")])
    assert (row(rows, "degradation").clusters, row(rows, "degradation").estimate) == (3, pytest.approx(1 / 3))


def test_other_texts_and_other_settings_are_not_compared() -> None:
    other_text = [*FOUR[:3], scored("llama", "inf", "1000000001", question="another noise")]
    contrast_row = row(comparisons(other_text), "difference_in_differences")
    assert (contrast_row.clusters, contrast_row.estimate) == (0, None)
    other_settings = [*FOUR[:3], replace(FOUR[3], settings=replace(FOUR[3].settings, prompt="other"))]
    assert not [r for r in comparisons(other_settings) if r.contrast == "difference_in_differences"]


def test_noise_costs_nothing_where_the_problem_is_another_one() -> None:
    """Half of the file was changed between the run of the clean cell and that of the noisy ones."""
    other = scored("llama", "clean", "00", first=2, question="Ann has 2 caps. How many?", spans=())
    clean = scored("llama", "clean", "00")
    both = replace(
        clean,
        **{
            name: numpy.concatenate([getattr(clean, name), getattr(other, name)])
            for name in ("problems", "values", "draws", "texts", "tokens", "originals")
        },
    )
    rows = comparisons([both, scored("llama", "inf", "1111"), scored("llama", "sd", "1111")])
    for contrast, noise in (("degradation", "inf"), ("relative_drop", "sd"), ("mean_degradation", "all 2")):
        assert row(rows, contrast, "llama", noise).clusters == 2


def test_draws_of_a_problem_are_one_cluster() -> None:
    """The same answer three times is no more evidence than once."""
    assert problem_of(draw_id("a (b)", 2)) == "a (b)"
    lines = [
        predicted(draw_id(f"p{n}", draw), "correct" if n < 4 else "incorrect", question=question_of(f"p{n}"))
        for n in range(10)
        for draw in range(3)
    ]
    thrice = scores_from_records(Cell("diffllama", "inf", "zero_shot"), SETTINGS, lines)
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


def test_tuned_models_are_compared_with_each_other_and_with_the_untuned() -> None:
    tuned = [replace(scores, cell=replace(scores.cell, stage="sft")) for scores in FOUR]
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


def test_the_file_has_no_nan_or_infinity(tmp_path: Path) -> None:
    cells = [scored("diffllama", "clean", "0"), scored("diffllama", "inf", "0"), scored("llama", "inf", "e")]
    write_comparisons_csv(comparisons(cells), tmp_path / "comparisons.csv")
    with (tmp_path / "comparisons.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["contrast"] for line in lines} >= {"accuracy", "degradation", "relative_drop"}
    assert not {"nan", "inf"} & {value.lower() for line in lines for name, value in line.items() if name != "noise"}


def test_the_sentences_say_which_model_loses_less_or_that_the_run_cannot_tell() -> None:
    large = [
        scored("diffllama", "clean", "1" * 90 + "0" * 10),
        scored("diffllama", "inf", "1" * 80 + "0" * 20),
        scored("llama", "clean", "1" * 90 + "0" * 10),
        scored("llama", "inf", "1" * 30 + "0" * 70),
    ]
    lines = narrative(comparisons(large))
    assert lines[0] == "what noise costs, zero_shot, in accuracy (95 % intervals)", "one comparison is not adjusted"
    assert "llama loses 60.0 points [" in lines[1]
    assert "diffllama loses 50.0 points less than llama [" in " ".join(lines)
    assert "p < 0.001, 100 problems." in " ".join(" ".join(lines).split())
    cannot = " ".join(" ".join(narrative(comparisons(FOUR))).split())
    assert "No evidence that llama loses more than diffllama: 30.0 points [" in cannot
    assert "10 problems could have shown " in cannot
    assert "problems are needed to detect 30.0." in cannot
    assert max(map(len, lines)) <= 80
    alone = " ".join(" ".join(narrative(comparisons(FOUR[:2]))).split())
    assert "inf: No evidence that diffllama loses any: 10.0 points [" in alone, (
        "one model has nothing to be compared with"
    )
    assert "inf: llama loses 60.0 points [" in " ".join(" ".join(narrative(comparisons(large[2:]))).split())
