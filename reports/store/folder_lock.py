"""An advisory lock on a results folder: one run writes to it at a time, with all its workers."""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
import time
import weakref
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reports.store.atomic_io import ResultsFolderError, display_path, explaining_os_errors
from reports.store.json_content import parsed_json

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

NAME = ".lock"
#: How long a process waits for another one that is just taking the lock.
_PATIENCE = 2.0
#: What `flock` raises where the system or the file system has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_THIS_PROGRAM = secrets.token_hex(8)


class ResultsInUse(ResultsFolderError):
    """Another run writes to the folder."""


def name_of_this_process() -> str:
    """Return a name that no other process has, not even one that was forked from this one."""
    return f"{_THIS_PROGRAM}-{os.getpid()}"


class FolderLock:
    """The lock on a folder, which is the file `.lock` in it.

    `run` names the run that the lock is taken for. Every process of a run holds it together with the others of that
    run, which are told its name by the process that starts them: what the environment says is inherited by strangers
    too. By default a process is a run of its own. The system releases the lock when a process and the processes forked
    from it have ended, however they end, so no lock is stale. Where the system or the file system has no such locks,
    nothing is locked.
    """

    def __init__(self, folder: Path, run: str | None = None) -> None:
        self.run = run or name_of_this_process()
        self._path = folder / NAME
        self._made: list[Path] = []
        self._close: weakref.finalize[[int], FolderLock] | None = None

    def acquire(self, create: bool = False) -> None:
        """Take the lock, unless this object has it. A folder that does not exist is made only if `create`.

        Raises `ResultsInUse` if another run holds the lock, and `ResultsFolderError` if the file cannot be written or
        the folder that the lock was taken in is no longer there: a run is not divided between two folders.
        """
        if self._close is not None and self._is_there():
            return
        if self._close is not None and not self._is_folder_there():
            raise ResultsFolderError(
                f"{display_path(self._path.parent)} was moved or removed during the run; put it back, and the same"
                " command goes on from what is in it"
            )
        if fcntl is None or not (create or self._path.parent.is_dir()):
            return
        if self._close is not None:  # the file alone was removed
            self._close()
            self._close = None
        deadline = time.monotonic() + _PATIENCE
        with explaining_os_errors(self._path, "write"):
            while True:
                try:
                    if create:
                        self._make_folder()
                    file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
                except FileNotFoundError:  # its owner has just removed the folder, which it had made
                    if not create:
                        return
                    if time.monotonic() > deadline:
                        raise
                    continue
                try:
                    owner = _shared_with(file, self.run)
                    is_current = owner is not None and os.path.samestat(os.fstat(file), self._path.stat())
                except OSError as error:
                    os.close(file)
                    if error.errno in _NO_LOCKS:
                        return
                    if not isinstance(error, FileNotFoundError):  # its owner has just removed it
                        raise
                    continue
                if is_current and owner is not None and owner.get("run") == self.run:
                    self._folder = self._path.parent.stat()
                    self._file, self._close = file, weakref.finalize(self, os.close, file)
                    return
                os.close(file)
                if is_current or time.monotonic() > deadline:
                    raise ResultsInUse(_message(self._path.parent, owner or {}))
                time.sleep(0.01)

    def release(self) -> None:
        """Give the lock back, if this object has it. If nobody else has it, remove the file, and the folders that this
        object made if nothing else is in them."""
        if fcntl is None or self._close is None:
            return
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_there():
                self._path.unlink()
                for folder in self._made:
                    folder.rmdir()
        self._close()
        self._close, self._made = None, []

    def _make_folder(self) -> None:
        missing = [folder for folder in (self._path.parent, *self._path.parent.parents) if not folder.exists()]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._made = missing or self._made

    def _is_there(self) -> bool:
        """Whether the file that this object has locked is still in its place."""
        with suppress(OSError):
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        return False

    def _is_folder_there(self) -> bool:
        with suppress(OSError):
            return os.path.samestat(self._folder, self._path.parent.stat())
        return False


def _shared_with(file: int, run: str) -> dict[str, str] | None:
    """Share the lock on `file` with others. Return what is known of its owner: `run`, or another that has it; None
    while another process is just taking it."""
    assert fcntl is not None
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody has it
        started = datetime.now(UTC).isoformat(timespec="seconds")
        owner = {"run": run, "process": str(os.getpid()), "host": socket.gethostname(), "started": started}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(owner).encode(), 0)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    try:
        known = parsed_json(os.pread(file, 4096, 0))
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _message(folder: Path, owner: dict[str, str]) -> str:
    known = {"process", "host", "started"} <= owner.keys()
    who = f" (process {owner['process']} on {owner['host']}, since {owner['started']})" if known else ""
    return f"{display_path(folder)} is in use by another run{who}; wait until it ends, or write to another folder"
