"""The grid of an experiment: model × noise × stage, and how many problems a cell takes. No torch here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from models.registry import ModelSpec, find_models
from noise.registry import NOISES
from noise.sources import is_file_source, split_source
from reports.records import Cell

#: Every stage there is, in the order in which one model goes through them.
STAGES = ("zero_shot",)
#: Every dataset a cell can be about: the clean problems, and each noise.
DATASETS = ("clean", *NOISES)
#: Problems a cell, by the size that was asked for; −1 is all there are.
SIZES = {"quick": 20, "default": 200, "medium": 100, "full": -1}


class GridError(ValueError):
    """Something was asked of the grid that it does not have."""


@dataclass(frozen=True)
class Plan:
    """What one run will do: everything it takes from its options, checked, before anything is loaded.

    `max_samples` counts problems a cell, −1 for all; the first ones of `problems` are taken. `noisy_folder` is where
    noisy files are read from instead of noise being drawn (`--skip-data-gen`), None otherwise.
    """

    models: tuple[ModelSpec, ...]
    datasets: tuple[str, ...]
    stages: tuple[str, ...]
    problems: str = "mini"
    max_samples: int = SIZES["default"]
    seed: int = 0
    batch_size: int = 64
    max_new_tokens: int = 256
    device: str = "auto"
    dtype: str = "auto"
    noisy_folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that mean nothing: `GridError`."""
        if self.max_samples != -1 and self.max_samples < 1:
            raise GridError(f"--max-samples {self.max_samples}: expected a number from 1 up, or -1 for all")
        for option, value in (("--batch-size", self.batch_size), ("--max-new-tokens", self.max_new_tokens)):
            if value < 1:
                raise GridError(f"{option} {value}: expected a number from 1 up")

    def cells(self, stage: str, *models: ModelSpec) -> list[tuple[ModelSpec, Cell]]:
        """The cells of a stage, of all models or of `models`, model by model, in the order of the options."""
        return [(spec, Cell(spec.name, dataset, stage)) for spec in models or self.models for dataset in self.datasets]

    def caveat(self, cells: Sequence[Cell]) -> str | None:
        """What must be said beside figures of `cells`, if anything."""
        used = {cell.model for cell in cells}
        return "; ".join(sorted({spec.caveat for spec in self.models if spec.name in used} - {""})) or None

    def options(self) -> dict[str, object]:
        """The plan as plain values, for the record of a run."""
        models = {spec.name: f"{spec.source}/{spec.subfolder}".rstrip("/") for spec in self.models}
        folder = None if self.noisy_folder is None else str(self.noisy_folder)
        return {**asdict(self), "models": models, "noisy_folder": folder}

    @property
    def source(self) -> str:
        """A name of the problems that does not depend on where a file lies: `mini:test`, `train.jsonl`."""
        return Path(self.problems).name if is_file_source(self.problems) else ":".join(split_source(self.problems))

    def describe(self) -> str:
        """One line that says what will run."""
        models, datasets = ", ".join(spec.name for spec in self.models), ", ".join(self.datasets)
        size = "all problems" if self.max_samples < 0 else f"{self.max_samples} problems"
        stages = ", ".join(self.stages) or "no stage (all skipped)"
        return f"grid: {models} × {datasets} × {stages}; {size} a cell from {self.problems}, seed {self.seed}"


def choose_datasets(text: str | Sequence[str]) -> tuple[str, ...]:
    """The datasets of a list, comma-separated or not. Raises `GridError`, with the nearest name, for an unknown one."""
    parts = text.split(",") if isinstance(text, str) else text
    names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in names:
        if name not in DATASETS:
            near = difflib.get_close_matches(name, DATASETS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise GridError(f"--datasets: unknown dataset {name!r}.{hint} Known: {', '.join(DATASETS)}.")
    if not names:
        raise GridError(f"--datasets {text!r} names no dataset. Known: {', '.join(DATASETS)}.")
    return names


def choose_models(models: str | Sequence[str]) -> tuple[ModelSpec, ...]:
    """The models of a comma-separated list, or of a list. Raises `UnknownModelError`."""
    return tuple(find_models(models if isinstance(models, str) else ",".join(models)))
