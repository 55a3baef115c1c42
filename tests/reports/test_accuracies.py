from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from reports.stats.accuracies import CellAccuracy, accuracies, write_accuracy_csv
from reports.stats.paired_tests import Differences, interval
from reports.stats.proportions import wilson
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.tables.accuracy_table import accuracy_table
from tests.reports.record_factories import CELL, CLEAN, OTHER_SETTINGS, SETTINGS, outcomes, predicted

pytestmark = pytest.mark.quick


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def row_of(results: Results, cell: Cell) -> CellAccuracy:
    (row,) = [row for row in accuracies(results) if row.cell == cell]
    return row


def test_a_gain_is_over_the_weights_that_were_tuned(results: Results) -> None:
    """A folder may hold another model under the same name by now."""
    results.append(CELL, SETTINGS, outcomes(1, 3))
    from_others = replace(TUNED_SETTINGS, base="weights of another")
    results.append(TUNED, from_others, outcomes(3, 1))
    assert row_of(results, TUNED).gain is None
    from_these = replace(TUNED_SETTINGS, base=SETTINGS.weights)
    other_folder = Results(results.folder / "other")
    other_folder.append(CELL, SETTINGS, outcomes(1, 3))
    other_folder.append(TUNED, from_these, outcomes(3, 1))
    assert row_of(other_folder, TUNED).gain == 0.5


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [
        (8, 10, 0.490, 0.943),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilson_s(correct: int, n: int, low: float, high: float) -> None:
    """Published values: all but the first are Newcombe's (Statistics in Medicine 17, 1998, table I, method 3)."""
    digits = 3 if n == 10 else 4
    assert tuple(round(bound, digits) for bound in wilson(correct, n)) == (low, high)


@pytest.mark.parametrize("n", [1, 7, 200, 1319])
def test_the_interval_stays_between_0_and_1(n: int) -> None:
    assert wilson(0, n)[0] == 0
    assert wilson(n, n)[1] == 1


def test_an_error_is_neither_correct_nor_incorrect(results: Results) -> None:
    results.append(CELL, SETTINGS, [*outcomes(3, 1), predicted("p8", "error"), predicted("p9", "error")])
    row = row_of(results, CELL)
    assert (row.n, row.correct, row.accuracy, row.errors) == (4, 3, 0.75, 2)


def test_every_other_outcome_counts_as_not_correct_and_has_its_column(results: Results) -> None:
    results.append(CELL, SETTINGS, [*outcomes(1, 1), predicted("p8", "no_answer"), predicted("p9", "truncated")])
    row = row_of(results, CELL)
    assert (row.n, row.accuracy) == (4, 0.25)
    assert (row.correct, row.incorrect, row.no_answer, row.truncated, row.errors) == (1, 1, 1, 1, 0)


def test_a_cell_of_errors_alone_has_no_accuracy(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0", "error")])
    row = row_of(results, CELL)
    assert (row.n, row.accuracy, row.low, row.high) == (0, None, None, None)


def test_degradation_is_over_the_problems_that_both_answered(results: Results) -> None:
    """Clean has p0 to p9, noisy p2 to p9 with an error at p5. Of seven shared, three are correct clean, one noisy."""
    results.append(CLEAN, SETTINGS, outcomes(6, 4))
    noisy = [predicted("p2"), *(predicted(f"p{number}", "incorrect") for number in (3, 4, 6, 7, 8, 9))]
    results.append(CELL, SETTINGS, [*noisy, predicted("p5", "error")])
    row = row_of(results, CELL)
    assert (row.degradation, row.degradation_n) == (pytest.approx(2 / 7), 7)
    assert row_of(results, CLEAN).degradation is None


def test_degradation_is_positive_when_noise_costs_accuracy(results: Results) -> None:
    results.append(CLEAN, SETTINGS, outcomes(9, 1))
    results.append(CELL, SETTINGS, outcomes(4, 6))
    assert row_of(results, CELL).degradation == pytest.approx(0.5)


def test_no_degradation_against_a_clean_cell_of_other_settings(results: Results) -> None:
    """The noise does not cause the difference between two precisions."""
    results.append(CLEAN, OTHER_SETTINGS, outcomes(9, 1))
    results.append(CELL, SETTINGS, outcomes(4, 6))
    row = row_of(results, CELL)
    assert (row.degradation, row.degradation_n) == (None, None)


def test_no_degradation_without_a_problem_in_common(results: Results) -> None:
    results.append(CLEAN, SETTINGS, outcomes(3, 0))
    results.append(CELL, SETTINGS, outcomes(3, 0, first=10))
    row = row_of(results, CELL)
    assert (row.degradation, row.degradation_n) == (None, 0)


def test_rows_can_be_restricted_to_cells_and_records(results: Results) -> None:
    """The clean cell is read from disk although `only` does not name it."""
    results.append(CLEAN, SETTINGS, outcomes(10, 0))
    results.append(CELL, SETTINGS, outcomes(4, 6))
    (row,) = accuracies(results, only={CELL: ["p0", "p9"]})
    assert (row.cell, row.n, row.correct, row.degradation, row.degradation_n) == (CELL, 2, 1, 0.5, 2)


def test_a_requested_cell_without_records_has_a_row_of_zeros(results: Results) -> None:
    (row,) = accuracies(results, only={CELL: ["p0"]})
    assert (row.n, row.accuracy, row.degradation) == (0, None, None)


def test_rows_are_sorted_by_stage_model_and_noise_with_clean_first(results: Results) -> None:
    cells = [
        Cell(model, noise, stage) for stage in ("sft", "zero_shot") for model in "ba" for noise in ("inf", "clean")
    ]
    for cell in cells:
        results.append(cell, SETTINGS, outcomes(1, 0))
    assert [(row.stage, row.model, row.noise) for row in accuracies(results)] == [
        (stage, model, noise) for stage in ("zero_shot", "sft") for model in "ab" for noise in ("clean", "inf")
    ]


def test_the_file_is_tidy_and_can_be_read(results: Results) -> None:
    results.append(CLEAN, SETTINGS, outcomes(9, 1))
    results.append(CELL, SETTINGS, outcomes(2, 1))
    path = results.folder / "accuracy.csv"
    write_accuracy_csv(accuracies(results), path)
    assert path.read_text().splitlines() == [
        "model,stage,noise,n,correct,accuracy,low,high,degradation,degradation_n,incorrect,no_answer,truncated,errors,"
        "gain,gain_n,problems,degradation_low,degradation_high,degradation_p,gain_low,gain_high,seeds,all_seeds,"
        "lowest,highest",
        "diffllama,zero_shot,clean,10,9,0.9,0.59585,0.982124,,,1,0,0,0,,,10,,,,,,1,1,,",
        "diffllama,zero_shot,inf,3,2,0.666667,0.20766,0.938508,0.333333,3,1,0,0,0,,,3,-0.455929,0.855929,1,,,1,1,,",
    ]
    table = pandas.read_csv(path)
    assert table.set_index("noise").loc["inf", "degradation"] == pytest.approx(1 / 3, abs=1e-6)


TUNED = Cell("diffllama", "inf", "sft")
TUNED_SETTINGS = replace(SETTINGS, weights="weights-2")


def test_a_gain_is_over_the_problems_that_the_model_answered_before_and_after(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(1, 3))
    results.append(TUNED, TUNED_SETTINGS, [*outcomes(3, 1), predicted("p8"), predicted("p9", "error")])
    row = row_of(results, TUNED)
    assert (row.gain, row.gain_n) == (0.5, 4)
    found = interval(Differences(numpy.array([0, 1, 1, 0])))
    assert (row.gain_low, row.gain_high) == found
    assert row_of(results, CELL).gain is None


def test_no_gain_if_more_than_the_weights_differs(results: Results) -> None:
    """Another prompt, or other problems, would be attributed to the tuning."""
    results.append(CELL, OTHER_SETTINGS, outcomes(1, 3))
    results.append(TUNED, TUNED_SETTINGS, outcomes(3, 1))
    assert row_of(results, TUNED).gain is None


def test_a_gain_is_in_the_table_with_its_sign(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    results.append(TUNED, TUNED_SETTINGS, outcomes(1, 3))
    assert any(line.split() == ["gain", "-50.0"] for line in accuracy_table(accuracies(results)))


@pytest.mark.parametrize("changed", [{"question": "Ann has 2 caps?", "spans": ()}, {"target": "6"}, {"grading": "9"}])
def test_no_degradation_against_another_problem_of_the_same_id(results: Results, changed: dict[str, Any]) -> None:
    """The file of the problems, a gold answer or the grading code was changed before the noisy cell was made."""
    results.append(CLEAN, SETTINGS, outcomes(3, 1))
    results.append(CELL, SETTINGS, [predicted("p0", "incorrect"), predicted("p1", "no_answer", **changed)])
    row = row_of(results, CELL)
    assert (row.degradation, row.degradation_n) == (1.0, 1)
