"""Checks that a tuned checkpoint holds what was trained: made after every training, and kept in its log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.loading.adapter_base import is_adapter
from models.loading.lora_adapters import adapter_deltas, attach_adapter, merge_adapter
from models.loading.read_checkpoint import read_model, verified_base
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.sft.tokenized_examples import accepted_inputs
from models.sft.tuning_errors import TuningLostToRounding, TuningNotApplied

#: How far the logits of a reloaded checkpoint may be from those in memory, as a share of the largest logit; in practice
#: the difference is 0.
MAX_REREAD_DIFFERENCE = 1e-6
#: How far the logits of a merged adapter may be from those of the adapter next to its base, in float64, as a share of
#: the largest logit. In float32 rounding alone can reach as much (1e-4 was met on GSM8K's text).
MAX_MERGED_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class TrainedSnapshot:
    """What the checks need of a trained model, so that it need not stay in memory.

    Its class (the base's, for an adapter), device and dtype, its logits on `inputs`, and how far its checkpoints are
    trusted.
    """

    model_class: type[Any]
    device: torch.device
    dtype: torch.dtype
    inputs: dict[str, torch.Tensor]
    logits: torch.Tensor
    trust: Trust = NO_TRUST

    @classmethod
    def of(cls, model: Any, inputs: dict[str, torch.Tensor], trust: Trust = NO_TRUST) -> TrainedSnapshot:
        """Return the snapshot of `model`, which is left in evaluation mode."""
        model.eval()
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        return cls(type(base), base.device, base.dtype, inputs, logits_of(model, inputs), trust)


@torch.inference_mode()
def check_reload(trained: TrainedSnapshot, folder: Path, base: Path, precision: torch.dtype) -> dict[str, Any]:
    """Check the checkpoint in `folder` against the model it was saved from, and return the measurements for the log.

    Reloaded as it was trained, its logits must be those in memory and every layer must have changed. An adapter is also
    merged, and the logits compared. Reloaded as it will be used, in `precision`, it must have its base's class and
    other weights than its base. Raises `TuningNotApplied` otherwise.
    """
    reloaded = _check_adapter(trained, folder, base) if is_adapter(folder) else _check_weights(trained, folder, base)
    return {"class": trained.model_class.__name__, **reloaded, **_check_as_used(trained, folder, base, precision)}


def _check_adapter(trained: TrainedSnapshot, folder: Path, base: Path) -> dict[str, Any]:
    reloaded: Any = attach_adapter(read_model(base, trained.dtype, trained.trust), folder).to(trained.device)
    reread = _reread_difference(trained, folder, reloaded)
    changes = adapter_deltas(reloaded)
    unchanged = [name for name, change in changes.items() if not change > 0]
    if unchanged or not changes:
        raise TuningNotApplied(
            f"the adapter in {folder} changes nothing in {unchanged[0] if unchanged else 'any layer'}"
        )
    del reloaded
    exact = torch.float64
    base_model = read_model(verified_base(folder, trained.trust), exact, trained.trust)  # on the CPU: GPUs may lack it
    with suppress(ValueError):  # a mixture's faster expert kernels lack float64; most models have no experts
        base_model.set_experts_implementation("eager")
    unmerged: Any = attach_adapter(base_model, folder).to(exact)
    logits = _unpadded_logits(unmerged, trained.inputs)
    difference = relative_difference(_unpadded_logits(merge_adapter(unmerged), trained.inputs), logits)
    if not difference <= MAX_MERGED_DIFFERENCE:
        raise TuningNotApplied(
            f"merging the adapter into its base changes its logits by {difference:.1e} of the largest in float64; at"
            f" most {MAX_MERGED_DIFFERENCE:.0e} is allowed, and the checkpoint is not kept"
        )
    return {
        "reread_difference": reread,
        "layers": len(changes),
        "smallest_change": min(changes.values()),
        "merged_difference": difference,
    }


def _check_weights(trained: TrainedSnapshot, folder: Path, base: Path) -> dict[str, Any]:
    reloaded: Any = read_model(folder, trained.dtype, trained.trust).to(trained.device)
    changes = _weight_changes(reloaded, read_model(base, trained.dtype, trained.trust))
    unchanged = [name for name, change in changes.items() if not change > 0]
    if unchanged:
        raise TuningNotApplied(f"full fine-tuning changed nothing in {unchanged[0]}")
    return {
        "reread_difference": _reread_difference(trained, folder, reloaded),
        "layers": len(changes),
        "smallest_change": min(changes.values()),
    }


def _file_and_name(model_class: type[Any]) -> tuple[str, str]:
    """Return what a class is known by: one from the Python files of a checkpoint is another object for each folder."""
    return model_class.__module__.rpartition(".")[2], model_class.__qualname__


def _check_as_used(trained: TrainedSnapshot, folder: Path, base: Path, precision: torch.dtype) -> dict[str, Any]:
    """Check the weights in `precision`: rounding can undo a small change, in some layers or in all."""
    tuned_model: Any = read_model(folder, precision, trained.trust)
    base_model: Any = read_model(base, precision, trained.trust)
    if _file_and_name(type(tuned_model)) != _file_and_name(trained.model_class):
        raise TuningNotApplied(
            f"{folder}: expected a {trained.model_class.__name__} on reloading, got a {type(tuned_model).__name__}"
        )
    changed = sum(change > 0 for change in _weight_changes(tuned_model, base_model).values())
    if not changed:
        dtype = str(precision).removeprefix("torch.")
        raise TuningLostToRounding(
            f"rounded to {dtype}, the weights in {folder} equal those of the base: the training changed less than"
            f' {dtype} can hold; try dtype="float32", more epochs or a larger learning rate'
        )
    to_base = relative_difference(logits_of(base_model.to(trained.device), trained.inputs), trained.logits)
    del base_model
    difference = relative_difference(logits_of(tuned_model.to(trained.device), trained.inputs), trained.logits)
    return {"used_layers": changed, "used_difference": difference, "base_difference": to_base}


def _reread_difference(trained: TrainedSnapshot, folder: Path, reloaded: Any) -> float:
    difference = relative_difference(logits_of(reloaded, trained.inputs), trained.logits)
    if not difference <= MAX_REREAD_DIFFERENCE:
        raise TuningNotApplied(
            f"the model reloaded from {folder} differs from the one in memory by {difference:.1e} of its largest logit"
        )
    return difference


def _weight_changes(model: Any, base: Any) -> dict[str, float]:
    """Return the largest absolute change of a weight in each matrix, by its name."""
    old = dict(base.named_parameters())
    return {name: float((p.cpu() - old[name]).abs().max()) for name, p in model.named_parameters() if p.ndim > 1}


def logits_of(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the logits, (row, token, vocabulary) in float32 on the CPU, 0 at padding."""
    device = next(model.parameters()).device
    accepted = accepted_inputs(model, inputs)
    on_device = {name: value.to(device) for name, value in accepted.items() if name != "labels"}
    with torch.inference_mode():
        logits: torch.Tensor = model(**on_device, use_cache=False).logits.float().cpu()
    return torch.where(inputs["attention_mask"].cpu()[..., None] > 0, logits, 0.0)  # padding may give NaN


def _unpadded_logits(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the logits of all real tokens, (token, vocabulary), one row at a time without its padding.

    A float64 mask of transformers becomes −∞ in the softmax, which is in float32. A padded token is then NaN, and so is
    every token that attends past it.
    """
    logits = []
    for row, mask in enumerate(inputs["attention_mask"].bool()):
        unpadded = {name: value[row : row + 1, mask] for name, value in inputs.items()}
        logits.append(logits_of(model, unpadded)[0])
    return torch.cat(logits)


def relative_difference(values: torch.Tensor, reference: torch.Tensor) -> float:
    """Return the largest absolute difference, as a share of the largest absolute value of `reference`."""
    return float((values - reference).abs().max() / reference.abs().max())
