"""One run writes to a results folder at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import pytest

from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store import folder_lock
from reports.store.atomic_io import ResultsFolderError
from reports.store.folder_lock import NAME, FolderLock, ResultsInUse, name_of_this_process
from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import typed
from tests.reports.record_factories import CELL, SETTINGS, asked, predicted


def _hold(folder: Path, run: str, held: Event, done: Event) -> None:
    lock = FolderLock(folder, run)  # it is released when the object goes
    lock.acquire()
    held.set()
    done.wait(600)  # the fixture sets it


@pytest.fixture
def hold(tmp_path: Path) -> object:
    """Return a function that lets a process of a run with a name hold the lock; `kill=True` ends it at once."""
    processes: list[tuple[multiprocessing.Process, Event]] = []

    def hold_in(run: str, kill: bool = False) -> int:
        held, done = multiprocessing.Event(), multiprocessing.Event()
        process = multiprocessing.Process(target=_hold, args=(tmp_path, run, held, done), daemon=True)
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


def test_workers_of_one_run_share_it(tmp_path: Path, hold: Callable[..., int]) -> None:
    hold("mine")
    hold("mine")
    lock = FolderLock(tmp_path, "mine")
    lock.acquire()
    with pytest.raises(ResultsInUse):
        FolderLock(tmp_path).acquire()
    lock.release()
    assert (tmp_path / NAME).exists(), "the other workers have it"
    with pytest.raises(ResultsInUse):
        FolderLock(tmp_path).acquire()


def _try(folder: Path, refused: Any) -> None:
    try:
        FolderLock(folder).acquire()
    except ResultsInUse:
        refused.value = 1


def test_a_process_that_was_started_by_a_run_is_not_of_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it inherits: the environment of a worker, or the memory of a process that was forked."""
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", "the same for both")
    lock = FolderLock(tmp_path)
    lock.acquire()
    refused = multiprocessing.get_context("fork").Value("i", 0)
    process = multiprocessing.get_context("fork").Process(target=_try, args=(tmp_path, refused))
    process.start()
    process.join(60)
    lock.release()
    assert refused.value == 1


def test_the_lock_of_a_killed_run_is_no_lock(tmp_path: Path, hold: Callable[..., int]) -> None:
    hold("other", kill=True)
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.release()
    assert not (tmp_path / ".lock").exists()


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    """It would overwrite the file that a stranger's results folder names."""
    (tmp_path / "precious").write_text("data")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(ResultsFolderError, match=r"cannot write .*\.lock"):
        FolderLock(tmp_path / "results").acquire()
    assert (tmp_path / "precious").read_text() == "data"


def _take(folder: Path, run: str, barrier: Barrier, taken: Any) -> None:
    for _ in range(40):
        barrier.wait()
        lock = FolderLock(folder, run)
        try:
            lock.acquire()
        except ResultsInUse:
            pass
        else:
            with taken.get_lock():
                taken.value += 1
        barrier.wait()
        lock.release()


