from __future__ import annotations

import time
from pathlib import Path

import pandas
import pytest

from reports.stats.attention_stats import (
    AttentionRow,
    attention_rows,
    measured_cell,
    measured_cells,
    rows_of_cells,
    write_attention_csv,
)
from reports.store.atomic_io import ResultsDamaged
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.reports.attention_factories import (
    ATTENTION_CELL,
    ATTENTION_SETTINGS,
    CLEAN_ATTENTION_CELL,
    SEGMENTS,
    failed_reading,
    reading,
    readings,
)
from tests.reports.record_factories import CELL, SETTINGS, outcomes


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def only_row(rows: list[AttentionRow], **columns: object) -> AttentionRow:
    (row,) = [row for row in rows if all(getattr(row, name) == value for name, value in columns.items())]
    return row


def two_problems(results: Results) -> list[AttentionRow]:
    """Return the rows of two problems, two layers and one head, with numbers that are easy to check."""
    shape = {"layers": (4, 6), "lambdas": (0.25, 0.5), "segments": ("kmi", "ni")}
    results.append(
        ATTENTION_CELL,
        ATTENTION_SETTINGS,
        [
            reading(
                "p0",
                **shape,
                tokens=(0.5, 0.5),
                signed=(((0.75, 0.0),), ((0.6, -0.1),)),
                absolute=(((1.0, 0.0),), ((0.75, 0.25),)),
            ),
            reading(
                "p1",
                **shape,
                tokens=(0.75, 0.25),
                signed=(((0.25, 0.5),), ((0.4, 0.1),)),
                absolute=(((0.5, 0.5),), ((0.75, 0.25),)),
            ),
        ],
    )
    return attention_rows(results)


def test_a_head_is_averaged_over_problems(results: Results) -> None:
    rows = two_problems(results)
    row = only_row(rows, layer=4, head=0, segment="ni", measure="absolute")
    assert (row.mean, row.n) == (0.25, 2)
    assert row.std == pytest.approx(0.5 / 2**0.5)
    assert only_row(rows, layer=6, head=0, segment="ni", measure="signed").mean == pytest.approx(0)
    assert (row.model, row.checkpoint, row.noise) == ("diffllama", "weights-1", "inf")


def test_lift_is_the_mean_of_ratios(results: Results) -> None:
    """The ratio of the means would be 0.25 / 0.375."""
    assert only_row(two_problems(results), layer=4, head=0, segment="ni", measure="lift").mean == 1.0


def test_overall_rows_average_layers_and_heads_within_each_problem_first(results: Results) -> None:
    row = only_row(two_problems(results), layer=None, head=None, segment="ni", measure="absolute")
    assert row.mean == 0.25
    assert row.std == pytest.approx(0.25 / 2**0.5)  # of 0.125 and 0.375
    assert row.n == 2


def test_the_overall_rows_are_over_every_layer_and_head(results: Results) -> None:
    shares = (((1.0, 0.0), (0.5, 0.5)), ((0.0, 1.0), (0.25, 0.75)))
    shape = {"layers": (0, 1), "heads": (0, 1), "segments": ("kmi", "ni"), "tokens": (0.5, 0.5)}
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0", **shape, signed=shares, absolute=shares)])
    rows = attention_rows(results)
    assert only_row(rows, layer=None, segment="ni", measure="absolute").mean == 0.5625
    assert only_row(rows, layer=None, segment="ni", measure="lift").mean == 1.125
    assert only_row(rows, layer=1, head=0, segment="ni", measure="absolute").mean == 1.0


def test_tokens_and_lambdas_have_rows(results: Results) -> None:
    rows = two_problems(results)
    assert only_row(rows, measure="tokens", segment="kmi", layer=None, head=None).mean == 0.625
    lambdas = [row for row in rows if row.measure == "lambda"]
    assert [(row.layer, row.head, row.segment, row.mean, row.std, row.n) for row in lambdas] == [
        (4, None, None, 0.25, None, 1),
        (6, None, None, 0.5, None, 1),
    ]


