"""The training logs of tuned checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.store.atomic_io import explaining_os_errors
from reports.store.file_names import file_name
from reports.store.json_content import parsed_json, regular_content
from reports.store.records import CellRun
from reports.store.stage_and_file_names import CHECKPOINTS_FOLDER, SFT, TRAINING_LOG, TUNED_SUFFIX


def tuned_checkpoint_folder(results: Path, model: str) -> Path:
    """Return the folder of a model's tuned checkpoint in a results folder."""
    return results / CHECKPOINTS_FOLDER / f"{file_name(model)}-sft"


def tuning_summary(results: Path, runs: Sequence[CellRun]) -> list[str]:
    """Return one line for each tuned model of these runs. Raises `ResultsFolderError`.

    A name alone does not make a model a tuned one: outside the stage `sft` it has the weights of the checkpoint too.
    """
    lines = dict[str, None]()
    for run in runs:
        cell, model = run.cell, run.cell.model.removesuffix(TUNED_SUFFIX)
        if cell.stage != SFT and cell.model == model:
            continue
        if cell.stage == SFT:
            model = cell.model
        log = _read_log(tuned_checkpoint_folder(results, model) / TRAINING_LOG)
        if log is not None and (cell.stage == SFT or log.get("weights") == run.settings.weights):
            lines[f"tuned: {model}, {_described(log)}"] = None
    return list(lines)


def _described(log: dict[str, Any]) -> str:
    settings, losses = log["settings"], [point["loss"] for point in log["loss"]]
    tenth = max(1, len(losses) // 10)  # the loss of a single step is too noisy
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    noise = "" if settings.get("noise", "clean") == "clean" else f" with {settings['noise']}"
    return (
        f"{settings['method']} on {settings['samples']:,} problems of {settings.get('source', '?')}{noise}"
        f" × {settings['epochs']}, loss {first:.2f} → {last:.2f}, {log['seconds']:.0f} s"
    )


def _read_log(path: Path) -> dict[str, Any] | None:
    """Return the log of a tuned checkpoint; None if it is missing or not a log."""
    with explaining_os_errors(path, "read"):
        content = regular_content(path) if path.exists() else b"{}"
    try:
        log = parsed_json(content)
    except ValueError:
        return None
    if not isinstance(log, dict) or not log.keys() >= {"settings", "loss", "seconds"} or not log["loss"]:
        return None
    return log if log["settings"].keys() >= {"method", "samples", "epochs"} else None
