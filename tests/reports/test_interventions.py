"""Interventions: levels, effects, the parts of what noise costs, their differences between models, and faults."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from statsmodels.stats.contingency_tables import mcnemar

from reports.stats.intervention_contrasts import intervention_rows
from reports.stats.intervention_rows import (
    COLUMNS,
    COST,
    EFFECT,
    FAULT,
    PART,
    PART_DIFFERENCE,
    PARTS,
    SHARE,
    TOTAL,
    InterventionRow,
    write_interventions_csv,
)
from reports.stats.intervention_scores import condition_order, intervention_cells
from reports.stats.paired_tests import Differences, interval
from reports.stats.proportions import wilson
from reports.store.records import draw_id
from reports.store.results_folder import Results
from tests.reports.intervention_factories import (
    DIFFLLAMA,
    LLAMA,
    NATS,
    cut_cell,
    intervention,
    interventions,
    random_nats,
    rights,
)
from tests.reports.record_factories import SETTINGS, question_of

pytestmark = pytest.mark.quick
FOUR = ("clean", "noisy", "everywhere", "moved")


@pytest.fixture(autouse=True)
def _no_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computing the power takes nearly all of the time, and other tests are about it."""
    monkeypatch.setattr("reports.stats.comparisons.detectable_effect", lambda differences, alpha: 0.1234)
    monkeypatch.setattr("reports.stats.comparisons.needed_problems", lambda differences, alpha: 12_345)


def only(rows: list[InterventionRow], contrast: str, **wanted: object) -> InterventionRow:
    (row,) = [
        row
        for row in rows
        if row.contrast == contrast and all(getattr(row, name) == value for name, value in wanted.items())
    ]
    return row


def parts(rows: list[InterventionRow], measure: str = "accuracy", model: str = "llama") -> dict[str, float | None]:
    found = [row for row in rows if (row.contrast, row.measure, row.model) == (PART, measure, model)]
    return {row.of: row.estimate for row in found}


LETTERS = st.lists(st.text("10ne", min_size=4, max_size=4), min_size=1, max_size=30)


@given(LETTERS)
def test_the_three_parts_sum_to_the_whole_over_the_same_problems(letters: list[str]) -> None:
    """Whatever the answers are, and whichever of them are errors: those problems are left out of every part."""
    answers = {condition: "".join(of_problem[k] for of_problem in letters) for k, condition in enumerate(FOUR)}
    rows = [row for row in intervention_rows([cut_cell("llama", interventions(answers))]) if row.contrast == PART]
    whole = [of_problem for of_problem in letters if "e" not in of_problem]
    assert {row.clusters for row in rows} <= {len(whole)}
    by_part = {row.of: row.estimate for row in rows}
    if not whole:
        assert set(by_part.values()) <= {None}
        return
    lost = numpy.mean([(of_problem[0] == "1") - (of_problem[1] == "1") for of_problem in whole])
    assert by_part[TOTAL] == pytest.approx(lost, abs=1e-12)
    assert sum(by_part[part] or 0.0 for part in PARTS) == pytest.approx(lost, abs=1e-12)


@given(st.integers(2, 30), st.integers(0, 10_000), st.lists(st.floats(-3, 0), min_size=4, max_size=4))
def test_the_parts_of_the_likelihood_sum_too(n: int, seed: int, means: list[float]) -> None:
    nats = random_nats(dict(zip(FOUR, means, strict=True)), n, seed)
    by_part = parts(
        intervention_rows([cut_cell("llama", interventions(rights(dict.fromkeys(FOUR, 1), n), nats))]), "likelihood"
    )
    lost = numpy.mean(numpy.array(nats["clean"]) - nats["noisy"])
    assert by_part[TOTAL] == pytest.approx(lost, abs=1e-9)
    assert sum(by_part[part] or 0.0 for part in PARTS) == pytest.approx(lost, abs=1e-9)