def test_an_ordinary_model_has_no_lambda(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    assert "lambda" not in {row.measure for row in attention_rows(results)}


def test_a_problem_without_a_segment_has_no_lift_of_it(results: Results) -> None:
    lacking = reading("p1", tokens=(0.5, 0.0, 0.25, 0.125, 0.125), absolute=(((0.5, 0.0, 0.25, 0.125, 0.125),),))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0"), lacking])
    rows = attention_rows(results)
    lift = only_row(rows, layer=None, segment="ni", measure="lift")
    assert (lift.mean, lift.std, lift.n) == (2.0, None, 1)
    assert only_row(rows, layer=None, segment="ni", measure="absolute").n == 2


def test_clean_text_has_no_lift_of_noise(results: Results) -> None:
    results.append(CLEAN_ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1"], 2, 2, noisy=False))
    lifts = {row.segment for row in attention_rows(results) if row.measure == "lift"}
    assert lifts == set(SEGMENTS) - {"ni"}


def test_errors_are_left_out(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0"), failed_reading("p1")])
    results.append(CLEAN_ATTENTION_CELL, ATTENTION_SETTINGS, [failed_reading("p1")])
    rows = attention_rows(results)
    assert {(row.noise, row.n) for row in rows} == {("inf", 1)}


def test_predictions_have_no_rows(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(1, 1))
    assert attention_rows(results) == []


def test_rows_can_be_restricted_to_cells_and_records(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1", "p2"], 1, 2))
    results.append(CLEAN_ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0"], 1, 2))
    rows = attention_rows(results, only={ATTENTION_CELL: ["p0", "p2", "p9"], CELL: ["p0"]})
    assert {(row.noise, row.n) for row in rows} == {("inf", 2)}


def test_clean_comes_first_and_depths_are_in_numeric_order(results: Results) -> None:
    names = ("sd", "needle100", "clean", "inf", "needle25", "needle0")
    for noise in names:
        results.append(Cell("llama", noise, "attention"), ATTENTION_SETTINGS, [reading("p0")])
    order = [cell.cell.noise for cell in measured_cells(results)]
    assert order == ["clean", "inf", "sd", "needle0", "needle25", "needle100"]


def test_readings_of_two_shapes_in_a_file_are_an_error(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [*readings(["p0"], 1, 2), *readings(["p1"], 2, 2)])
    with pytest.raises(
        ResultsDamaged, match=r"inf\.jsonl: expected readings of the same .* problem 'p1' has others than 'p0'"
    ):
        attention_rows(results)


def test_readings_need_no_folder() -> None:
    cell = measured_cell(ATTENTION_CELL, "0123456789abcdef", "queries answer", [failed_reading("p1"), reading("p0")])
    assert (cell.checkpoint, cell.scope, len(cell.tokens)) == ("0123456789ab", "queries answer", 1)
    assert only_row(rows_of_cells([cell]), layer=0, segment="ni", measure="lift").mean == 2.0
    with pytest.raises(ValueError, match="diffllama-inf-attention: expected at least one reading"):
        measured_cell(ATTENTION_CELL, "0123", "", [failed_reading("p1")])


def test_the_csv_is_tidy_with_integers_and_empty_fields(results: Results, tmp_path: Path) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0", lambdas=(1 / 3,))])
    write_attention_csv(attention_rows(results), tmp_path / "attention.csv")
    lines = (tmp_path / "attention.csv").read_text().splitlines()
    assert lines[0] == "model,checkpoint,noise,layer,head,segment,measure,mean,std,n"
    assert "diffllama,weights-1,inf,0,0,ni,lift,2,,1" in lines
    assert "diffllama,weights-1,inf,,,ni,tokens,0.125,,1" in lines
    assert "diffllama,weights-1,inf,0,,,lambda,0.333333,,1" in lines
    assert len(pandas.read_csv(tmp_path / "attention.csv")) == (3 * 5 + 3) * 2 + 5 + 1


@pytest.mark.slow
def test_a_folder_of_the_usual_size_takes_a_few_seconds(results: Results, tmp_path: Path) -> None:
    """100 problems × 16 layers × 16 heads × 8 cells: under one second on two cores."""
    ids = [f"p{number}" for number in range(100)]
    for number in range(8):
        results.append(Cell("llama", f"noise-{number}", "attention"), ATTENTION_SETTINGS, readings(ids, 16, 16))
    started = time.perf_counter()
    write_attention_csv(rows_of_cells(measured_cells(results)), tmp_path / "attention.csv")
    assert time.perf_counter() - started < 10


def test_a_lambda_of_the_text_is_averaged_and_spreads_over_texts_and_tokens(results: Results) -> None:
    """The variance of all tokens is the mean of the texts' variances and the variance of their means."""
    shape = {"layers": (4, 6), "segments": ("kmi", "ni"), "tokens": (0.5, 0.5)}
    shares = (((0.5, 0.5),), ((0.5, 0.5),))
    made = [
        reading(id, **shape, signed=shares, absolute=shares, lambdas=lambdas, lambda_stds=spreads)
        for id, lambdas, spreads in (("p0", (0.25, 0.5), (0.3, 0.0)), ("p1", (0.25, 0.7), (0.3, 0.0)))
    ]
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, made)
    rows = [row for row in attention_rows(results) if row.measure == "lambda"]
    assert [(row.layer, row.n) for row in rows] == [(4, 2), (6, 2)]
    assert [row.mean for row in rows] == pytest.approx([0.25, 0.6])
    assert [row.std for row in rows] == pytest.approx([0.3, 0.1])
