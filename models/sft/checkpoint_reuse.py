"""Whether an existing tuned checkpoint was made under the requested settings. No torch here."""

from __future__ import annotations

import hashlib
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
        log = json.loads((folder / TRAINING_LOG).read_bytes())
        previous = log["settings"]
        files = log.get("files")
    except (OSError, ValueError, KeyError, TypeError):
        raise TuningMismatch(f"{folder} exists and holds no finished fine-tuning; {advice}", folder) from None
    previous = {name: value for name, value in previous.items() if name != "stop"}  # of older logs, and no part of it
    different = [name for name in {**settings, **previous} if previous.get(name) != settings.get(name)]
    if different:
        changes = [f"{n} was {_short(previous.get(n))} and is now {_short(settings.get(n))}" for n in different]
        raise TuningMismatch(
            f"{folder} was tuned with other settings: {'; '.join(changes)}; {advice}", folder, different
        )
    if files is not None and files != files_fingerprint(folder):  # older logs have none
        raise TuningMismatch(f"the files in {folder} were changed after the fine-tuning; {advice}", folder)


def files_fingerprint(folder: Path) -> str:
    """Return the SHA-256 (hex) over the weights and the configuration in `folder`, its base apart."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".safetensors", ".json")):
        if path.name != TRAINING_LOG:
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _short(value: Any) -> str:
    """Abbreviate a hash."""
    return repr(value[:8] + "…" if isinstance(value, str) and len(value) == 64 else value)
