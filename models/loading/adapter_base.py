"""Find the base model of a LoRA adapter. No torch here."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from models.model_reference import resolve_reference
from models.model_registry import TRAINING_LOG, ModelSpec, known_models

#: The file that makes a folder an adapter and not a model.
ADAPTER_CONFIG = "adapter_config.json"


def is_adapter(folder: Path) -> bool:
    """Return whether `folder` holds a peft adapter."""
    return (folder / ADAPTER_CONFIG).is_file()


def find_adapter_base(folder: Path) -> ModelSpec:
    """Return the base model of the adapter in `folder`: the one that the adapter's configuration names, else the folder
    that the base had when the adapter was trained here.

    Raises `ValueError` for a base that cannot be found, and for an adapter that is not LoRA's.
    """
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_bytes())
        reference, kind, revision = config["base_model_name_or_path"], config["peft_type"], config.get("revision")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / ADAPTER_CONFIG} does not name the adapter's base and type ({error})") from None
    if kind != "LORA":
        raise ValueError(f"{folder} holds an adapter of type {kind!r}; expected 'LORA', which can be merged")
    base = resolve_reference(str(reference), folder) or _base_when_trained(folder)
    if base is None or os.path.realpath(base.source) == os.path.realpath(folder):
        raise ValueError(
            f"the adapter in {folder} needs the base model {reference!r}, which is not a registered model"
            f" ({known_models()}), a hub id, or a folder relative to the adapter or the current folder"
        )
    on_hub = not Path(base.source).is_dir()
    return replace(base, revision=str(revision)) if on_hub and revision and not base.revision else base


def _base_when_trained(folder: Path) -> ModelSpec | None:
    try:
        path = Path(json.loads((folder / TRAINING_LOG).read_bytes())["base_path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ModelSpec(path.name, str(path)) if path.is_dir() else None
