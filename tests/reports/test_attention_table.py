from __future__ import annotations

from pathlib import Path

import pytest

from reports.stats.attention_stats import measured_cells
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.tables.attention_table import attention_table, table_of_cells
from tests.reports.attention_factories import (
    ATTENTION_CELL,
    ATTENTION_SETTINGS,
    CLEAN_ATTENTION_CELL,
    NEEDLE_SEGMENTS,
    SEGMENTS,
    reading,
    readings,
)

pytestmark = pytest.mark.quick


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def test_the_table_reads_as_it_should(results: Results) -> None:
    more = {"absolute": (((0.125, 0.375, 0.125, 0.25, 0.125),),)}
    clean = {"tokens": (0.5, 0.0, 0.25, 0.125, 0.125), "absolute": (((0.5, 0.0, 0.125, 0.25, 0.125),),)}
    results.append(
        ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0", lambdas=(0.375,)), reading("p1", lambdas=(0.375,), **more)]
    )
    results.append(
        CLEAN_ATTENTION_CELL, ATTENTION_SETTINGS, [reading(id, lambdas=(0.375,), **clean) for id in ("p0", "p1")]
    )
    assert table_of_cells(measured_cells(results)) == [
        "attention: lift of each segment (1 = its share of the tokens),",
        "  mean ± std over 2 problems a cell; queries answer; layers all; heads all",
        "  KMI: key maths information (numbers, what they count, the question), NI: the",
        "  noise, OC: other content",
        "                             KMI               NI               OC",
        "diffllama-clean      1.00 ± 0.00                -      0.50 ± 0.00",
        "diffllama-inf        0.75 ± 0.35      2.50 ± 0.71      0.50 ± 0.00",
        "",
        "lift within the question (the answer's own tokens left out)",
        "                             KMI               NI               OC",
        "diffllama-clean      1.20 ± 0.00                -      0.60 ± 0.00",
        "diffllama-inf        0.75 ± 0.35      2.50 ± 0.71      0.50 ± 0.00",
        "",
        "share of absolute attention, %",
        "                             KMI               NI               OC",
        "diffllama-clean       50.0 ± 0.0                -       12.5 ± 0.0",
        "diffllama-inf         18.8 ± 8.8       31.2 ± 8.8       12.5 ± 0.0",
        "",
        "signed attention, % (sums to 1 − λ where the model is differential)",
        "                             KMI               NI               OC",
        "diffllama-clean       25.0 ± 0.0                -       12.5 ± 0.0",
        "diffllama-inf         25.0 ± 0.0       25.0 ± 0.0       12.5 ± 0.0",
        "",
        "λ by layer: diffllama 0.38",
        "",
    ]


@pytest.mark.parametrize("model", ["diffllama", "org/" + "x" * 60])
def test_80_columns_are_enough(results: Results, model: str) -> None:
    for noise in ("clean", "inf", "needle0", "needle25", "needle50", "needle75", "needle100"):
        cell = Cell(model, noise, "attention")
        segments = NEEDLE_SEGMENTS if noise.startswith("needle") else SEGMENTS
        made = readings(["p0", "p1"], 32, 2, lambdas=True, noisy=noise != "clean", segments=segments)
        results.append(cell, ATTENTION_SETTINGS, made)
    lines = table_of_cells(measured_cells(results))
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(model) and "±" not in line for line in lines) in (2, 10)
    lambdas = "\n".join(lines).partition("λ by layer:")[2].partition("\n\n")[0]
    assert len([word for word in lambdas.split() if word.startswith("0.")]) == 32


def test_one_problem_has_no_std(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    assert any(
        line.split() == ["diffllama-inf", *"1.00 ± - 2.00 ± - 0.50 ± -".split()]
        for line in table_of_cells(measured_cells(results))
    )


def test_cells_of_different_size_are_said_so(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1", "p2"], 1, 1))
    results.append(CLEAN_ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0"], 1, 1))
    assert any("1 to 3 problems a cell" in line for line in table_of_cells(measured_cells(results)))


def test_no_rows_make_no_table() -> None:
    assert attention_table([]) == []
    assert table_of_cells([]) == []


def test_a_lambda_of_the_text_has_a_spread_and_layers_of_a_mixed_stack_a_name(results: Results) -> None:
    shape = {"layers": (1, 3), "signed": (((0.2,) * 5,), ((0.2,) * 5,)), "absolute": (((0.2,) * 5,), ((0.2,) * 5,))}
    made = [reading("p0", **shape, lambdas=(0.25, 0.5), lambda_stds=(0.125, 0.25))]
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, made)
    lines = table_of_cells(measured_cells(results))
    assert "λ by layer: diffllama-inf 1: 0.25 ± 0.12, 3: 0.50 ± 0.25" in lines
