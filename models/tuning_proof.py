"""Proofs that a tuned checkpoint holds what was trained: made after every training, and kept in its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from models.adapters import attached, deltas, merged
from models.loading import checked_base, read_model

#: A checkpoint read back and the model in memory may differ by this share of the largest logit; in practice by nought.
SAME = 1e-6
#: An adapter merged into its base and one beside it round differently: the same share at the most, in float32.
MERGED = 1e-4


class TuningNotApplied(RuntimeError):
    """A tuned checkpoint does not hold what was trained. Nothing is evaluated with it."""


@torch.inference_mode()
def prove(tuned: Any, folder: Path, base: Path, inputs: dict[str, torch.Tensor]) -> dict[str, Any]:
    """What is found about the checkpoint in `folder` of the model `tuned`, which is in memory; for the training log.

    It is read back as it will be used: the class is its base's, the logits on `inputs` are those in memory, and every
    layer was changed. An adapter is merged too, and the logits compared. Raises `TuningNotApplied` otherwise.
    """
    tuned.eval()
    expected = logits_of(tuned, inputs)
    plain: Any = tuned.get_base_model() if isinstance(tuned, PeftModel) else tuned
    before = read_model(base, plain.dtype)
    if isinstance(tuned, PeftModel):
        again: Any = attached(before, folder).to(plain.device)
        found = _of_adapter(again, folder, inputs)
    else:
        again = read_model(folder, plain.dtype).to(plain.device)
        found = _of_weights(again, before)
    reread = again.get_base_model() if isinstance(again, PeftModel) else again
    if not type(reread) is type(plain) is type(read_model(folder, plain.dtype)):
        raise TuningNotApplied(f"{folder} was read back as {type(reread).__name__}, not {type(plain).__name__}")
    difference = share_of_difference(logits_of(again, inputs), expected)
    if not difference <= SAME:
        raise TuningNotApplied(
            f"the model read back from {folder} differs from the one in memory by {difference:.1e} of its largest logit"
        )
    return {"class": type(plain).__name__, "reread_difference": difference, **found}


def _of_adapter(again: PeftModel, folder: Path, inputs: dict[str, torch.Tensor]) -> dict[str, Any]:
    changes = deltas(again)
    still = [name for name, change in changes.items() if not change > 0]
    if still or not changes:
        raise TuningNotApplied(f"the adapter in {folder} changes nothing in {still[0] if still else 'any layer'}")
    beside: Any = attached(read_model(checked_base(folder), torch.float32), folder).to(inputs["input_ids"].device)
    apart = logits_of(beside, inputs)
    difference = share_of_difference(logits_of(merged(beside), inputs), apart)
    if not difference <= MERGED:
        raise TuningNotApplied(f"the adapter in {folder} merged differs by {difference:.1e} of the largest logit")
    return {"layers": len(changes), "smallest_change": min(changes.values()), "merged_difference": difference}


def _of_weights(again: Any, before: Any) -> dict[str, Any]:
    old = dict(before.named_parameters())
    changes = {name: float((p.cpu() - old[name]).abs().max()) for name, p in again.named_parameters() if p.ndim > 1}
    still = [name for name, change in changes.items() if not change > 0]
    if still:
        raise TuningNotApplied(f"full fine-tuning changed nothing in {still[0]}")
    return {"layers": len(changes), "smallest_change": min(changes.values())}


def logits_of(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """(row, token, vocabulary) in float32, on the CPU, nought where a row is padded."""
    device = next(model.parameters()).device
    there = {name: value.to(device) for name, value in inputs.items() if name != "labels"}
    with torch.inference_mode():
        logits: torch.Tensor = model(**there, use_cache=False).logits.float().cpu()
    return logits * inputs["attention_mask"].cpu()[..., None]


def share_of_difference(some: torch.Tensor, others: torch.Tensor) -> float:
    """The largest absolute difference, as a share of the largest absolute value of `others`."""
    return float((some - others).abs().max() / others.abs().max())
