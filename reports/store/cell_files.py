"""The bytes of a cell's file: whole lines of a regular file, or an error that names it."""

from __future__ import annotations

from pathlib import Path

from reports.store.atomic_io import ResultsDamaged, display_path
from reports.store.record_codec import MEND, has_check


def require_regular(path: Path) -> Path:
    """Return `path`.

    Raises `ResultsDamaged` for a pipe, a device or a folder. Reading a pipe may never end.
    """
    if not path.is_file():
        raise ResultsDamaged(f"{display_path(path)}: expected a regular file; move it out of the folder")
    return path


def whole_lines(content: bytes, name: str) -> list[bytes]:
    """Return the lines of a cell's file, without a last one that was cut short by a kill: it counts as not written.

    Raises `ResultsDamaged`, beginning with `name`, where the end of the file is no such line.
    """
    *lines, rest = content.split(b"\n")
    if rest and (not rest.startswith(b"{") or has_check(rest[:-1])):  # or something else took the line end's place
        raise ResultsDamaged(f"{name}, line {len(lines) + 1}: expected a line of JSON, got {rest[:40]!r}; {MEND}")
    return lines
