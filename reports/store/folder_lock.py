"""An advisory lock on a results folder: one run writes to it at a time, with all its workers."""

from __future__ import annotations

import json
import os
import socket
import weakref
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reports.store.atomic_io import ResultsFolderError, display_path, explaining_os_errors

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

NAME = ".lock"


class ResultsInUse(ResultsFolderError):
    """Another run writes to the folder."""


def run_name() -> str:
    """Return the name of this run: the workers of pytest-xdist share one, other processes have one each."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process {os.getpid()} on {socket.gethostname()}"


class FolderLock:
    """The lock on a folder, which is the file `.lock` in it.

    Every process of a run holds it together with the others of that run. The system releases it when a process ends,
    however it ends, so that no lock is ever stale. Where the system or the file system has no such locks, nothing is
    locked.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._close: weakref.finalize[[int], FolderLock] | None = None

    def acquire(self, create: bool = False) -> None:
        """Take the lock, unless this object has it. A folder that does not exist is made only if `create`.

        Raises `ResultsInUse` if another run holds the lock, and `ResultsFolderError` if the file cannot be written.
        """
        if fcntl is None or self._close is not None or not (create or self._path.parent.is_dir()):
            return
        with explaining_os_errors(self._path, "write"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            owner = _locked_by(file)
        except OSError:  # the file system has no locks
            os.close(file)
            return
        if owner.get("run") != run_name():
            os.close(file)
            known = "process" in owner
            who = f" (process {owner['process']} on {owner['host']}, since {owner['started']})" if known else ""
            raise ResultsInUse(
                f"{display_path(self._path.parent)} is in use by another run{who}; wait until it ends, or write to"
                " another folder"
            )
        self._file = file
        self._close = weakref.finalize(self, os.close, file)

    def release(self) -> None:
        """Give the lock back, if this object has it, and remove the file if nobody else has it."""
        if fcntl is None or self._close is None:
            return
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path.unlink()
            self._path.parent.rmdir()  # a run that has written nothing leaves nothing
        self._close()
        self._close = None


def _locked_by(file: int) -> dict[str, str]:
    """Try to lock `file` for this run. Return what is known of the run that has it now: this one, or another.

    Raises `OSError` where there are no locks.
    """
    assert fcntl is not None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # others of this run, or another run
    else:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        owner = {"run": run_name(), "process": str(os.getpid()), "host": socket.gethostname(), "started": started}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(owner).encode(), 0)
    with suppress(BlockingIOError):  # of a run that has just begun, and has the lock for itself
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    try:
        known = json.loads(os.pread(file, 4096, 0))
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}
