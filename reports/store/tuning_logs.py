"""What was tuned, as the log of each tuned checkpoint tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.store.atomic_io import explained
from reports.store.file_names import file_name
from reports.store.records import CellRun

FOLDER = "checkpoints"
SUFFIX = "+sft"
LOG = "training.json"


def tuned_folder(results: Path, model: str) -> Path:
    """Where the tuned checkpoint of a model is kept in a results folder."""
    return results / FOLDER / f"{file_name(model)}-sft"


def tuned_lines(results: Path, runs: Sequence[CellRun]) -> list[str]:
    """One line for each tuned model of these runs. Raises `ResultsFolderError`."""
    cells = [run.cell for run in runs]
    names = [c.model.removesuffix(SUFFIX) for c in cells if c.stage == "sft" or c.model.endswith(SUFFIX)]
    lines = []
    for name in dict.fromkeys(names):
        log = _log(tuned_folder(results, name) / LOG)
        if log is not None:
            lines.append(f"tuned: {name}, {_said(log)}")
    return lines


def _said(log: dict[str, Any]) -> str:
    settings, losses = log["settings"], [point["loss"] for point in log["loss"]]
    ends = max(1, len(losses) // 10)  # one step's loss says little
    first, last = sum(losses[:ends]) / ends, sum(losses[-ends:]) / ends
    noise = "" if settings.get("noise", "clean") == "clean" else f" with {settings['noise']}"
    return (
        f"{settings['method']} on {settings['samples']:,} problems of {settings.get('source', '?')}{noise}"
        f" × {settings['epochs']}, loss {first:.2f} → {last:.2f}, {log['seconds']:.0f} s"
    )


def _log(path: Path) -> dict[str, Any] | None:
    """The log of a tuned checkpoint; None where there is none that can be read as one."""
    with explained(path, "read"):
        content = path.read_bytes() if path.exists() else b"{}"
    try:
        log = json.loads(content)
    except ValueError:
        return None
    if not isinstance(log, dict) or not log.keys() >= {"settings", "loss", "seconds"} or not log["loss"]:
        return None
    return log if log["settings"].keys() >= {"method", "samples", "epochs"} else None
