"""LoRA adapters (Hu et al., arXiv 2106.09685): add one to a model, save it, attach a saved one, merge it.

peft takes two seconds to import, so it is imported only where an adapter is used: most models have none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from models import upstream_peft
from models.attention.differential import decoder_of
from models.loading.load_errors import CheckpointDamaged
from models.loading.weight_checks import check_names
from models.model_reference import portable_reference
from models.model_registry import ModelSpec
from models.sft.sft_options import LORA_TARGETS, Tuning
from models.upstream_peft import known_lora_targets, load_adapter, save_adapter_files, saves_whole_layers

if TYPE_CHECKING:
    from peft import PeftModel


class AdapterUnsupportedError(ValueError):
    """peft cannot adapt an architecture; `Tuning(method="full")` can tune it."""


def lora_targets(model: PreTrainedModel) -> list[str] | str:
    """Return the names of the layers that LoRA adapts.

    Ours for the two families, else those that peft knows for the architecture, else `all-linear`, which is every linear
    layer but the output head (Dettmers et al., arXiv 2305.14314, section 4).
    """
    architecture = model.config.model_type
    known = LORA_TARGETS.get(architecture) or known_lora_targets(architecture)
    names = {module.rpartition(".")[2] for module, _ in model.named_modules()}
    targets = [target for target in known if target in names]
    if targets or model.config.get_text_config() is model.config:
        return targets or "all-linear"
    # A multimodal model: only the text decoder's layers, as text does not train the vision tower.
    paths = {id(module): name for name, module in model.named_modules()}
    return [paths[id(layer)] for layer in decoder_of(model).modules() if isinstance(layer, nn.Linear)]


def add_adapter(model: PreTrainedModel, tuning: Tuning) -> PeftModel:
    """Add a fresh adapter to `model`, which changes no output yet, and freeze all other weights.

    `model` itself is changed. Raises `AdapterUnsupportedError`.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=tuning.rank,
        lora_alpha=2 * tuning.rank,
        target_modules=lora_targets(model),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2's are transposed
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:  # its message names options that do not exist here
        architecture = model.config.model_type
        raise AdapterUnsupportedError(
            f'peft cannot adapt the architecture {architecture!r} ({error}); expected method="full"'
        ) from error


def save_adapter(model: PeftModel, folder: Path, base: ModelSpec) -> None:
    """Write the adapter to `folder`, with a reference to its base that holds on other machines and in other folders."""
    save_adapter_files(model, folder, portable_reference(base, folder))


def attach_adapter(base: PreTrainedModel, folder: Path) -> PeftModel:
    """Attach the adapter in `folder` to `base`, in evaluation mode. `base` itself is changed.

    Raises `CheckpointDamaged` for an adapter with other weights than its configuration asks for.
    """
    model, names = load_adapter(base, folder)
    check_names(folder, f"adapter_config.json for {type(base).__name__}", names.missing, names.unexpected)
    return model.eval()


def check_changes(model: PeftModel, folder: Path) -> None:
    """Check that the adapter in `folder`, attached to `model`, changes something. Raises `CheckpointDamaged`."""
    if not any(adapter_deltas(model).values()) and not saves_whole_layers(model):
        raise CheckpointDamaged(f"the adapter in {folder} changes nothing: what it adds to each layer is all zeros")


def merge_adapter(model: PeftModel) -> Any:
    """Return the base model with the adapter added into its weights. `model` must not be used afterwards.

    Where one of two tied layers is adapted, the merged model has them untied.
    """
    return upstream_peft.merge(model).eval().requires_grad_(True)  # peft froze it


def adapter_deltas(model: PeftModel) -> dict[str, float]:
    """Return the largest absolute change of a weight that the adapter makes, by layer name."""
    return {name: float(delta.abs().max()) for name, delta in upstream_peft.adapter_deltas(model)}
