"""`noise.json`: what the noisy files of a folder are made from, so that a set can be cited and checked.

{"format": 1, "files": {"mine_inf.jsonl": {"noise": "inf", "problems": 20, "seed": 0, "sha256": "…",
 "source": "mine.jsonl", "source_sha256": "…", "templates": {"…": 20}, "version": "1"}}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noise.problems.jsonl import FileDiffersError, atomic_file
from noise.problems.problem_sources import is_file_source, split_source
from noise.problems.remote_files import local_copy
from noise.registry import NOISE_VERSION
from noise.sets.table_rows import sha256_of

NAME = "noise.json"
_FORMAT = 1


def source_entry(source: str | Path) -> dict[str, Any]:
    """Return what a manifest says of a source of problems: its name and, of a file, the SHA-256."""
    if is_file_source(source):
        with local_copy(source) as path:
            return {"source": path.name, "source_sha256": sha256_of(path)}
    return {"source": ":".join(split_source(str(source)))}


def write_manifest(folder: Path, entries: Mapping[Path, Mapping[str, Any]], overwrite: bool) -> Path:
    """Write what is known of the files of `entries` to the manifest in their `folder`, and return its path.

    Of earlier files in the folder that are as they were, what the manifest says is kept; of others it is dropped.
    Nothing in it depends on the time, the machine or the order of commands. Raises `FileDiffersError` where something
    else is there, unless `overwrite`.
    """
    path = folder / NAME
    files = _earlier(path, folder, overwrite)
    for file, entry in entries.items():
        files[file.name] = {**entry, "version": NOISE_VERSION, "sha256": sha256_of(file)}
    text = json.dumps({"format": _FORMAT, "files": files}, indent=2, sort_keys=True, ensure_ascii=False)
    if not path.is_file() or path.read_bytes() != f"{text}\n".encode():
        with atomic_file(path) as out:
            out.write(f"{text}\n")
    return path


def check_manifest(folder: Path, overwrite: bool) -> None:
    """Raise `FileDiffersError` where the folder has something else under the manifest's name, unless `overwrite`."""
    _earlier(folder / NAME, folder, overwrite)


def _earlier(path: Path, folder: Path, overwrite: bool) -> dict[str, Any]:
    """Return what the manifest says of files that are there and have not changed."""
    if not os.path.lexists(path):
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = {name: dict(entry) for name, entry in content["files"].items()}
        known = content["format"] == _FORMAT
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        known, files = False, {}
    if not known:
        if overwrite:
            return {}
        raise FileDiffersError(f"{path}: something else is there already")
    return {name: entry for name, entry in files.items() if _is_unchanged(folder, name, entry)}


def _is_unchanged(folder: Path, name: str, entry: Mapping[str, Any]) -> bool:
    file = folder / name
    return Path(name).name == name and file.is_file() and sha256_of(file) == entry.get("sha256")
