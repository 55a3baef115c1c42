from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reports.plots.accuracy_plot import accuracy_figure, write_accuracy_plot
from reports.stats.accuracies import accuracies
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.reports.record_factories import SETTINGS, outcomes, predicted
from tests.reports.rendered_figures import overlapping

PNG = b"\x89PNG\r\n\x1a\n"


def test_the_picture_is_a_png_whatever_was_measured(tmp_path: Path) -> None:
    """Many models, two stages, a cell without an answer, a noise that one model lacks."""
    results = Results(tmp_path)
    for number in range(8):
        results.append(Cell(f"model-{number}", "clean", "zero_shot"), SETTINGS, outcomes(number, 3))
    results.append(Cell("model-0", "inf", "zero_shot"), SETTINGS, [predicted("p0", "error")])
    results.append(Cell("model-0+sft", "inf", "sft"), SETTINGS, outcomes(3, 0))
    write_accuracy_plot(accuracies(results), tmp_path / "accuracy.png")
    assert (tmp_path / "accuracy.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("noises", [["clean", "inf", "rcs", "sd"], ["clean", "near", "inf", "rcs", "filler:near"]])
def test_few_noises_are_named_side_by_side(tmp_path: Path, noises: list[str]) -> None:
    results = Results(tmp_path)
    for noise in noises:
        results.append(Cell("llama", noise, "zero_shot"), SETTINGS, outcomes(3, 1))
    figure = accuracy_figure(accuracies(results))
    assert overlapping(figure, figure.axes[0].get_xticklabels()) == []
    assert {label.get_rotation() for label in figure.axes[0].get_xticklabels()} == {0.0}


def test_many_noises_are_named_at_a_slant(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for noise in ("clean", *(f"{placebo}{noise}" for noise in ("near", "inf", "rcs") for placebo in ("", "filler:"))):
        results.append(Cell("llama", noise, "zero_shot"), SETTINGS, outcomes(3, 1))
    (panel,) = accuracy_figure(accuracies(results)).axes
    assert {label.get_rotation() for label in panel.get_xticklabels()} == {30.0}


def test_a_picture_of_nothing_but_errors_can_be_drawn(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.append(Cell("llama", "clean", "zero_shot"), SETTINGS, [predicted("p0", "error")])
    write_accuracy_plot(accuracies(results), tmp_path / "accuracy.png")
    assert (tmp_path / "accuracy.png").exists()


def test_drawing_leaves_matplotlib_s_global_state_alone(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.append(Cell("llama", "clean", "zero_shot"), SETTINGS, outcomes(2, 1))
    had_pyplot = "matplotlib.pyplot" in sys.modules
    write_accuracy_plot(accuracies(results), tmp_path / "accuracy.png")
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot


def test_nothing_to_plot_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one cell"):
        write_accuracy_plot([], tmp_path / "accuracy.png")
    assert not list(tmp_path.iterdir())