@pytest.mark.parametrize(("runs", "holders"), [(("mine", "mine"), 2), (("mine", "other"), 1)])
def test_processes_that_begin_at_once_share_the_lock_or_one_of_them_has_it(
    tmp_path: Path, runs: tuple[str, str], holders: int
) -> None:
    barrier, taken = multiprocessing.Barrier(2), multiprocessing.Value("i", 0)
    processes = [multiprocessing.Process(target=_take, args=(tmp_path, run, barrier, taken)) for run in runs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert taken.value == 40 * holders


def test_a_second_run_ends_before_it_loads_a_model(tmp_path: Path, hold: Callable[..., int]) -> None:
    hold("other")
    done = typed(
        *("benchmarks", "--models", "llama", "--datasets", "clean", "--max-samples", "2"),
        *("--skip-sft", "--skip-attention", "--results", str(tmp_path)),
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is in use by another run" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_run_is_not_divided_between_two_folders(tmp_path: Path, is_moved: bool) -> None:
    """The folder is moved or removed in the middle of a cell."""
    folder = tmp_path / "results"
    experiment = Experiment(Results(folder), progress=no_progress_bar)
    with experiment.cell(CELL, SETTINGS, asked("p0", "p1")) as recorder:
        recorder.append([predicted("p0")])
        if is_moved:
            folder.rename(tmp_path / "moved")
        else:
            shutil.rmtree(folder)
        with pytest.raises(ResultsFolderError, match="was moved or removed during the run"):
            recorder.append([predicted("p1")])
    assert not folder.exists()
    if is_moved:
        (tmp_path / "moved").rename(folder)
        recorder.append([predicted("p1")])
        assert list(Results(folder).newest_records(CELL)) == ["p0", "p1"]


def test_a_lock_that_was_removed_is_taken_again(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.acquire()
    (tmp_path / NAME).unlink()
    lock.acquire()
    assert (tmp_path / NAME).exists()
    lock.release()
    assert not (tmp_path / NAME).exists()


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_a_lock_that_is_held_is_taken_and_given_back_once(tmp_path: Path) -> None:
    before = open_files()
    lock = FolderLock(tmp_path)
    lock.release()
    lock.acquire()
    lock.acquire()
    assert open_files() == before + 1
    lock.release()
    lock.release()
    assert open_files() == before


def test_the_lock_says_who_has_it_since_when(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    (tmp_path / NAME).write_text("a longer text of an owner who has gone" * 9)
    lock.acquire()
    owner = json.loads((tmp_path / NAME).read_text())
    assert (tmp_path / NAME).stat().st_mode & 0o133 == 0, "others may not write it, and it is no program"
    assert (owner["process"], owner["host"], owner["run"]) == (
        str(os.getpid()),
        socket.gethostname(),
        name_of_this_process(),
    )
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(owner["started"]) < timedelta(minutes=1)
    lock.release()


@pytest.mark.parametrize("known", ["", "{", "[]", '{"run": "other", "process": "1", "host": "h"}'])
def test_an_owner_that_is_not_known_is_not_named(tmp_path: Path, hold: Callable[..., int], known: str) -> None:
    hold("other")
    (tmp_path / NAME).write_text(known)
    with pytest.raises(ResultsInUse, match="is in use by another run; wait until it ends, or write to another folder"):
        FolderLock(tmp_path).acquire()


def test_a_folder_is_made_only_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    lock = FolderLock(folder)
    lock.acquire()
    assert not folder.parent.exists()
    lock.acquire(create=True)
    assert (folder / NAME).exists()
    lock.release()


def test_folders_that_only_the_lock_was_in_are_removed_with_it(tmp_path: Path) -> None:
    """Those that the lock made: a folder that somebody else made stays, and so does one with a file in it."""
    lock = FolderLock(tmp_path / "new" / "results")
    for _ in range(2):
        lock.acquire(create=True)
        lock.release()
        assert not (tmp_path / "new").exists()
    lock.acquire(create=True)
    (tmp_path / "new" / "results" / "run.json").write_text("{}")
    lock.release()
    assert [path.name for path in (tmp_path / "new" / "results").iterdir()] == ["run.json"]
    (tmp_path / "mine").mkdir()
    lock = FolderLock(tmp_path / "mine")
    lock.acquire(create=True)
    lock.release()
    assert (tmp_path / "mine").is_dir()


def test_a_folder_that_its_owner_is_just_removing_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, opened = tmp_path / "results", os.open
    removed: list[Path] = []

    def open_later(path: Path, *arguments: Any) -> int:
        if not removed:
            folder.rmdir()
            removed.append(folder)
        return opened(path, *arguments)

    monkeypatch.setattr(os, "open", open_later)
    lock = FolderLock(folder)
    lock.acquire(create=True)
    assert (folder / NAME).exists()
    lock.release()
    removed.clear()
    folder.mkdir()
    lock.acquire()
    assert not folder.exists(), "there is nothing to lock"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    before = open_files()
    monkeypatch.setattr(fcntl, "flock", no_locks)
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert open_files() == before
    lock.release()


def test_a_lock_that_fails_for_another_reason_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    before = open_files()
    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(ResultsFolderError, match="cannot write"):
        FolderLock(tmp_path).acquire()
    assert open_files() == before


def test_a_system_without_locks_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "fcntl", None)
    lock = FolderLock(tmp_path)
    lock.acquire(create=True)
    lock.release()
    assert not (tmp_path / NAME).exists()


def test_a_lock_that_another_is_just_taking_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another has it for itself, as it does for a moment, and then gives it back."""
    other = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(other, fcntl.LOCK_EX)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            os.close(other)

    monkeypatch.setattr("time.sleep", sleep)
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.release()
    assert len(slept) == 3
    assert sum(slept) < 0.5


def test_a_lock_that_another_takes_too_long_over_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(other, fcntl.LOCK_EX)
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.append(now.pop() + seconds))
    with pytest.raises(ResultsInUse):
        FolderLock(tmp_path).acquire()
    assert 1 < now[0] < 10, "seconds"
    os.close(other)
