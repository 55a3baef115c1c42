"""Which model an adapter belongs on. No torch here."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from models.model_registry import MODELS, TRAINING_LOG, ModelSpec, spec_of_reference

#: The file that makes a folder an adapter, and not a model.
ADAPTER_CONFIG = "adapter_config.json"


def is_adapter(folder: Path) -> bool:
    """Whether `folder` holds a peft adapter."""
    return (folder / ADAPTER_CONFIG).is_file()


def base_of(folder: Path) -> ModelSpec:
    """The model that the adapter in `folder` belongs on: where its configuration says, or else where it was when the
    adapter was trained here. Raises `ValueError` where it cannot be found, and for an adapter that is not LoRA's."""
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_bytes())
        reference, kind, revision = config["base_model_name_or_path"], config["peft_type"], config.get("revision")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / ADAPTER_CONFIG} does not name the adapter's base and kind ({error})") from None
    if kind != "LORA":
        raise ValueError(f"{folder} holds an adapter of the kind {kind!r}; expected 'LORA', which can be merged")
    found = spec_of_reference(str(reference), folder) or _base_when_trained(folder)
    if found is None or os.path.realpath(found.source) == os.path.realpath(folder):
        raise ValueError(
            f"the adapter in {folder} belongs on {reference!r}, which is no registered model ({', '.join(MODELS)}), no"
            " hub id, and no folder, neither from there nor from here"
        )
    on_hub = not Path(found.source).is_dir()
    return replace(found, revision=str(revision)) if on_hub and revision and not found.revision else found


def _base_when_trained(folder: Path) -> ModelSpec | None:
    try:
        path = Path(json.loads((folder / TRAINING_LOG).read_bytes())["base_path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ModelSpec(path.name, str(path)) if path.is_dir() else None
