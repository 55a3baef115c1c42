"""What a run leaves does not depend on the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.typed_commands import typed

GRID = ("--datasets", "clean,inf,near", "--max-samples", "24", "--skip-sft", "--interventions", "moved", "-q")


def lines_of(folder: Path) -> dict[str, list[str]]:
    """The records of a results folder by file, in an order of their own: they are written as they end."""
    files = [*folder.glob("predictions/**/*.jsonl"), *folder.glob("readings/**/*.jsonl")]
    return {str(path.relative_to(folder)): sorted(path.read_text().splitlines()) for path in files}


def run(folder: Path, workers: str) -> Path:
    """The results folder of a run with that many workers."""
    done = typed("benchmarks", *GRID, "-n", workers, "--results", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_tables_and_records_are_those_of_a_run_without_workers(tmp_path: Path) -> None:
    """With two workers each has one of the two models, and with four each has half of one."""
    alone = run(tmp_path / "alone", "0")
    tables = [path.name for path in alone.glob("*.csv")]
    assert {"accuracy.csv", "comparisons.csv"} <= set(tables)
    assert lines_of(alone)
    for workers in ("2", "4"):
        shared = run(tmp_path / workers, workers)
        for table in tables:
            assert (alone / table).read_bytes() == (shared / table).read_bytes(), f"{table} with {workers} workers"
        assert lines_of(alone) == lines_of(shared)
