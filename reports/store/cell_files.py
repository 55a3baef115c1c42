"""The bytes of a cell's file: whole lines of a regular file, or an error that names it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from reports.store.atomic_io import ResultsDamaged, display_path, explaining_os_errors
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


def files_below(folder: Path, _levels: int = 4) -> Iterator[Path]:
    """Yield the files of a folder and its sub-folders, four levels down, by name; none if there is no such folder.

    Links to folders are followed. Raises `ResultsFolderError` for a folder that cannot be read, and `ResultsDamaged`
    for a link to nothing: what is behind it would be missing from every table.
    """
    with explaining_os_errors(folder, "read"):
        try:
            paths = sorted(folder.iterdir())
        except FileNotFoundError:
            return
    for path in paths:
        if path.suffix == ".jsonl":
            yield path
            continue
        with explaining_os_errors(path, "read"):
            try:
                is_folder = stat.S_ISDIR(path.stat().st_mode)
            except FileNotFoundError:
                if not path.is_symlink():
                    continue  # another process has just removed it
                raise ResultsDamaged(
                    f"{display_path(path)} is a link to {path.readlink()}, which is not there"
                ) from None
        if not is_folder:
            yield path
        elif _levels > 1:
            yield from files_below(path, _levels - 1)
