"""Why a fine-tuning was refused or failed. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.loading.load_errors import LoadError


class TuningMismatch(ValueError):
    """A tuned checkpoint exists and was made under other settings; it is never overwritten.

    `folder` is its folder. `parameters` names the settings that differ, as in `training.json`; empty if the folder
    holds no finished fine-tuning.
    """

    def __init__(self, message: str, folder: Path | None = None, parameters: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.folder, self.parameters = folder, tuple(parameters)


class NoTuningProblems(ValueError):
    """There is no problem to tune on."""


class UnsupportedTuningDtype(ValueError):
    """Fine-tuning does not run in this `dtype`."""


class ExampleTooLong(ValueError):
    """A problem with its worked answer has more tokens than the model has positions."""


class TuningOutOfMemory(LoadError):
    """A training ran out of memory. A smaller `batch` with a larger `accumulation` needs less."""


class TuningNotSaved(LoadError):
    """The disk refused what a training writes. What it has saved before is kept."""


class TrainingDiverged(RuntimeError):
    """A loss or a gradient is not finite. A smaller `rate` may help.

    The message says at which step, and where the last good weights are.
    """


class TuningNotApplied(RuntimeError):
    """A tuned checkpoint does not hold what was trained. Nothing is evaluated with it."""


class TuningLostToRounding(TuningNotApplied):
    """The training changed less than the precision can hold. Raise `dtype`, `epochs` or `rate`."""
