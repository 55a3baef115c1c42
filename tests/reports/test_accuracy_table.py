from __future__ import annotations

from dataclasses import replace

import pytest

from reports.stats.accuracies import CellAccuracy
from reports.stats.proportions import wilson
from reports.tables.accuracy_table import accuracy_table

pytestmark = pytest.mark.quick


def row(
    model: str, noise: str, correct: int = 150, n: int = 200, stage: str = "zero_shot", errors: int = 0
) -> CellAccuracy:
    low, high = wilson(correct, n) if n else (None, None)
    accuracy = correct / n if n else None
    degradation, shared = (None, None) if noise == "clean" else (0.1234, n)
    return CellAccuracy(
        model, stage, noise, n, correct, accuracy, low, high, degradation, shared, n - correct, 0, 0, errors, problems=n
    )


def grid(models: list[str], noises: list[str], **facts: int) -> list[CellAccuracy]:
    return [row(model, noise, **facts) for model in models for noise in noises]


FOUR = ["clean", "inf", "rcs", "sd"]


def test_the_table_reads_as_it_should() -> None:
    lines = accuracy_table([row("diffllama", "clean"), row("diffllama", "inf", 120), row("llama", "clean", 200)])
    assert lines == [
        "zero_shot, 200 problems a cell",
        "                               clean         inf",
        "diffllama  accuracy %           75.0        60.0",
        "           95 % interval   68.6-80.5   53.1-66.5",
        "           degradation                      12.3",
        "llama      accuracy %          100.0            ",
        "           95 % interval  98.1-100.0            ",
        "",
    ]


@pytest.mark.parametrize("models", [["diffllama", "llama"], ["diffllama-375m", "llama-375m"], ["org/" + "x" * 60]])
def test_four_noises_fit_80_columns(models: list[str]) -> None:
    lines = accuracy_table(grid(models, FOUR, correct=200))
    assert max(map(len, lines)) <= 80
    assert sum("clean" in line and "sd" in line for line in lines) == 1


def test_several_draws_of_a_noise_are_said_in_the_heading() -> None:
    lines = accuracy_table(
        [replace(row("llama", "clean"), problems=200), replace(row("llama", "inf", n=590), problems=200)]
    )
    assert lines[0] == "zero_shot, 200 problems a cell, each noise drawn 3 times"


def test_noises_that_do_not_fit_follow_in_another_block() -> None:
    noises = [*FOUR, "inf+rcs", "inf+sd", "everything-at-once"]
    lines = accuracy_table(grid(["diffllama", "llama"], noises))
    assert max(map(len, lines)) <= 80
    assert all(any(noise in line.split() for line in lines) for noise in noises)


def test_stages_stand_one_under_the_other() -> None:
    lines = accuracy_table([row("llama", "clean"), row("llama+sft", "clean", stage="sft")])
    assert [line for line in lines if "problems a cell" in line] == [
        "zero_shot, 200 problems a cell",
        "sft, 200 problems a cell",
    ]


def test_sizes_are_given_by_cell_when_they_differ() -> None:
    lines = accuracy_table([row("llama", "clean"), row("llama", "inf", 60, 120)])
    assert lines[0] == "zero_shot"
    assert [line.split()[1:] for line in lines if "problems" in line] == [["200", "120"]]


def test_errors_have_a_line_only_where_there_are_any() -> None:
    assert not any("errors" in line for line in accuracy_table([row("llama", "clean")]))
    lines = accuracy_table([row("llama", "clean"), row("llama", "inf", errors=3)])
    assert [line.split() for line in lines if "errors" in line] == [["errors", "3"]]


def test_a_cell_without_an_answer_shows_dashes() -> None:
    lines = accuracy_table([row("llama", "clean", 0, 0, errors=5)])
    assert [line.split()[-1] for line in lines if "accuracy" in line or "interval" in line] == ["-", "-"]


def test_a_narrow_terminal_still_gets_every_figure() -> None:
    lines = accuracy_table(grid(["llama"], FOUR), width=20)
    assert sum("75.0" in line for line in lines) == len(FOUR)


def test_no_rows_make_no_table() -> None:
    assert accuracy_table([]) == []
