"""Doses in the reports: their order, what a mean over noises is a mean of, and the curve."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.plots.dose_plot import dose_figure, write_doses
from reports.stats.accuracies import accuracies
from reports.stats.comparisons import comparisons
from reports.stats.noise_doses import noise_order, smallest_doses, split_dose
from reports.stats.problem_scores import all_scores
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.tables.narrative import sentences
from tests.reports.record_factories import SETTINGS, outcomes


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """llama loses 2 of 10 with a distractor more, and diffllama 1."""
    made = Results(tmp_path / "results")
    for model, step in (("diffllama", 1), ("llama", 2)):
        for noise, dose in (("clean", 0), ("inf", 1), ("inf2", 2), ("inf4", 4), ("sd", 1)):
            made.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(10 - step * dose, step * dose))
    return made


def test_a_name_tells_its_dose() -> None:
    assert [split_dose(name) for name in ("clean", "inf", "inf16", "my2nd")] == [
        ("clean", 0),
        ("inf", 1),
        ("inf", 16),
        ("my2nd", 1),
    ]


def test_doses_are_sorted_as_numbers_behind_clean() -> None:
    assert sorted(["sd", "inf16", "inf", "clean", "inf2"], key=noise_order) == ["clean", "inf", "inf2", "inf16", "sd"]


def test_a_mean_over_noises_takes_the_smallest_dose_of_each(results: Results) -> None:
    assert smallest_doses(["inf4", "inf2", "clean", "sd"]) == ["inf2", "sd"]
    (mean,) = [row for row in comparisons(all_scores(results)) if row.contrast == "mean_difference_in_differences"]
    assert (mean.noise, mean.estimate) == ("all 2", pytest.approx(0.1))


def test_the_curve_goes_from_clean_through_every_dose(results: Results) -> None:
    figure = dose_figure(accuracies(results))
    assert figure is not None
    (panel,) = figure.axes
    assert panel.get_title() == "zero_shot: inf"
    curves = {str(line.get_label()): line for line in panel.containers}
    for model, step in (("diffllama", 10), ("llama", 20)):
        (line, *_) = curves[model]
        assert list(line.get_xdata()) == [0, 1, 2, 4]
        assert list(line.get_ydata()) == [100 - step * dose for dose in (0, 1, 2, 4)]


def test_one_dose_is_no_curve(tmp_path: Path) -> None:
    results = Results(tmp_path / "one")
    for noise in ("clean", "inf", "sd"):
        results.append(Cell("llama", noise, "zero_shot"), SETTINGS, outcomes(3, 1))
    assert dose_figure(accuracies(results)) is None
    assert not write_doses(accuracies(results), tmp_path / "doses.png")
    assert not (tmp_path / "doses.png").exists()


def test_models_with_other_doses_are_compared_over_what_both_have(tmp_path: Path) -> None:
    """What each loses beside that is over the same noises, and the figures of a sentence belong together."""
    results = Results(tmp_path / "results")
    for model, wrong in (
        ("a", {"clean": 0, "inf2": 4, "rcs": 1, "sd": 2}),
        ("b", {"clean": 0, "inf": 1, "inf4": 9, "rcs": 3, "sd": 4}),
    ):
        for noise, count in wrong.items():
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(10 - count, count))
    rows = comparisons(all_scores(results))
    losses = {(row.model, row.noise): row.estimate for row in rows if row.contrast == "mean_degradation"}
    assert losses == {
        ("a", "inf2+rcs+sd"): pytest.approx(0.7 / 3),
        ("a", "rcs+sd"): pytest.approx(0.15),
        ("b", "all 3"): pytest.approx(0.8 / 3),
        ("b", "rcs+sd"): pytest.approx(0.35),
    }
    (more,) = [row for row in rows if row.contrast == "mean_difference_in_differences"]
    assert (more.noise, more.estimate) == ("rcs+sd", pytest.approx(0.2))
    ((_, about_noises),) = sentences(rows)
    assert about_noises[0][0] == "mean of rcs, sd"
    assert about_noises[0][1][0].startswith("b loses 35.0 points [")
    assert " and a 15.0 [" in about_noises[0][1][0]