@given(LETTERS, st.integers(0, 9))
def test_a_model_and_itself_under_another_name_differ_in_nothing(letters: list[str], seed: int) -> None:
    answers = {condition: "".join(of_problem[k] for of_problem in letters) for k, condition in enumerate(FOUR)}
    nats = random_nats(dict.fromkeys(FOUR, -1.0), len(letters), seed)
    records = interventions(answers, nats)
    rows = intervention_rows([cut_cell("one", records), cut_cell("two", records)])
    differences = [row for row in rows if row.contrast == PART_DIFFERENCE and row.clusters]
    assert all(row.estimate == 0 for row in differences)
    assert all(row.p == row.p_adjusted == 1 for row in differences if row.measure == "accuracy")
    assert all(row.p is None for row in differences if row.measure == "likelihood"), "there is nothing to test"


@pytest.mark.parametrize(
    ("everywhere", "moved", "whole"),
    [(90, 90, "reading"), (40, 90, "displacement"), (40, 40, "rest")],
)
def test_what_brings_everything_back_is_the_whole(everywhere: int, moved: int, whole: str) -> None:
    answers = rights({"clean": 90, "noisy": 40, "everywhere": everywhere, "moved": moved})
    found = parts(intervention_rows([cut_cell("llama", interventions(answers))]))
    assert found == {TOTAL: pytest.approx(0.5)} | {part: pytest.approx(0.5 if part == whole else 0.0) for part in PARTS}


def test_a_part_may_be_negative() -> None:
    found = parts(intervention_rows([cut_cell("diffllama", interventions(DIFFLLAMA))]), model="diffllama")
    assert found == {
        TOTAL: pytest.approx(0.27),
        "reading": pytest.approx(-0.05),
        "displacement": pytest.approx(0.29),
        "rest": pytest.approx(0.03),
    }


def test_intervals_and_tests_are_those_of_paired_differences() -> None:
    """Against statsmodels' McNemar and this project's own interval, of 100 problems by hand."""
    noisy, cut = "1" * 30 + "0" * 70, "0" * 5 + "1" * 45 + "0" * 50
    records = interventions({"clean": "1" * 100, "noisy": noisy, "everywhere": cut, "moved": "1" * 100})
    rows = intervention_rows([cut_cell("llama", records)])
    values = numpy.array([int(after) - int(before) for before, after in zip(noisy, cut, strict=True)], dtype=float)
    for row in (only(rows, PART, of="reading"), only(rows, EFFECT, of="everywhere")):
        assert row.estimate == pytest.approx(0.15)
        assert (row.low, row.high) == interval(Differences(values))
        assert row.p == pytest.approx(mcnemar([[25, 5], [20, 50]], exact=True).pvalue)
        assert (row.n, row.clusters) == (100, 100)


