"""Proofs that a tuned checkpoint holds what was trained: made after every training, and kept in its log."""

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
from models.sft.tokenized_examples import taken

#: A checkpoint read back and the model in memory may differ by this share of the largest logit; in practice by nought.
SAME = 1e-6
#: An adapter merged into its base and one beside it are the same sum: the share at the most that they may differ by in
#: float64. In float32 rounding alone can make as much (1e-4 was met on GSM8K's text).
MERGED = 1e-4


class TuningNotApplied(RuntimeError):
    """A tuned checkpoint does not hold what was trained. Nothing is evaluated with it."""


@dataclass(frozen=True)
class Trained:
    """What is kept of a model in memory after its training, so that it need not stay there while its checkpoint is
    proven: its class (the base's, for an adapter), where and how it is held, its logits on `inputs`, and how far its
    checkpoints are trusted."""

    kind: type
    device: torch.device
    held: torch.dtype
    inputs: dict[str, torch.Tensor]
    logits: torch.Tensor
    trust: Trust = NO_TRUST

    @classmethod
    def of(cls, model: Any, inputs: dict[str, torch.Tensor], trust: Trust = NO_TRUST) -> Trained:
        """What is kept of `model`, which is left in evaluation mode."""
        model.eval()
        plain = model.get_base_model() if hasattr(model, "get_base_model") else model
        return cls(type(plain), plain.device, plain.dtype, inputs, logits_of(model, inputs), trust)


@torch.inference_mode()
def prove(trained: Trained, folder: Path, base: Path, precision: torch.dtype) -> dict[str, Any]:
    """What is found about the checkpoint in `folder` of the model that `trained` was; for the training log.

    It is read back as it was trained: its logits are those in memory, and every layer was changed. An adapter is
    merged too, and the logits compared. Then it is read as it will be used, in `precision`: the class is its base's,
    and the weights are not the base's. Raises `TuningNotApplied` otherwise.
    """
    found = _of_adapter(trained, folder, base) if is_adapter(folder) else _of_weights(trained, folder, base)
    return {"class": trained.kind.__name__, **found, **_as_used(trained, folder, base, precision)}


def _of_adapter(trained: Trained, folder: Path, base: Path) -> dict[str, Any]:
    again: Any = attach_adapter(read_model(base, trained.held, trained.trust), folder).to(trained.device)
    reread = _reread_difference(trained, folder, again)
    changes = adapter_deltas(again)
    still = [name for name, change in changes.items() if not change > 0]
    if still or not changes:
        raise TuningNotApplied(f"the adapter in {folder} changes nothing in {still[0] if still else 'any layer'}")
    del again
    exact = torch.float64
    base_again = read_model(verified_base(folder, trained.trust), exact, trained.trust)  # on the CPU: cards may lack it
    with suppress(ValueError):  # the faster ways to a mixture's experts are not for float64; most models have none
        base_again.set_experts_implementation("eager")
    beside: Any = attach_adapter(base_again, folder).to(exact)
    apart = _unpadded_logits(beside, trained.inputs)
    difference = share_of_difference(_unpadded_logits(merge_adapter(beside), trained.inputs), apart)
    if not difference <= MERGED:
        raise TuningNotApplied(
            f"the adapter merged into its base differs from it beside the base by {difference:.1e} of the largest logit"
            f" in float64, where {MERGED:.0e} is allowed; the checkpoint is not kept"
        )
    return {
        "reread_difference": reread,
        "layers": len(changes),
        "smallest_change": min(changes.values()),
        "merged_difference": difference,
    }


def _of_weights(trained: Trained, folder: Path, base: Path) -> dict[str, Any]:
    again: Any = read_model(folder, trained.held, trained.trust).to(trained.device)
    changes = _changes(again, read_model(base, trained.held, trained.trust))
    still = [name for name, change in changes.items() if not change > 0]
    if still:
        raise TuningNotApplied(f"full fine-tuning changed nothing in {still[0]}")
    return {
        "reread_difference": _reread_difference(trained, folder, again),
        "layers": len(changes),
        "smallest_change": min(changes.values()),
    }


def _as_used(trained: Trained, folder: Path, base: Path, precision: torch.dtype) -> dict[str, Any]:
    """Rounded to a low precision a small change may be lost, in some layers or in all."""
    used: Any = read_model(folder, precision, trained.trust)
    before: Any = read_model(base, precision, trained.trust)
    kind: type = type(used)
    if kind is not trained.kind:
        raise TuningNotApplied(f"{folder} was read back as {kind.__name__}, not {trained.kind.__name__}")
    changed = sum(change > 0 for change in _changes(used, before).values())
    if not changed:
        raise TuningNotApplied(
            f"rounded to {str(precision).removeprefix('torch.')}, {folder} is its base again: the training changed less"
            " than that can hold; try --dtype float32, more --sft-epochs or a larger --sft-lr"
        )
    to_base = share_of_difference(logits_of(before.to(trained.device), trained.inputs), trained.logits)
    del before
    difference = share_of_difference(logits_of(used.to(trained.device), trained.inputs), trained.logits)
    return {"used_layers": changed, "used_difference": difference, "base_difference": to_base}


def _reread_difference(trained: Trained, folder: Path, again: Any) -> float:
    difference = share_of_difference(logits_of(again, trained.inputs), trained.logits)
    if not difference <= SAME:
        raise TuningNotApplied(
            f"the model read back from {folder} differs from the one in memory by {difference:.1e} of its largest logit"
        )
    return difference


def _changes(model: Any, before: Any) -> dict[str, float]:
    """The largest absolute change of a weight in each matrix, by its name."""
    old = dict(before.named_parameters())
    return {name: float((p.cpu() - old[name]).abs().max()) for name, p in model.named_parameters() if p.ndim > 1}


def logits_of(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """(row, token, vocabulary) in float32, on the CPU, nought where a row is padded."""
    device = next(model.parameters()).device
    there = {name: value.to(device) for name, value in taken(model, inputs).items() if name != "labels"}
    with torch.inference_mode():
        logits: torch.Tensor = model(**there, use_cache=False).logits.float().cpu()
    return torch.where(inputs["attention_mask"].cpu()[..., None] > 0, logits, 0.0)  # what is padded may be no number


def _unpadded_logits(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The same of all real tokens, (token, vocabulary), from one row after the other. In float64 a mask of transformers
    is −∞ once the softmax is in float32, and then a padded token is no number, and neither is what looks past it."""
    found = []
    for row, mask in enumerate(inputs["attention_mask"].bool()):
        alone = {name: value[row : row + 1, mask] for name, value in inputs.items()}
        found.append(logits_of(model, alone)[0])
    return torch.cat(found)


def share_of_difference(some: torch.Tensor, others: torch.Tensor) -> float:
    """The largest absolute difference, as a share of the largest absolute value of `others`."""
    return float((some - others).abs().max() / others.abs().max())
