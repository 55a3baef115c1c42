"""Three shards, merged, are the run that was not divided: its records, and its tables to the byte.

Answers in float32 are the same whatever shares a batch. The last bits of likelihoods and attention are not, and shards
batch otherwise than the whole run: these are measured one problem at a time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from benchmarks.choices import choose_models
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from benchmarks.shards import WHOLE, Shard
from models.loading import load_model
from reports.experiment import Experiment
from reports.findings import Findings
from reports.progress_bars import no_progress_bar
from reports.stats.accuracies import write_accuracy_csv
from reports.stats.attention_stats import rows_of_cells, write_attention_csv
from reports.stats.comparisons import write_comparisons_csv
from reports.stats.intervention_rows import write_interventions_csv
from reports.store.merge_folders import merge_folders
from reports.store.records import CellRun
from reports.store.results_folder import Results
from reports.store.run_json import add_run, read_runs

SHARDS = 3
PLAN = Plan(
    models=choose_models("diffllama,llama"),
    datasets=("clean", "inf", "filler:inf"),
    stages=("zero_shot",),
    measures=("accuracy", "likelihood"),
    max_samples=7,
    attention_samples=7,
    interventions=("everywhere",),
)
MEASURED = replace(PLAN, stages=("attention", "likelihood"), batch_size=1)
INTERVENED = replace(MEASURED, stages=("intervene",), datasets=("clean", "inf"))
TABLES: dict[str, Callable[[Findings, Path], None]] = {
    "accuracy.csv": lambda findings, path: write_accuracy_csv(findings.cell_accuracies, path),
    "comparisons.csv": lambda findings, path: write_comparisons_csv(
        [*findings.model_comparisons, *findings.model_attention_comparisons], path
    ),
    "attention.csv": lambda findings, path: write_attention_csv(rows_of_cells(findings.attention_cells), path),
    "interventions.csv": lambda findings, path: write_interventions_csv(findings.model_interventions, path),
}


@dataclass(frozen=True)
class Folders:
    whole: Path
    shards: list[Path]
    merged: Path


def run(folder: Path, shard: Shard = WHOLE) -> list[CellRun]:
    """Run every cell of the plans, and leave their records and run.json, without reports."""
    plans = [replace(plan, shard=shard) for plan in (PLAN, MEASURED, INTERVENED)]
    experiment = Experiment(Results(folder), progress=no_progress_bar)
    runners = [Runner(plan, experiment) for plan in plans]
    for spec in PLAN.models:
        for runner in runners:
            for stage in runner.plan.stages:
                for cell in runner.plan.cells(stage, spec):
                    runner.run(cell)
    experiment.results.lock.release()
    add_run(folder / "run.json", {"status": "finished", "options": plans[0].options()}, experiment.runs)
    return experiment.runs


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    top = tmp_path_factory.mktemp("sharded")
    parts = [top / f"shard-{number}" for number in range(1, SHARDS + 1)]
    with pytest.MonkeyPatch.context() as patch:  # each model is loaded once, not for every folder
        patch.setattr(load_model, "load", cache(load_model.load))
        run(top / "whole")
        for number, part in enumerate(parts, start=1):
            run(part, Shard(number, SHARDS))
    merge_folders(parts, top / "merged")
    return Folders(top / "whole", parts, top / "merged")


def files(folder: Path, pattern: str) -> dict[Path, Path]:
    return {path.relative_to(folder): path for path in folder.rglob(pattern)}


def test_the_records_are_those_of_the_whole_run(folders: Folders) -> None:
    whole, merged = files(folders.whole, "*.jsonl"), files(folders.merged, "*.jsonl")
    assert len(whole) == 2 * (3 + 3 + 3 + 1), "every cell of two models"
    assert whole.keys() == merged.keys()
    for name, path in whole.items():
        assert set(merged[name].read_bytes().splitlines()) == set(path.read_bytes().splitlines()), name
        assert merged[name].stat().st_size == path.stat().st_size, name


def test_no_shard_has_all_of_a_cell(folders: Folders) -> None:
    """Otherwise the other tests of this file would prove nothing."""
    for part in folders.shards:
        for name, path in files(part, "*.jsonl").items():
            assert 0 < path.stat().st_size < (folders.whole / name).stat().st_size


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_that_of_the_whole_run_to_the_byte(folders: Folders, table: str, tmp_path: Path) -> None:
    for name, folder in (("whole", folders.whole), ("merged", folders.merged)):
        TABLES[table](Findings(Results(folder)), tmp_path / name)
    content = (tmp_path / "merged").read_bytes()
    assert content == (tmp_path / "whole").read_bytes()
    assert content.count(b"\n") > 4


def test_the_first_problem_is_mapped_by_the_shard_that_has_it(folders: Folders) -> None:
    """Its head is that of the highest lift in the shard, so it may be another than the whole run's."""
    mapped = [sorted(path.name.partition("_layer")[0] for path in files(part, "*.npz")) for part in folders.shards]
    assert mapped[0] == sorted(path.name.partition("_layer")[0] for path in files(folders.whole, "*.npz"))
    assert mapped[1:] == [[], []]
    assert files(folders.merged, "*.npz").keys() == files(folders.shards[0], "*.npz").keys()


def test_the_whole_run_resumes_from_the_merged_folder_and_has_nothing_to_make(folders: Folders, tmp_path: Path) -> None:
    runs = run(shutil.copytree(folders.merged, tmp_path / "merged"))
    assert sum(cell_run.made for cell_run in runs) == 0
    assert sum(cell_run.read for cell_run in runs) == sum(len(cell_run.asked) for cell_run in runs) > 0


def test_run_json_has_the_runs_of_all_shards(folders: Folders) -> None:
    runs = [run for run in read_runs(folders.merged / "run.json") or [] if "merged_from" in run]
    assert sorted(run["options"]["shard"] for run in runs) == ["1/3", "2/3", "3/3"]
    assert {Path(run["merged_from"]).name for run in runs} == {"shard-1", "shard-2", "shard-3"}


@pytest.mark.slow
def test_shards_of_the_command_line_are_merged_by_a_command(tmp_path: Path) -> None:
    """With the usual batches, in which predictions in float32 are still the same."""

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, env=dict(os.environ)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    grid = ["pytest", "benchmarks", "-p", "no:cacheprovider", "--max-samples=7", "--datasets=clean,inf", "--skip-sft"]
    grid += ["--skip-attention"]
    command(*grid, f"--results={tmp_path / 'whole'}")
    for shard in ("1/3", "2/3", "3/3"):
        out = command(*grid, f"--shard={shard}", f"--results={tmp_path / shard[0]}")
        assert f"shard {shard} of 7 problems" in out
        assert f"shard {shard}: a part of the problems" in out
    printed = command("reports", "merge", *(str(tmp_path / number) for number in "123"), "--out", str(tmp_path / "all"))
    assert "28 records of 4 cells" in " ".join(printed.split())
    assert (tmp_path / "all" / "report.html").is_file()
    for table in ("accuracy.csv", "comparisons.csv"):
        assert (tmp_path / "all" / table).read_bytes() == (tmp_path / "whole" / table).read_bytes()
