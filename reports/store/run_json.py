"""`run.json`: what was run, when, on what, and how long it took; the newest run is the last."""

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

from reports.store.atomic_io import explained, shown, write_atomically
from reports.store.record_codec import settings_hash
from reports.store.records import CellRun

KEPT = 50
"""How many runs the file remembers. Those that made no prediction are forgotten first."""

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


def add_run(path: Path, facts: Mapping[str, Any], runs: Sequence[CellRun]) -> None:
    """Adds a run to the file at `path`, which is written anew as a whole.

    `facts` are JSON values; another value is written as its `str`. A file that is there and cannot be understood is
    kept beside the new one as `run.json.damaged`. Raises `ResultsFolderError`.
    """
    entry = {
        **facts,
        "command": sys.argv,
        "commit": _commit(Path(__file__).parent),
        "versions": versions(),
        "machine": machine(),
        "settings": {settings_hash(run.settings): asdict(run.settings) for run in runs},
        "cells": [_cell(run) for run in runs],
    }
    content = {"format": 1, "runs": _shortened([*_earlier(path), entry])}
    write_atomically(path, (json.dumps(content, indent=2, default=str) + "\n").encode())


def caveat_of(path: Path, models: Iterable[str]) -> str | None:
    """What the newest run in the file at `path` that worked on one of `models` and has a caveat says, in one sentence.

    None where no such run is there. A file that cannot be understood is left as it is, and the sentence says that a
    caveat may be missing. Raises `ResultsFolderError`.
    """
    wanted, runs = set(models), runs_of(path)
    if runs is None:
        return f"{shown(path)} is damaged, so that what must be said beside these figures may be missing"
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
        "seconds": run.seconds,
        "outcomes": dict(run.outcomes),
    }


def _earlier(path: Path) -> list[dict[str, Any]]:
    runs = runs_of(path)
    if runs is None:
        with explained(path, "write"):
            path.replace(path.with_name(f"{path.name}.damaged"))
    return runs or []


def runs_of(path: Path) -> list[dict[str, Any]] | None:
    """The runs in the file, oldest first; none where there is no file, None where it cannot be understood. Raises
    `ResultsFolderError`."""
    with explained(path, "read"):
        if not path.exists():
            return []
        content = path.read_bytes()
    try:
        runs = json.loads(content)["runs"]
    except (ValueError, KeyError, TypeError):
        return None
    return runs if isinstance(runs, list) and all(isinstance(run, dict) for run in runs) else None


def _shortened(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = list(runs)
    for run in runs[:-1]:
        if len(kept) > KEPT and not any(cell.get("made") for cell in run.get("cells", [])):
            kept.remove(run)
    return kept[-KEPT:]


def versions() -> dict[str, str | None]:
    """Versions of what the figures may depend on, read without importing any of it; None where it is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def machine() -> dict[str, object]:
    """The system, the processor's model, how many cores this process may use, and the memory in bytes (None where that
    cannot be asked)."""
    affinity = getattr(os, "sched_getaffinity", None)
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = None
    cores = len(affinity(0)) if affinity else os.cpu_count()
    system = f"{platform.system()} {platform.machine()}"
    return {"system": system, "processor": _processor(), "cores": cores, "memory": memory}


def _processor() -> str | None:
    """The processor's model, where Linux tells it or Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, None) or platform.processor() or None


def _commit(folder: Path) -> str | None:
    """The git commit of the code, ending in `-dirty` where files differ from it; None where git cannot tell."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        asked = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() or None if asked.returncode == 0 else None