def test_likelihoods_have_students_interval_and_test() -> None:
    nats = random_nats(NATS, 40)
    rows = intervention_rows([cut_cell("llama", interventions(rights(dict.fromkeys(NATS, 20), 40), nats))])
    expected = ttest_1samp(numpy.array(nats["everywhere"]) - nats["noisy"], 0.0)
    row = only(rows, EFFECT, of="everywhere", measure="likelihood")
    assert row.p == pytest.approx(expected.pvalue)
    assert (row.low, row.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    level = only(rows, "likelihood", of="moved")
    assert level.estimate == pytest.approx(numpy.mean(nats["moved"]))


def test_levels_are_accuracies_with_wilsons_interval() -> None:
    rows = intervention_rows([cut_cell("llama", interventions(LLAMA))])
    row = only(rows, "accuracy", of="answer")
    assert (row.estimate, row.low, row.high) == (pytest.approx(0.57), *wilson(57, 100))
    assert row.p is None
    assert [row.of for row in rows if row.contrast == "accuracy"] == [
        *("clean", "noisy", "answer", "everywhere", "moved", "displaced", "placebo"),
    ]


def test_a_condition_of_the_clean_text_is_a_cost_and_every_other_an_effect() -> None:
    answers = rights({"clean": 90, "noisy": 50, "placebo": 40, "displaced": 60, "lambda0_clean": 80, "lambda0": 30})
    rows = intervention_rows([cut_cell("llama", interventions(answers))])
    changed = {
        row.of: (row.contrast, round(100 * (row.estimate or 0))) for row in rows if row.contrast in (EFFECT, COST)
    }
    assert changed == {
        "clean": (EFFECT, 40),
        "placebo": (EFFECT, -10),
        "lambda0": (EFFECT, -20),
        "displaced": (COST, 30),
        "lambda0_clean": (COST, 10),
    }
    assert not [row for row in rows if row.contrast == PART], "not all of the four conditions are there"


def test_the_difference_of_a_part_is_that_of_the_second_model_minus_that_of_the_first() -> None:
    cells = [cut_cell("diffllama", interventions(DIFFLLAMA)), cut_cell("llama", interventions(LLAMA))]
    rows = intervention_rows(cells)
    row = only(rows, PART_DIFFERENCE, of="reading")
    assert (row.model, row.against) == ("diffllama", "llama")
    assert row.estimate == pytest.approx(0.27 - -0.05)
    by_part = {row.of: row.estimate or 0.0 for row in rows if row.contrast == PART_DIFFERENCE}
    assert sum(by_part[part] for part in PARTS) == pytest.approx(by_part[TOTAL])


def test_the_family_of_the_differences_is_one_measure() -> None:
    cells = [
        cut_cell(model, interventions(answers, random_nats(NATS | {"everywhere": cut}, 100, len(model))), noise)
        for model, answers, cut in (("diffllama", DIFFLLAMA, -0.7), ("llama", LLAMA, -0.4))
        for noise in ("inf", "sd")
    ]
    rows = [row for row in intervention_rows(cells) if row.contrast == PART_DIFFERENCE]
    assert len(rows) == 2 * 2 * 4
    for measure in ("accuracy", "likelihood"):
        family = [row for row in rows if row.measure == measure]
        smallest = min(family, key=lambda row: row.p or 0.0)
        assert smallest.p_adjusted == pytest.approx(8 * (smallest.p or 0.0))
        assert {row.detectable for row in family} == {0.1234}


@pytest.mark.parametrize(
    "other",
    [
        {"model": "llama+sft"},
        {"model": "llama", "precision": "bfloat16"},
        {"model": "llama", "noise": "sd"},
    ],
    ids=str,
)
def test_cells_that_were_not_asked_alike_are_not_compared(other: dict[str, str]) -> None:
    records = interventions(LLAMA)
    rows = intervention_rows([cut_cell("diffllama", records), cut_cell(records=records, **other)])  # type: ignore[arg-type]
    assert not [row for row in rows if row.contrast == PART_DIFFERENCE]


def test_the_heads_of_a_cut_are_a_model_s_own_and_keep_no_pair_apart() -> None:
    records = interventions(LLAMA)
    cells = [cut_cell(model, records, attention=f"heads of {model}") for model in ("diffllama", "llama")]
    assert len([row for row in intervention_rows(cells) if row.contrast == PART_DIFFERENCE]) == 4


def test_answers_of_another_tokenizer_are_compared_in_accuracy_alone() -> None:
    records = interventions(LLAMA, random_nats(NATS, 100))
    longer = [replace(record, gold_tokens=record.gold_tokens + 1) for record in records]
    rows = intervention_rows([cut_cell("diffllama", records), cut_cell("llama", longer)])
    assert {row.measure for row in rows if row.contrast == PART_DIFFERENCE} == {"accuracy"}


def test_errors_are_left_out_pairwise_and_draws_are_averaged() -> None:
    """Problem p1 has two draws, of which one is right without the noise; p2 has an error in one condition."""
    ids = ["p0", "p1", draw_id("p1", 1), "p2"]
    letters = {"clean": "1111", "noisy": "1000", "everywhere": "101e", "moved": "1111"}
    records = [
        intervention(id, condition, letter)
        for condition, of_condition in letters.items()
        for id, letter in zip(ids, of_condition, strict=True)
    ]
    rows = intervention_rows([cut_cell("llama", records)])
    assert only(rows, PART, of=TOTAL, measure="accuracy").estimate == pytest.approx((0 + 1) / 2)
    assert only(rows, PART, of="reading", measure="accuracy").estimate == pytest.approx((0 + 0.5) / 2)
    assert {(row.n, row.clusters) for row in rows if row.contrast == PART} == {(3, 2)}
    assert (only(rows, "accuracy", of="everywhere").n, only(rows, "accuracy", of="noisy").n) == (3, 4)
    assert only(rows, EFFECT, of="moved", measure="accuracy").clusters == 3


def test_a_draw_that_only_one_condition_has_keeps_its_problem_out() -> None:
    records = [intervention("p0", condition, "1") for condition in FOUR]
    records += [intervention(draw_id("p0", 1), condition, "e" if condition == "noisy" else "1") for condition in FOUR]
    rows = intervention_rows([cut_cell("llama", records)])
    assert {row.clusters for row in rows if row.contrast == PART} == {0}


def test_records_of_one_measure_have_the_rows_of_that_measure() -> None:
    answers = rights(dict.fromkeys(FOUR, 5), 10)
    without_likelihood = intervention_rows([cut_cell("llama", interventions(answers))])
    assert {row.measure for row in without_likelihood if row.contrast == PART} == {"accuracy"}
    measured = [
        replace(record, outcome="measured", text="", answer=None, fault="")
        for record in interventions(answers, random_nats(dict.fromkeys(FOUR, -1.0), 10))
    ]
    rows = intervention_rows([cut_cell("llama", measured)])
    assert {row.measure for row in rows} == {"likelihood"}


def test_faults_are_counted_among_the_wrong_answers_of_each_condition() -> None:
    answers = {"clean": "1" * 10, "noisy": "0" * 6 + "n" * 2 + "11", "everywhere": "0" + "1" * 9, "moved": "1" * 10}
    records = [
        replace(record, fault="noise number" if record.problem in ("p0", "p1", "p2") else "arithmetic")
        if record.outcome == "incorrect"
        else record
        for record in interventions(answers)
    ]
    rows = intervention_rows([cut_cell("llama", records)])
    shares = {(row.of, row.fault): (row.count, row.n) for row in rows if row.contrast == FAULT}
    assert shares == {
        ("noisy", "arithmetic"): (3, 8),
        ("noisy", "no_answer"): (2, 8),
        ("noisy", "noise number"): (3, 8),
        ("everywhere", "arithmetic"): (0, 1),
        ("everywhere", "no_answer"): (0, 1),
        ("everywhere", "noise number"): (1, 1),
    }
    row = only(rows, FAULT, of="noisy", fault="no_answer")
    assert (row.measure, row.estimate, row.low, row.high) == (SHARE, 0.25, *wilson(2, 8))


def test_the_records_on_disk_make_the_rows(tmp_path: Path) -> None:
    results = Results(tmp_path)
    cell = cut_cell("llama", interventions(LLAMA))
    results.append(cell.cell, SETTINGS, cell.records)
    (read,) = intervention_cells(results)
    assert intervention_rows([read]) == intervention_rows([cell])
    some = intervention_cells(results, {cell.cell: [f"p{n} {condition}" for n in range(5) for condition in LLAMA]})
    assert only(intervention_rows(some), PART, of=TOTAL).clusters == 5
    assert intervention_cells(results, {}) == []


def test_the_file_has_a_figure_a_row(tmp_path: Path) -> None:
    rows = intervention_rows([cut_cell("llama", interventions(LLAMA, random_nats(NATS, 100)))])
    write_interventions_csv(rows, tmp_path / "interventions.csv")
    lines = list(csv.DictReader((tmp_path / "interventions.csv").read_text().splitlines()))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == len(rows)
    (line,) = [
        line for line in lines if (line["contrast"], line["of"], line["measure"]) == (PART, "reading", "accuracy")
    ]
    assert (line["model"], line["noise"], line["estimate"], line["n"], line["count"]) == (
        "llama",
        "inf",
        "0.27",
        "100",
        "",
    )


def test_conditions_stand_in_the_order_of_the_question() -> None:
    names = [
        "layer10",
        "layer2",
        "lambda0_clean",
        "lambda0",
        "moved",
        "noisy",
        "clean",
        "first",
        "placebo",
        "everywhere",
    ]
    assert sorted(names, key=condition_order) == [
        *("clean", "noisy", "everywhere", "moved", "placebo", "first"),
        *("lambda0", "lambda0_clean", "layer2", "layer10"),
    ]


def test_the_texts_of_two_models_are_the_same_or_not_compared() -> None:
    records = interventions(LLAMA)
    other = [replace(record, question=question_of("another")) for record in records]
    rows = intervention_rows([cut_cell("diffllama", records), cut_cell("llama", other)])
    assert {row.clusters for row in rows if row.contrast == PART_DIFFERENCE} == {0}
