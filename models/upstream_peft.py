"""Everything that depends on the internals of peft.

`tests/models/test_upstream_peft.py` says which of them changed. peft takes two seconds to import, so functions import
it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import PreTrainedModel

if TYPE_CHECKING:
    from peft import PeftModel

#: The name that peft gives to the only adapter of a model.
_ADAPTER_NAME = "default"


class MissingAdapterWeightsError(ValueError):
    """A saved adapter lacks weights that its model needs. The message is peft's."""


def known_lora_targets(architecture: str) -> Sequence[str]:
    """Return the names of the layers that peft adapts in `architecture` (a `model_type`); empty where it knows none."""
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING

    targets: Sequence[str] = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(architecture, ())
    return targets


def save_adapter_files(model: PeftModel, folder: Path, base_reference: str) -> None:
    """Write the adapter to `folder`, with `base_reference` as the name of its base. The same adapter gives the same
    bytes."""
    config = model.peft_config[_ADAPTER_NAME]
    before = config.base_model_name_or_path
    try:
        config.base_model_name_or_path = base_reference
        model.save_pretrained(str(folder), save_embedding_layers=False)
    finally:
        config.base_model_name_or_path = before
    (folder / "README.md").unlink(missing_ok=True)  # an empty model card
    path = folder / "adapter_config.json"
    saved = json.loads(path.read_bytes())
    saved["target_modules"] = sorted(saved["target_modules"])  # a set, whose order differs between processes
    path.write_text(json.dumps(saved, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load_adapter(base: PreTrainedModel, folder: Path) -> PeftModel:
    """Return `base` with the adapter of `folder` in it. `base` itself is changed, the random state is not.

    Raises `MissingAdapterWeightsError`, where peft leaves weights random and only warns.
    """
    from peft import PeftModel

    with torch.random.fork_rng(), warnings.catch_warnings():  # peft draws random weights before it reads the saved ones
        warnings.filterwarnings("error", message="Found missing adapter keys")
        try:
            return PeftModel.from_pretrained(base, str(folder))
        except UserWarning as warning:
            raise MissingAdapterWeightsError(str(warning).splitlines()[0]) from warning


def adapter_deltas(model: PeftModel) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the name of each adapted layer and what the adapter adds to its weight."""
    for name, module in model.named_modules():
        if hasattr(module, "get_delta_weight"):
            yield name, module.get_delta_weight(_ADAPTER_NAME)
