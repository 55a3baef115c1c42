"""Atomic writes, and errors of the file system as one sentence."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class ResultsFolderError(OSError):
    """The results folder cannot be read or written. The message is one sentence for the user."""


class ResultsDamaged(ValueError):
    """A file in the results folder has content that cannot be read. The message names the file and the line."""


def display_path(path: Path) -> str:
    """Return the path for a message: relative to the current folder if it is inside it."""
    absolute, current = path.absolute(), Path.cwd()
    return str(absolute.relative_to(current)) if absolute.is_relative_to(current) else str(path)


@contextmanager
def explaining_os_errors(path: Path, verb: str) -> Iterator[None]:
    """Convert an `OSError` to a `ResultsFolderError` that says what could not be done (`verb`) to which file."""
    try:
        yield
    except ResultsFolderError:
        raise
    except OSError as error:
        blocking = None
        if isinstance(error, FileExistsError | NotADirectoryError):
            ancestors = (path, *path.parents)
            blocking = next((parent for parent in ancestors if parent.exists() and not parent.is_dir()), None)
        if blocking is not None:
            reason = f"{display_path(blocking)} is a file; expected a folder"
        else:
            reason = error.strerror or str(error)
        raise ResultsFolderError(f"cannot {verb} {display_path(path):.1000}: {reason}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path` as a whole, or leave it unchanged. Create its folder.

    The bytes go to a temporary file in the same folder first, because a rename is atomic only within a file system.
    Raises `ResultsFolderError`.
    """
    temporary = path.with_name(_temporary_name(path))
    with explaining_os_errors(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Raise `ResultsFolderError` where `write_atomically` could not write the file at `path`. Nothing is changed.

    Of a folder that does not exist yet, the nearest one that does is tried.
    """
    folder = next((parent for parent in path.absolute().parents if os.path.lexists(parent)), path.parent)
    temporary = folder / _temporary_name(path)
    with explaining_os_errors(path, "write"):
        try:
            temporary.open("xb").close()
        finally:
            temporary.unlink(missing_ok=True)


def _temporary_name(path: Path) -> str:
    return f".{path.name}.{secrets.token_hex(4)}"


@contextmanager
def locked(file: IO[bytes]) -> Iterator[None]:
    """Hold an exclusive lock on an open file, which other processes of this code wait for. The end of a process ends
    its locks. Where the system or the file system has no such locks, nothing is locked."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except (ImportError, OSError):
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def truncate_partial_line(path: Path) -> None:
    """Remove what a killed run left after the last line end of the file. Raises `OSError`."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end == 0:
            return
        file.seek(end - 1)
        if file.read() != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
