"""Writing that either happens whole or not at all, and that says in one sentence why it did not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ResultsFolderError(OSError):
    """The results folder cannot be read or written; the message is one sentence for the user."""


class ResultsDamaged(ValueError):
    """A file in the results folder does not hold what it should; the message names the file and the line."""


def shown(path: Path) -> str:
    """The path as a message gives it: relative to the current folder where it lies in it."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turns an `OSError` into a `ResultsFolderError` that says what could not be done (`doing`, a verb) and where."""
    try:
        yield
    except ResultsFolderError:
        raise
    except OSError as error:
        blocking = next((parent for parent in (path, *path.parents) if parent.exists() and not parent.is_dir()), None)
        if isinstance(error, FileExistsError | NotADirectoryError) and blocking is not None:
            reason = f"{shown(blocking)} is a file where a folder is needed"
        else:
            reason = error.strerror or str(error)
        raise ResultsFolderError(f"cannot {doing} {shown(path)}: {reason}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces the file at `path`, or leaves it as it was; makes its folder. Raises `ResultsFolderError`.

    The bytes go to a temporary file in the same folder first, because only a rename within one file system is atomic.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with explained(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def drop_half_line(path: Path) -> None:
    """Cuts off what a kill left behind after the last line end of the file at `path`. Raises `OSError`."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end == 0:
            return
        file.seek(end - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
