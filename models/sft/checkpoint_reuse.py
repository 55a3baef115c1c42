"""Whether a tuned checkpoint that is there already is the one that was asked for. No torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.model_registry import TRAINING_LOG


class TuningMismatch(ValueError):
    """A checkpoint is there already and was made otherwise. Nothing is ever written over it."""


def refuse_other(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raise `TuningMismatch` unless `folder` holds a checkpoint of these `settings`."""
    remedy = "name another --results, or set everything there aside (--fresh)"
    try:
        made = json.loads((folder / TRAINING_LOG).read_bytes())["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        raise TuningMismatch(f"{folder} is there and holds no finished fine-tuning of this harness; {remedy}") from None
    different = [name for name in {**settings, **made} if made.get(name) != settings.get(name)]
    if different:
        words = [f"{_option(n)} was {_short(made.get(n))} and is now {_short(settings.get(n))}" for n in different]
        raise TuningMismatch(f"{folder} was tuned under other settings: {'; '.join(words)}. Nothing changed: {remedy}")


def _option(name: str) -> str:
    """A setting as the user named it."""
    option = _OPTIONS.get(name)
    return f"{name} ({option})" if option else name


_OPTIONS = {
    "method": "--sft-method",
    "epochs": "--sft-epochs",
    "batch": "--sft-batch-size",
    "accumulation": "--sft-accumulation",
    "rate": "--sft-lr",
    "rank": "--sft-rank",
    "loss": "--sft-loss",
    "seed": "--seed",
    "samples": "--sft-samples",
    "source": "--sft-problems",
    "noise": "--sft-noise",
    "precision": "--dtype",
    "base": "--models",
    "prompt": "--prompt, --chat",
}


def _short(value: Any) -> str:
    return repr(value[:8] + "…" if isinstance(value, str) and len(value) == 64 else value)
