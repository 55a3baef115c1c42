"""The files of a results folder by name, size and SHA-256, and what they were when it was last in step with a URL."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reports.store.atomic_io import explaining_os_errors, write_atomically
from reports.store.json_content import parsed_json

#: The name of the file that holds it, here and there. Files whose name begins with a dot are not copied.
STATE_FILE = ".synced.json"


@dataclass(frozen=True)
class FileState:
    """The size of a file in bytes, its SHA-256, and, of a local one, when it was changed, in nanoseconds."""

    size: int
    sha256: str
    mtime_ns: int = 0


def sha256_of_stream(stream: Any) -> str:
    """Return the SHA-256 of what is left of a binary stream, 64 hexadecimal digits."""
    return hashlib.file_digest(stream, "sha256").hexdigest()


def state_of(path: Path) -> FileState:
    """Return the state of a local file. Raises `OSError`."""
    status = path.stat()
    with path.open("rb") as file:
        return FileState(status.st_size, sha256_of_stream(file), status.st_mtime_ns)


def local_files(folder: Path, known: Mapping[str, FileState]) -> dict[str, FileState]:
    """Return the files of a folder by their name in it, with slashes. A file that has the size and time that it has in
    `known` is not read. Raises `ResultsFolderError`."""
    files = {}
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        with explaining_os_errors(path, "read"):
            try:
                status = path.stat()
                state = known.get(name)
                if state is None or (state.size, state.mtime_ns) != (status.st_size, status.st_mtime_ns):
                    state = state_of(path)
            except FileNotFoundError:  # another process has just moved it
                continue
        files[name] = state
    return files


def is_copied(name: str) -> bool:
    """Return whether a file of this name, with slashes, is a part of the results: no hidden one, and none outside."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and not any(part.startswith(".") or "\\" in part for part in parts)


def read_state(content: bytes, url: str = "") -> dict[str, FileState]:
    """Return the files of a state that was written for `url`; none of another's, or of a damaged one."""
    try:
        values = parsed_json(content)
        files = {str(name): FileState(**_checked(state)) for name, state in values["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return files if values.get("url", "") == url else {}


def encode_state(files: Mapping[str, FileState], url: str = "") -> bytes:
    """Return the inverse of `read_state`."""
    values = {"url": url, "files": {name: asdict(state) for name, state in sorted(files.items())}}
    return json.dumps(values, indent=1).encode()


def write_local_state(folder: Path, files: Mapping[str, FileState], url: str) -> None:
    """Write the state of a folder into it. Raises `ResultsFolderError`."""
    write_atomically(folder / STATE_FILE, encode_state(files, url))


def _checked(state: Mapping[str, Any]) -> dict[str, Any]:
    if not (isinstance(state["size"], int) and isinstance(state["sha256"], str)):
        raise TypeError
    return {"size": state["size"], "sha256": state["sha256"], "mtime_ns": int(state.get("mtime_ns", 0))}


def _paths(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if is_copied(name))
        paths = (Path(parent, name) for name in sorted(names) if is_copied(name))
        yield from filter(Path.is_file, paths)
