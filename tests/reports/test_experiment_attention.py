"""A run with attention cells: alone, and together with predictions."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from reports.experiment import Experiment
from reports.plots.attention_maps import save_map
from reports.store.records import Cell, CellRun
from reports.store.results_folder import Results
from tests.reports.attention_factories import (
    ATTENTION_CELL,
    ATTENTION_SETTINGS,
    CLEAN_ATTENTION_CELL,
    NEEDLE_SEGMENTS,
    SEGMENTS,
    attention_map,
    failed_reading,
    reading,
    readings,
)
from tests.reports.record_factories import CELL, SETTINGS, asked, longest, predicted


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(Results(tmp_path / "results"), caveat=lambda cells: f"{len(cells)} cells")


def read(experiment: Experiment, cell: Cell, *ids: str) -> None:
    with experiment.cell(cell, ATTENTION_SETTINGS, asked(*ids)) as recorder:
        missing = [id for id in ids if id not in recorder.records]
        segments = NEEDLE_SEGMENTS if cell.noise.startswith("needle") else SEGMENTS
        recorder.append(readings(missing, 2, 2, noisy=cell.noise != "clean", segments=segments))


def ask(experiment: Experiment, *ids: str) -> None:
    with experiment.cell(CELL, SETTINGS, asked(*ids)) as recorder:
        recorder.append([predicted(id) for id in ids if id not in recorder.records])


def test_an_attention_cell_resumes(experiment: Experiment) -> None:
    with experiment.cell(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0", "p1")) as recorder:
        recorder.append([reading("p0"), failed_reading("p1")])
    with experiment.cell(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0", "p1")) as recorder:
        assert recorder.records == {"p0": reading("p0")}
        recorder.append([reading("p1")])
    first, second = experiment.runs
    assert (first.read, first.made, first.outcomes) == (0, 2, {"measured": 1, "error": 1})
    assert (second.read, second.made, second.outcomes) == (1, 1, {"measured": 2})
    assert CellRun.from_dict(json.loads(json.dumps(asdict(second)))) == second


def test_a_run_of_readings_prints_only_their_table(experiment: Experiment) -> None:
    read(experiment, ATTENTION_CELL, "p0", "p1")
    lines = experiment.summary()
    assert any(line.startswith("attention: lift") for line in lines)
    assert any(line.startswith("readings of attention: 0 read, 2 made in ") for line in lines)
    assert not any("accuracy" in line or line.startswith("predictions:") for line in lines)
    assert lines[-1] == "note: 1 cells"
    assert longest(lines) <= 80


def test_readings_that_were_on_disk_are_counted_without_a_time(experiment: Experiment) -> None:
    read(experiment, ATTENTION_CELL, "p0", "p1")
    experiment.take_runs()
    read(experiment, ATTENTION_CELL, "p0", "p1")
    assert "readings of attention: 2 read, 0 made" in experiment.summary()


def test_a_run_of_predictions_prints_no_table_of_stored_readings(experiment: Experiment) -> None:
    read(experiment, ATTENTION_CELL, "p0", "p1")
    experiment.take_runs()
    ask(experiment, "p0")
    lines = experiment.summary()
    assert any("accuracy, %" in line for line in lines)
    assert not any("attention" in line or line.startswith("readings") for line in lines)


def test_a_run_of_both_prints_both_and_the_caveat_last(experiment: Experiment) -> None:
    ask(experiment, "p0")
    read(experiment, ATTENTION_CELL, "p0")
    starts = ["accuracy,", "attention:", "predictions:", "readings of attention:", "note:"]
    matched = [start for line in experiment.summary() for start in starts if line.startswith(start)]
    assert matched == starts


def test_the_table_is_over_the_problems_of_the_run(experiment: Experiment) -> None:
    read(experiment, ATTENTION_CELL, "p0", "p1", "p2")
    experiment.take_runs()
    read(experiment, ATTENTION_CELL, "p0", "p2")
    assert any("mean ± std, 2 problems a cell" in line for line in experiment.summary())


def test_an_error_of_a_reading_is_shown_with_its_file(experiment: Experiment) -> None:
    with experiment.cell(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0")) as recorder:
        recorder.append([failed_reading("p0")])
    summary = "\n".join(experiment.summary())
    assert "error in diffllama-inf-attention, problem p0: RuntimeError: no luck" in summary
    assert str(Path("readings", "attention", "diffllama", "inf.jsonl")) in summary


def test_every_report_with_content_is_written(experiment: Experiment) -> None:
    ask(experiment, "p0")
    read(experiment, ATTENTION_CELL, "p0", "p1")
    read(experiment, Cell("llama", "needle50", "attention"), "p0")
    save_map(experiment.results.folder, attention_map(20))
    save_map(experiment.results.folder, attention_map(20, number=1))
    written = experiment.write()
    assert [path.name for path in written] == [
        "run.json",
        "accuracy.csv",
        "accuracy.png",
        "attention.csv",
        "attention_heat.png",
        "retrieval.png",
        "attention_maps",
        "report.html",
    ]
    assert all(path.exists() for path in written)
    (run,) = json.loads(written[0].read_text())["runs"]
    cell = next(cell for cell in run["cells"] if cell["stage"] == "attention")
    assert (cell["asked"], cell["read"], cell["made"], cell["outcomes"]) == (2, 0, 2, {"measured": 2})
    assert run["settings"][cell["settings"]]["attention"] == "queries answer; layers all; heads all"


def test_empty_reports_are_not_written(experiment: Experiment) -> None:
    read(experiment, CLEAN_ATTENTION_CELL, "p0", "p1")
    assert [path.name for path in experiment.write()] == ["run.json", "attention.csv", "report.html"]


def test_a_run_of_only_errors_writes_run_json_and_the_page(experiment: Experiment) -> None:
    with experiment.cell(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0")) as recorder:
        recorder.append([failed_reading("p0")])
    assert [path.name for path in experiment.write()] == ["run.json", "report.html"]
