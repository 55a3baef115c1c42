"""LoRA adapters (Hu et al., arXiv 2106.09685): put on a base, kept beside its name, and merged into it again.

peft takes two seconds to import, so it is imported where an adapter is at hand: most models have none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from models.attention.differential import decoder_of
from models.model_registry import ModelSpec, reference_of
from models.sft.sft_options import LORA_TARGETS, Tuning
from models.upstream_peft import (
    MissingAdapterWeightsError,
    adapter_deltas,
    known_lora_targets,
    load_adapter,
    save_adapter_files,
)

if TYPE_CHECKING:
    from peft import PeftModel


def targets_of(model: PreTrainedModel) -> list[str] | str:
    """The names of the layers that LoRA adapts: ours for the two families, else those that peft knows for the
    architecture, else `all-linear`, which is every linear layer but the output head (Dettmers et al., arXiv 2305.14314,
    section 4)."""
    architecture = model.config.model_type
    known = LORA_TARGETS.get(architecture) or known_lora_targets(architecture)
    there = {module.rpartition(".")[2] for module, _ in model.named_modules()}
    targets = [target for target in known if target in there]
    if targets or model.config.get_text_config() is model.config:
        return targets or "all-linear"
    whole = {id(module): name for name, module in model.named_modules()}  # its eyes are not trained by text
    return [whole[id(layer)] for layer in decoder_of(model).modules() if isinstance(layer, nn.Linear)]


def adapted(model: PreTrainedModel, tuning: Tuning) -> PeftModel:
    """`model` with a fresh adapter in it, which changes nothing yet; all else is frozen. `model` itself is changed."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=tuning.rank,
        lora_alpha=2 * tuning.rank,
        target_modules=targets_of(model),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2's are turned
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:  # which names options that are not here
        kind = model.config.model_type
        raise ValueError(f"peft cannot adapt the architecture {kind!r} ({error}); take --sft-method full") from error


def save_adapter(model: PeftModel, folder: Path, base: ModelSpec) -> None:
    """Write the adapter to `folder`, with a name of its base that holds on another machine or in another folder."""
    save_adapter_files(model, folder, reference_of(base, folder))


def attached(base: PreTrainedModel, folder: Path) -> PeftModel:
    """`base` with the adapter of `folder` in it, in evaluation mode. `base` itself is changed. Raises `ValueError` for
    an adapter that has not all the weights that `base` wants of it."""
    try:
        return load_adapter(base, folder).eval()
    except MissingAdapterWeightsError as error:
        raise ValueError(f"the adapter in {folder} does not fit {type(base).__name__}: {error!s:.300}") from error


def merged(model: PeftModel) -> Any:
    """The base's own class with the adapter added into its weights. `model` is used up."""
    return model.merge_and_unload().eval().requires_grad_(True)  # peft froze it


def deltas(model: PeftModel) -> dict[str, float]:
    """The largest absolute change of a weight that the adapter makes in each layer it is in, by the layer's name."""
    return {name: float(delta.abs().max()) for name, delta in adapter_deltas(model)}
