from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reports.experiment import Experiment
from reports.progress_bars import ProgressBar
from reports.store.records import CellRun
from reports.store.results_folder import Results, ResultsMismatch
from tests.reports.record_factories import CELL, CLEAN, OTHER_SETTINGS, SETTINGS, asked, outcomes, predicted


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(Results(tmp_path / "results"), seed=7, options={"models": "diffllama"})


def test_a_cell_resumes(experiment: Experiment) -> None:
    with experiment.cell(CELL, SETTINGS, asked("p0", "p1", "p2")) as recorder:
        recorder.append([predicted("p0"), predicted("p1", "error")])
    with experiment.cell(CELL, SETTINGS, asked("p0", "p1", "p2")) as recorder:
        assert list(recorder.records) == ["p0"]
        recorder.append([predicted("p1", "incorrect"), predicted("p2")])
        assert list(recorder.records) == ["p0", "p1", "p2"]
    first, second = experiment.runs
    assert (first.read, first.made, first.outcomes) == (0, 2, {"correct": 1, "error": 1})
    assert (second.read, second.made, second.outcomes) == (1, 2, {"correct": 2, "incorrect": 1})
    assert second.asked == ("p0", "p1", "p2")


def test_an_interrupted_cell_is_counted(experiment: Experiment) -> None:
    def interrupted() -> None:
        with experiment.cell(CELL, SETTINGS, asked("p0", "p1")) as recorder:
            recorder.append([predicted("p0")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (run,) = experiment.runs
    assert (run.made, run.outcomes) == (1, {"correct": 1})


def test_a_refused_cell_is_not_counted(experiment: Experiment) -> None:
    experiment.results.append(CELL, SETTINGS, [predicted("p0")])
    with pytest.raises(ResultsMismatch), experiment.cell(CELL, OTHER_SETTINGS, asked("p0")):
        pass
    assert experiment.runs == []


def test_time_is_counted_only_for_new_records(experiment: Experiment) -> None:
    experiment.results.append(CELL, SETTINGS, [predicted("p0")])
    with experiment.cell(CELL, SETTINGS, asked("p0")):
        pass
    assert experiment.runs[0].seconds == 0


def test_the_progress_bar_is_updated(tmp_path: Path) -> None:
    calls: list[object] = []

    @contextmanager
    def progress(title: str, total: int, done: int) -> Iterator[ProgressBar]:
        class RecordingBar:
            def update(self, n: int) -> None:
                calls.append(n)

        calls.extend((title, total, done))
        yield RecordingBar()
        calls.append("closed")

    experiment = Experiment(Results(tmp_path), progress=progress)
    experiment.results.append(CELL, SETTINGS, [predicted("p0")])
    with experiment.cell(CELL, SETTINGS, asked("p0", "p1", "p2")) as recorder:
        recorder.append([predicted("p1"), predicted("p2")])
    assert calls == ["diffllama-inf-zero_shot", 3, 1, 2, "closed"]


def test_nothing_is_written_before_the_first_prediction(experiment: Experiment) -> None:
    with experiment.cell(CELL, SETTINGS, asked("p0")):
        pass
    assert not experiment.results.folder.exists()


def test_files_cover_the_folder_and_the_summary_covers_the_run(experiment: Experiment) -> None:
    experiment.results.append(CLEAN, SETTINGS, outcomes(10, 0))
    experiment.results.append(CELL, SETTINGS, outcomes(5, 5))
    with experiment.cell(CELL, SETTINGS, asked("p0", "p1", "p9", "p10")) as recorder:
        recorder.append([predicted("p10", "truncated")])
    written = [path.name for path in experiment.write()]
    assert written == ["run.json", "accuracy.csv", "accuracy.png", "comparisons.csv", "report.html"]
    lines = (experiment.results.folder / "accuracy.csv").read_text().splitlines()
    assert [line.split(",")[2:5] for line in lines[1:]] == [["clean", "10", "10"], ["inf", "11", "5"]]
    summary = experiment.summary()
    assert any(line.startswith("accuracy, ") and line.endswith(", 4 problems a cell") for line in summary)
    assert any(line.startswith("diffllama  50.0 [") for line in summary)
    assert not any("clean  " in line for line in summary)
    assert any(line.startswith("predictions: 3 read, 1 made") for line in summary)
    (run,) = json.loads((experiment.results.folder / "run.json").read_text())["runs"]
    assert (run["seed"], run["options"], run["status"]) == (7, {"models": "diffllama"}, "finished")


def test_errors_are_shown_with_their_last_line_and_the_file(experiment: Experiment) -> None:
    ids = [f"p{number}" for number in range(8)]
    with experiment.cell(CELL, SETTINGS, asked(*ids)) as recorder:
        recorder.append([predicted(id, "error") for id in ids[:7]] + [predicted("p7")])
    summary = "\n".join(experiment.summary())
    assert "error in diffllama-inf-zero_shot, problem p0: RuntimeError: no luck" in summary
    assert str(Path("zero_shot", "diffllama", "inf.jsonl")) in summary
    assert "problem p5" not in summary
    assert "2 more errors" in summary


def test_the_caveat_depends_on_the_cells_of_the_run(tmp_path: Path) -> None:
    results = Results(tmp_path)
    experiment = Experiment(results, caveat=lambda cells: f"{len(cells)} alone" if len(cells) == 1 else None)
    with experiment.cell(CELL, SETTINGS, asked("p0")) as recorder:
        recorder.append([predicted("p0")])
    assert "note: 1 alone" in experiment.summary()
    with experiment.cell(CLEAN, SETTINGS, asked("p0")) as recorder:
        recorder.append([predicted("p0")])
    assert not any(line.startswith("note") for line in experiment.summary())


def test_run_json_has_the_caveat_of_the_run(tmp_path: Path) -> None:
    experiment = Experiment(Results(tmp_path), caveat=lambda cells: " and ".join(cell.id for cell in cells) or None)
    experiment.write()
    with experiment.cell(CELL, SETTINGS, asked("p0")) as recorder:
        recorder.append([predicted("p0")])
    experiment.write()
    runs = json.loads((tmp_path / "run.json").read_text())["runs"]
    assert [run["caveat"] for run in runs] == [None, "diffllama-inf-zero_shot"]
    assert f"note: {runs[-1]['caveat']}" in experiment.summary()


def test_a_cell_run_round_trips_from_worker_to_controller(experiment: Experiment) -> None:
    from dataclasses import asdict

    with experiment.cell(CELL, SETTINGS, asked("p0")) as recorder:
        recorder.append([predicted("p0")])
    (run,) = experiment.take_runs()
    assert experiment.runs == []
    assert CellRun.from_dict(json.loads(json.dumps(asdict(run)))) == run
