"""One run writes to a results folder at a time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from reports.experiment import Experiment
from reports.store.folder_lock import FolderLock, ResultsInUse
from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import typed
from tests.reports.record_factories import CELL, SETTINGS, asked


def _hold(folder: Path, run: str, held: Event, done: Event) -> None:
    os.environ["PYTEST_XDIST_TESTRUNUID"] = run
    lock = FolderLock(folder)  # it is released when the object goes
    lock.acquire()
    held.set()
    done.wait(60)


@pytest.fixture
def hold(tmp_path: Path) -> object:
    """Return a function that lets a process of a run with a name hold the lock; `kill=True` ends it at once."""
    processes: list[tuple[multiprocessing.Process, Event]] = []

    def hold_in(run: str, kill: bool = False) -> int:
        held, done = multiprocessing.Event(), multiprocessing.Event()
        process = multiprocessing.Process(target=_hold, args=(tmp_path, run, held, done))
        process.start()
        assert held.wait(60)
        if kill:
            process.kill()
            process.join()
        else:
            processes.append((process, done))
        assert process.pid is not None
        return process.pid

    yield hold_in
    for process, done in processes:
        done.set()
        process.join()


def test_another_run_is_refused_and_named(tmp_path: Path, hold: Callable[..., int]) -> None:
    other = hold("other")
    with (
        pytest.raises(ResultsInUse, match=rf"is in use by another run \(process {other} on .*, since 20"),
        Experiment(Results(tmp_path)).cell(CELL, SETTINGS, asked("p0")),
    ):
        pass


def test_workers_of_one_run_share_it(tmp_path: Path, hold: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    hold("mine")
    hold("mine")
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", "mine")
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.release()


def test_the_lock_of_a_killed_run_is_no_lock(tmp_path: Path, hold: Callable[..., int]) -> None:
    hold("other", kill=True)
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.release()
    assert not (tmp_path / ".lock").exists()


def test_a_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "results")
    lock.acquire(create=True)
    assert (tmp_path / "results").exists()
    lock.release()
    assert not (tmp_path / "results").exists()


def test_a_second_run_ends_before_it_loads_a_model(tmp_path: Path, hold: Callable[..., int]) -> None:
    hold("other")
    done = typed(
        *("benchmarks", "--models", "llama", "--datasets", "clean", "--max-samples", "2"),
        *("--skip-sft", "--skip-attention", "--results", str(tmp_path)),
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is in use by another run" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
