"""`run.json`: what was run, when, on which machine, and how long it took. The newest run is the last."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from reports.store.atomic_io import display_path, explaining_os_errors, write_atomically
from reports.store.json_content import parsed_json, regular_content
from reports.store.record_codec import settings_hash
from reports.store.records import CellRun

MAX_RUNS = 50
"""How many runs the file keeps. Runs without new records are dropped first."""

_FORMAT = 2
#: What the file ends in: its checksum, 12 hexadecimal digits of the SHA-256 of the bytes before it.
_END = b',\n  "check": "%s"\n}\n'
_CHECKED = re.compile(rb'(?s)(.*),\n  "check": "([0-9a-f]{12})"\n\}\n')
_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "accelerate",
    "peft",
    "datasets",
    "numpy",
    "scipy",
    "pandas",
    "pytest",
)


def add_run(path: Path, values: Mapping[str, Any], runs: Sequence[CellRun]) -> Path | None:
    """Add a run to the file at `path`, which is rewritten as a whole. Return where a damaged file is kept, if any.

    `values` are JSON values; any other value is written as its `str`. An existing file that was changed after it was
    written, or that cannot be parsed, is kept next to it, as `run.json.damaged` or `run.json.damaged-2`. Raises
    `ResultsFolderError`.
    """
    entry = {
        **values,
        "command": sys.argv,
        "commit": _commit(Path(__file__).parent),
        "versions": versions(),
        "machine": machine(),
        "settings": {settings_hash(run.settings): asdict(run.settings) for run in runs},
        "cells": [_cell(run) for run in runs],
    }
    earlier, damaged = read_runs(path), None
    if earlier is None:
        damaged = _set_aside(path)
    write_runs(path, _newest([*(earlier or []), entry]))
    return damaged


def merge_runs(path: Path, other: bytes) -> None:
    """Add the runs of `other`, the content of another copy of the file, to the file at `path`, by when they started.

    What is damaged adds nothing. Raises `ResultsFolderError`.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(other)
        runs = [*(read_runs(copy) or []), *(read_runs(path) or [])]
    distinct = {json.dumps(run, sort_keys=True): run for run in runs}
    in_order = sorted(distinct.values(), key=lambda run: str(run.get("started")))
    write_runs(path, _newest(in_order))


def write_runs(path: Path, runs: Sequence[Mapping[str, Any]]) -> None:
    """Write a file of these runs, oldest first, however many they are. Raises `ResultsFolderError`."""
    content = {"format": _FORMAT, "runs": list(runs)}
    write_atomically(path, _signed(json.dumps(content, indent=2, default=str).encode()))


def _signed(content: bytes) -> bytes:
    """Return the file with its checksum in its last line but one."""
    body = content.removesuffix(b"\n}")
    return body + _END % _check(body)


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:12].encode()


def newest_caveat(path: Path, models: Iterable[str]) -> str | None:
    """Return the caveat of the newest run in the file that has one and worked on one of `models`; None if none does.

    If there is no such file, or it cannot be parsed, it is left as it is, and the sentence returned says that a caveat
    may be missing. Raises `ResultsFolderError`.
    """
    wanted, runs = set(models), read_runs(path)
    if runs is None:
        return f"{display_path(path)} is damaged, so a caveat about these results may be missing"
    if wanted and not path.exists():
        return f"{display_path(path)} is not there, so a caveat about these results may be missing"
    for run in reversed(runs):
        if run.get("caveat") and any(cell.get("model") in wanted for cell in run.get("cells", [])):
            return str(run["caveat"])
    return None


def _cell(run: CellRun) -> dict[str, object]:
    return {
        **asdict(run.cell),
        "settings": settings_hash(run.settings),
        "asked": len(run.asked),
        "read": run.read,
        "made": run.made,
        "graded_again": run.graded_again,
        "seconds": run.seconds,
        "outcomes": dict(run.outcomes),
    }


def _set_aside(path: Path) -> Path:
    """Rename a damaged file to a name that nothing has, and return it."""
    names = (f"{path.name}.damaged{f'-{number}' * (number > 1)}" for number in itertools.count(1))
    target = next(aside for aside in map(path.with_name, names) if not os.path.lexists(aside))
    with explaining_os_errors(path, "write"):
        path.rename(target)
    return target


def read_runs(path: Path) -> list[dict[str, Any]] | None:
    """Return the runs in the file, oldest first.

    A missing file gives an empty list. A file that was changed after it was written, that cannot be parsed or that is
    no regular file gives None. Files of older versions, of format 1, have no checksum.

    Raises `ResultsFolderError`.
    """
    with explaining_os_errors(path, "read"):
        if not path.exists():
            return []
        content = regular_content(path)
    checked = _CHECKED.fullmatch(content)
    try:
        values = parsed_json(content)
        runs, older = values["runs"], "check" not in values and values.get("format", 1) == 1
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    whole = older if checked is None else _check(checked[1]) == checked[2]
    return runs if whole and _is_list_of_objects(runs) else None


def _is_list_of_objects(runs: Any) -> bool:
    return isinstance(runs, list) and all(isinstance(run, dict) for run in runs)


def _newest(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most `MAX_RUNS` runs; those without new records are dropped first, then the oldest.

    The newest run with a caveat about a model is never dropped.
    """
    with_caveat = {
        cell.get("model"): number
        for number, run in enumerate(runs)
        if run.get("caveat")
        for cell in run.get("cells", [])
    }
    droppable = [number for number in range(len(runs) - 1) if number not in with_caveat.values()]
    without_records = [n for n in droppable if not any(cell.get("made") for cell in runs[n].get("cells", []))]
    dropped = list(dict.fromkeys([*without_records, *droppable]))[: max(0, len(runs) - MAX_RUNS)]
    return [run for number, run in enumerate(runs) if number not in dropped]


def versions() -> dict[str, str | None]:
    """Return the versions of the packages that results may depend on, without importing them; None if not installed."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def machine() -> dict[str, object]:
    """Return the system, the processor's model, the number of cores this process may use, and the memory in bytes.

    `memory` is None if it cannot be determined.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = None
    cores = len(affinity(0)) if affinity else os.cpu_count()
    system = f"{platform.system()} {platform.machine()}"
    return {"system": system, "processor": _processor(), "cores": cores, "memory": memory}


def _processor() -> str | None:
    """Return the processor's model from /proc/cpuinfo or from Python; None if neither has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    model_names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(model_names, None) or platform.processor() or None


def _commit(folder: Path) -> str | None:
    """Return the git commit of the code, ending in `-dirty` if files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return completed.stdout.strip() or None if completed.returncode == 0 else None
