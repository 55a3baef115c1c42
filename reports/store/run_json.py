"""`run.json`: what was run, when, on which machine, and how long it took. The newest run is the last."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from reports.store.atomic_io import display_path, explaining_os_errors, write_atomically
from reports.store.record_codec import settings_hash
from reports.store.records import CellRun

MAX_RUNS = 50
"""How many runs the file keeps. Runs without new records are dropped first."""

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


def add_run(path: Path, values: Mapping[str, Any], runs: Sequence[CellRun]) -> None:
    """Add a run to the file at `path`, which is rewritten as a whole.

    `values` are JSON values; any other value is written as its `str`. An existing file that cannot be parsed is kept as
    `run.json.damaged`. Raises `ResultsFolderError`.
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
    content = {"format": 1, "runs": _newest([*_earlier_runs(path), entry])}
    write_atomically(path, (json.dumps(content, indent=2, default=str) + "\n").encode())


def newest_caveat(path: Path, models: Iterable[str]) -> str | None:
    """Return the caveat of the newest run in the file that has one and worked on one of `models`; None if none does.

    If the file cannot be parsed, it is left as it is, and the sentence returned says that a caveat may be missing.
    Raises `ResultsFolderError`.
    """
    wanted, runs = set(models), read_runs(path)
    if runs is None:
        return f"{display_path(path)} is damaged, so a caveat about these results may be missing"
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


def _earlier_runs(path: Path) -> list[dict[str, Any]]:
    runs = read_runs(path)
    if runs is None:
        with explaining_os_errors(path, "write"):
            path.replace(path.with_name(f"{path.name}.damaged"))
    return runs or []


def read_runs(path: Path) -> list[dict[str, Any]] | None:
    """Return the runs in the file, oldest first.

    A missing file gives an empty list, and a file that cannot be parsed gives None.

    Raises `ResultsFolderError`.
    """
    with explaining_os_errors(path, "read"):
        if not path.exists():
            return []
        content = path.read_bytes()
    try:
        runs = json.loads(content)["runs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return runs if isinstance(runs, list) and all(isinstance(run, dict) for run in runs) else None


def _newest(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most `MAX_RUNS` runs; those without new records are dropped first, then the oldest."""
    kept = list(runs)
    for run in runs[:-1]:
        if len(kept) > MAX_RUNS and not any(cell.get("made") for cell in run.get("cells", [])):
            kept.remove(run)
    return kept[-MAX_RUNS:]


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
