"""Everything that depends on the internals of peft.

`tests/models/test_upstream_peft.py` says which of them changed. peft takes two seconds to import, so functions import
it.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel

if TYPE_CHECKING:
    from peft import PeftModel

#: The name that peft gives to the only adapter of a model.
_ADAPTER_NAME = "default"


class AdapterNames(NamedTuple):
    """The names of weights that a saved adapter lacks, and of those in it that its configuration does not ask for."""

    missing: set[str]
    unexpected: set[str]


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


def load_adapter(base: PreTrainedModel, folder: Path) -> tuple[PeftModel, AdapterNames]:
    """Return `base` with the adapter of `folder` in it, and which weights do not fit, as peft loads them all the same.

    `base` itself is changed, the random state is not. The weights must be in `folder`: peft asks the hub otherwise.
    """
    from peft import PeftModel, get_peft_model_state_dict

    saved = _saved_weights(folder)
    layers: list[Any] = [base.get_input_embeddings(), base.get_output_embeddings()]
    embeddings = [layer.weight for layer in layers if layer is not None]
    copies = {  # of the base's own embeddings, which peft saves next to an adapter of them
        name
        for name, weight in saved.items()
        if name.endswith(".base_layer.weight") and any(_equal(weight, layer) for layer in embeddings)
    }
    with torch.random.fork_rng(), warnings.catch_warnings():  # peft draws random weights before it reads the saved ones
        warnings.filterwarnings("ignore", message="Found missing adapter keys")
        warnings.filterwarnings("ignore", message="Model has `tie_word_embeddings=True`")  # see `_untie`
        model = PeftModel.from_pretrained(base, str(folder))
    wanted = get_peft_model_state_dict(model, save_embedding_layers=False).keys()
    with_embeddings = get_peft_model_state_dict(model, save_embedding_layers=True).keys()
    if with_embeddings <= saved.keys():  # the adapter was saved with all embedding layers, which peft has loaded
        copies |= with_embeddings
    return model, AdapterNames(missing=wanted - saved.keys(), unexpected=saved.keys() - wanted - copies)


def merge(model: PeftModel) -> Any:
    """Return the base model with the adapter added into its weights. `model` must not be used afterwards."""
    _untie(model)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Input and output embeddings are no longer tied"
        )  # nor in the adapter
        return model.merge_and_unload()


def _untie(model: PeftModel) -> None:
    """Give each adapted layer a weight of its own, so that merging changes no other layer.

    A tied output layer shares its weight with the embeddings: an adapter of one of them is no adapter of the other.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    shared = Counter(id(parameter) for _, parameter in model.named_parameters(remove_duplicate=False))
    for module in model.modules():
        layer: Any = module.get_base_layer() if isinstance(module, BaseTunerLayer) else None
        if layer is not None and shared[id(getattr(layer, "weight", None))] > 1:
            layer.weight = torch.nn.Parameter(layer.weight.detach().clone(), requires_grad=False)
            base: Any = model.get_base_model()
            base.config.tie_word_embeddings = False


def saves_whole_layers(model: PeftModel) -> bool:
    """Return whether the adapter holds layers that replace the base's, besides those that add to them."""
    config: Any = model.peft_config[_ADAPTER_NAME]
    return bool(config.modules_to_save)


def _saved_weights(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "adapter_model.safetensors"
    if path.is_file():
        return load_file(path)
    pickled: dict[str, torch.Tensor] = torch.load(folder / "adapter_model.bin", map_location="cpu", weights_only=True)
    return pickled


def _equal(weight: torch.Tensor, other: torch.Tensor) -> bool:
    return weight.shape == other.shape and torch.equal(weight, other.to(weight))


def adapter_deltas(model: PeftModel) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the name of each adapted layer and what the adapter adds to its weight."""
    for name, module in model.named_modules():
        if hasattr(module, "get_delta_weight"):
            yield name, module.get_delta_weight(_ADAPTER_NAME)
