"""A results folder with several training seeds: families in tables, sentences, figures and files, seeds where asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas
import pytest

from reports.experiment import Experiment
from reports.findings import Findings
from reports.page import write_page
from reports.page.examples import examples
from reports.plots.accuracy_plot import accuracy_figure
from reports.plots.plot_style import model_styles
from reports.plots.seed_plot import seed_figure
from reports.store.records import Cell
from reports.store.replicates import replicate_label
from reports.store.results_folder import Results
from tests.reports.record_factories import OTHER_SETTINGS, SETTINGS, longest, outcomes
from tests.reports.rendered_figures import overlapping

pytestmark = pytest.mark.quick
SEEDS = 4
NAMES = [family if seed == 0 else f"{family}:{seed}" for family in ("diffllama", "llama") for seed in range(SEEDS)]
RIGHT = {"clean": 90, "near": 70, "inf": 60, "filler:near": 88, "filler:inf": 87}


def right(model: str, noise: str) -> int:
    """How many of 100 problems a model has right; llama loses 10 more by noise, give or take its seed."""
    seed = int(model.partition(":")[2] or 0)
    worse = 10 if model.startswith("llama") and noise in ("near", "inf") else 0
    return RIGHT[noise] - worse + (seed if noise == "near" else -seed)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = Results(tmp_path_factory.mktemp("seeds") / "results")
    for model in NAMES:
        for noise in RIGHT:
            correct = right(model, noise)
            folder.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(correct, 100 - correct))
    return folder


@pytest.fixture(scope="module")
def findings(results: Results) -> Findings:
    return Findings(results)


def test_a_table_has_a_row_for_each_family_with_the_spread_of_its_seeds(findings: Findings) -> None:
    rows = {(row.model, row.noise): row for row in findings.accuracies}
    assert set(rows) == {(family, noise) for family in ("diffllama", "llama") for noise in RIGHT}
    near = rows["llama", "near"]
    assert (near.accuracy, near.lowest, near.highest) == (pytest.approx(0.615), 0.60, 0.63)
    assert (near.seeds, near.n, near.problems) == (SEEDS, 400, 100)
    assert len(findings.cell_accuracies) == len(NAMES) * len(RIGHT)


def test_the_end_of_a_run_is_one_screen_that_begins_with_the_answer_over_seeds(results: Results) -> None:
    from reports.tables.terminal_summary import summary

    lines = summary(Findings(results), [], None, 80)
    text = " ".join(" ".join(lines).split())
    assert "zero_shot, inf and near net of filler: On problems that both solve without noise, inf and near cost" in text
    assert "points more than diffllama, net of filler of the same length" in text
    assert "(sign flips: p = 0.125" in text
    assert "accuracy, %, mean of 4 seeds (intervals: -v), 100 problems a cell" in text
    assert any(line.split()[:2] == ["llama", "range"] for line in lines)
    assert "each noise drawn" not in text
    assert longest(lines) <= 80
    assert len(lines) <= 40


def test_verbose_shows_each_seed_and_what_one_would_have_said(findings: Findings) -> None:
    from reports.tables.terminal_summary import summary

    lines = summary(findings, [], None, 80, verbose=True)
    text = "\n".join(lines)
    assert "each training seed" in text
    assert all(f"\n{family}:{seed}" in text for family in ("diffllama", "llama") for seed in range(SEEDS))
    assert "what single training seeds would have said (p < 0.05 over problems)" in text
    assert f"of {SEEDS * (SEEDS - 1)} comparisons between seeds of one family" in " ".join(text.split())


def test_the_files_have_a_row_for_each_seed_and_one_for_the_family(results: Results) -> None:
    paths = {path.name: path for path in Experiment(results).write()}
    assert {"accuracy.csv", "comparisons.csv", "seeds.png", "report.html"} <= paths.keys()
    accuracy = pandas.read_csv(paths["accuracy.csv"])
    assert set(accuracy.model) == {*map(replicate_label, NAMES), "diffllama:*", "llama:*"}
    assert set(accuracy[accuracy.model.str.endswith("*")].seeds) == {SEEDS}
    comparisons = pandas.read_csv(paths["comparisons.csv"])
    of_families = comparisons[comparisons.contrast == "mean_retained_difference_over_filler"]
    assert list(of_families.seeds) == [1] * SEEDS + [SEEDS]
    assert of_families.crossed_low.notna().tolist() == [False] * SEEDS + [True]
    assert of_families.estimate.iloc[-1] == pytest.approx(of_families.estimate.iloc[:-1].mean(), abs=1e-5)


def test_the_page_has_the_seeds_folded_and_examples_of_the_first(results: Results, findings: Findings) -> None:
    text = write_page(findings).read_text()
    assert "Training seed by training seed" in text
    assert "What single training seeds would have said" in text
    assert "<summary>Each training seed</summary>" in text
    assert "diffllama:0" in text
    assert examples(results)["columns"] == ["diffllama", "llama"]


def test_the_figure_has_a_row_for_each_answer_and_noise_and_a_number_for_each_seed(findings: Findings) -> None:
    figure = seed_figure(findings.family_comparisons, findings.model_comparisons)
    assert figure is not None
    (panel,) = figure.axes
    labels = [label.get_text() for label in panel.get_yticklabels()][::-1]
    assert labels == [
        "inf, near: difference retained, net of filler",
        "both noises: difference retained",
        "both noises: difference in loss",
        "inf: difference in loss",
        "near: difference in loss",
    ]
    numbers = [text.get_text() for text in panel.texts]
    assert sorted(numbers) == sorted(str(seed) for seed in range(SEEDS) for _ in labels)


def test_no_number_of_the_figure_covers_another(tmp_path: Path) -> None:
    """Where twelve seeds say almost the same of one noise, and quite different things of another."""
    results = Results(tmp_path)
    for seed in range(12):
        for family, far in (("diffllama", 7 * seed), ("llama", 0)):
            model = family if seed == 0 else f"{family}:{seed}"
            for noise, correct in (("clean", 95), ("inf", 90 - far), ("sd", 80 - seed // 6)):
                results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(correct, 100 - correct))
    findings = Findings(results)
    figure = seed_figure(findings.family_comparisons, findings.model_comparisons)
    assert figure is not None
    assert len(figure.axes[0].texts) >= 3 * 12
    assert overlapping(figure, figure.axes[0].texts) == []


def test_seeds_that_were_asked_otherwise_or_less_are_named(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    for model in ("llama", "llama:1", "llama:2"):
        settings = OTHER_SETTINGS if model == "llama:2" else SETTINGS
        results.append(Cell(model, "clean", "zero_shot"), settings, outcomes(8, 2))
        results.append(Cell(model, "inf", "zero_shot"), settings, outcomes(5, 0 if model == "llama:1" else 5))
    findings = Findings(results)
    assert [(row.model, row.noise, row.seeds) for row in findings.accuracies] == [
        *(("llama", "clean", 2), ("llama", "inf", 2), ("llama:2", "clean", 1), ("llama:2", "inf", 1)),
    ]
    assert findings.seed_remarks == [
        "left out of the means over seeds, as asked under other settings: llama:2",
        "seeds answered different numbers of problems: llama, inf: 5 (llama:1) to 10",
    ]


def test_seeds_that_do_not_differ_have_an_accuracy_without_an_interval(tmp_path: Path) -> None:
    from reports.tables.terminal_summary import summary

    results = Results(tmp_path / "results")
    for model in ("llama", "llama:1", "diffllama", "diffllama:1"):
        results.append(Cell(model, "clean", "zero_shot"), SETTINGS, outcomes(9, 1))
        results.append(Cell(model, "inf", "zero_shot"), SETTINGS, outcomes(6, 4))
    findings = Findings(results)
    (row,) = (row for row in findings.accuracies if (row.model, row.noise) == ("llama", "inf"))
    assert (row.accuracy, row.low, row.high, row.lowest, row.highest) == (0.6, None, None, 0.6, 0.6)
    for verbose in (False, True):
        (line, *_) = (line for line in summary(findings, [], None, 80, verbose) if line.startswith("llama "))
        assert {"90.0", "60.0"} <= set(line.split()), line
    assert "all 2 seeds say the same" in " ".join(" ".join(summary(findings, [], None, 80)).split())
    (panel,) = accuracy_figure(findings.accuracies).axes
    bars = [segment for collection in panel.collections for segment in collection.get_segments()]
    assert bars
    assert all(bottom[1] == top[1] for bottom, top in bars), "no bar down to 0"


def test_a_stage_of_one_seed_names_it(results: Results, tmp_path: Path) -> None:
    folder = Results(shutil.copytree(results.folder, tmp_path / "results"))
    folder.append(Cell("llama", "clean", "sft"), SETTINGS, outcomes(8, 2))
    rows = Findings(folder).accuracies
    assert [row.model for row in rows if row.stage == "sft"] == ["llama:0"]


def test_without_several_seeds_there_is_no_figure(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.append(Cell("llama", "clean", "zero_shot"), SETTINGS, outcomes(3, 1))
    results.append(Cell("llama", "inf", "zero_shot"), SETTINGS, outcomes(2, 2))
    findings = Findings(results)
    assert seed_figure(findings.family_comparisons, findings.model_comparisons) is None
    assert findings.single_seed_claims == []


def test_all_seeds_of_a_family_have_its_colour() -> None:
    styles = model_styles(["llama:3", "diffllama", "diffllama:2+sft", "llama"])
    assert styles["llama:3"] == styles["llama"]
    assert styles["diffllama:2+sft"].colour == styles["diffllama"].colour
    assert styles["diffllama"].colour != styles["llama"].colour
