"""Whether an existing tuned checkpoint was made under the requested settings. No torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.model_registry import TRAINING_LOG
from models.sft.tuning_errors import TuningMismatch


def check_reusable(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raise `TuningMismatch` unless `folder` holds a tuned checkpoint of these `settings`."""
    advice = "nothing was overwritten; use another folder, or move this one away"
    try:
        previous = json.loads((folder / TRAINING_LOG).read_bytes())["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        raise TuningMismatch(f"{folder} exists and holds no finished fine-tuning; {advice}", folder) from None
    previous = {name: value for name, value in previous.items() if name != "stop"}  # of older logs, and no part of it
    different = [name for name in {**settings, **previous} if previous.get(name) != settings.get(name)]
    if different:
        changes = [f"{n} was {_short(previous.get(n))} and is now {_short(settings.get(n))}" for n in different]
        raise TuningMismatch(
            f"{folder} was tuned with other settings: {'; '.join(changes)}; {advice}", folder, different
        )


def _short(value: Any) -> str:
    """Abbreviate a hash."""
    return repr(value[:8] + "…" if isinstance(value, str) and len(value) == 64 else value)
