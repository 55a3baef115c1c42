"""Check that the weights of a checkpoint are those that its configuration asks for, and that they can compute."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from models.loading.load_errors import CheckpointDamaged

#: Weights in a file that no model has: buffers and heads of older versions, scales of caches, what trainers add.
_HARMLESS = re.compile(
    r"rotary_emb\.inv_freq$|(attn|attention)\.(masked_bias|bias|causal_mask)$|\.version$|embed_positions\.weights$"
    r"|\.[kv]_scale$|^v_head\.|\.pooler\.|seq_relationship|(^|\.)mtp\."
)
#: The parts of a multimodal model that its text model does without.
_NOT_TEXT = re.compile(r"(^|\.)(vision\w*|visual\w*|image\w*|audio\w*|\w*projector|embed_vision|embed_audio)\.")
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
#: What wrappers put in front of the names of a model's weights when they are saved from the outside.
_WRAPPERS = {"module.": "DistributedDataParallel", "_orig_mod.": "torch.compile", "base_model.model.": "peft"}


def check_names(path: Path, asked_by: str, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Check that the weights in `path` are exactly those that `asked_by` asks for.

    transformers and peft fill missing weights with random numbers and drop unexpected ones. Both apart from harmless
    ones, which their model classes list. Raises `CheckpointDamaged`.
    """
    unexpected = [name for name in unexpected if not _HARMLESS.search(name)]
    if not missing and not unexpected:
        return
    parts = [
        f"{kind} {_listed(names)}" for kind, names in (("missing", missing), ("not asked for", unexpected)) if names
    ]
    hint = ""
    wrapper = next(
        (prefix for prefix in _WRAPPERS if unexpected and all(n.startswith(prefix) for n in unexpected)), None
    )
    if wrapper is not None and not asked_by.startswith("adapter"):  # whose names all begin so
        hint = f"; the names begin with {wrapper!r} of {_WRAPPERS[wrapper]}: save the model inside it"
    elif any(".base_layer." in name for name in unexpected):
        hint = "; '.base_layer.' is of an unmerged LoRA model: merge the adapter before saving, or save the adapter"
    raise CheckpointDamaged(f"the weights in {path} are not those that {asked_by} asks for: {'; '.join(parts)}{hint}")


def check_values(path: Path, model: PreTrainedModel) -> None:
    """Check that every weight is a finite number, and that the matrices and the output layer are not all zeros.

    Weights that accelerate has offloaded, and those of eight bits or less, are not looked at. Raises
    `CheckpointDamaged`.
    """
    parameters = model.named_parameters()
    weights = {name: weight for name, weight in parameters if not weight.is_meta and weight.dtype in _FLOATS}
    damaged = [name for name, weight in weights.items() if not bool(torch.isfinite(weight).all())]
    if damaged:
        raise CheckpointDamaged(f"the weights in {path} are not finite: {_listed(damaged)} has NaN or infinite values")
    head = model.get_output_embeddings()
    parts = {
        "every matrix": [weight for weight in weights.values() if weight.ndim > 1],
        "the output layer": [weight for weight in head.parameters() if any(weight is w for w in weights.values())]
        if head is not None
        else [],
    }
    for part, tensors in parts.items():
        if tensors and not any(bool(tensor.any()) for tensor in tensors):
            raise CheckpointDamaged(f"the weights in {path} are untrained: {part} is all zeros")


def without_other_modalities(names: Iterable[str], config: Mapping[str, Any]) -> list[str]:
    """Return the names of weights without those of images and sound, if `config.json` is of a multimodal model."""
    return [name for name in names if "text_config" not in config or not _NOT_TEXT.search(name)]


def _listed(names: Iterable[str]) -> str:
    first, *others = sorted(names)
    return f"{first} and {len(others):,} more" if others else first
