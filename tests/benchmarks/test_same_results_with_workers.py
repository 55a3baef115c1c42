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


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["2", "3", "4"])
def test_tables_and_records_are_those_of_a_run_without_workers(tmp_path: Path, workers: str) -> None:
    """With four workers each of the two models is divided, and with three it is not."""
    for name, number in (("alone", "0"), ("shared", workers)):
        done = typed("benchmarks", *GRID, "-n", number, "--results", str(tmp_path / name))
        assert done.returncode == 0, done.stdout + done.stderr
    tables = [path.name for path in (tmp_path / "alone").glob("*.csv")]
    assert {"accuracy.csv", "comparisons.csv"} <= set(tables)
    for table in tables:
        assert (tmp_path / "alone" / table).read_bytes() == (tmp_path / "shared" / table).read_bytes(), table
    alone, shared = lines_of(tmp_path / "alone"), lines_of(tmp_path / "shared")
    assert alone
    assert alone == shared
