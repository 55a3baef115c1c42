"""Read a checkpoint folder: the model, with an adapter merged into its base, and the tokenizer."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import logging

import models.architectures  # noqa: F401 — transformers then knows their configurations
from models.loading.adapter_base import find_adapter_base, is_adapter
from models.loading.checkpoint_file_checks import check_files, check_tokenizer, reading
from models.loading.checkpoint_fingerprint import checkpoint_folder, fingerprint
from models.loading.checkpoint_layout import read_json_object, weight_files
from models.loading.generation_settings import TOKEN_SETTINGS
from models.loading.lora_adapters import attach_adapter, check_changes, merge_adapter
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.loading.weight_checks import check_names, check_values, without_other_modalities
from models.model_registry import TRAINING_LOG


def read_model(folder: Path, precision: torch.dtype, trust: Trust = NO_TRUST, device_map: str | None = None) -> Any:
    """Read the model in `folder`, of the class that its configuration names, onto the CPU or as `device_map` says.

    An adapter is merged into its base in float32 and rounded once: a lower precision would lose small changes.

    Raises `CheckpointDamaged`, `UntrustedError`, what transformers raises for an adapter, and `ValueError` for an
    adapter whose base is not found or has other weights.
    """
    check_files(folder, trust)
    if not is_adapter(folder):
        with reading(folder / "config.json", folder / "*.safetensors"):  # which do not fit together
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=precision,
                use_safetensors=None if trust.pickles else True,
                local_files_only=True,
                trust_remote_code=trust.code,
                device_map=device_map,
                output_loading_info=True,
            )
        model, info = loaded
        asked_by = f"config.json ({type(model).__name__})"
        weights = weight_files(folder)
        named = weights[0] if len(weights) == 1 else folder
        unexpected = without_other_modalities(info["unexpected_keys"], read_json_object(folder / "config.json"))
        check_names(named, asked_by, missing=info["missing_keys"], unexpected=unexpected)
        check_values(named, model)
        return model
    base = verified_base(folder, trust)
    adapted = attach_adapter(read_model(base, torch.float32, trust, device_map), folder)
    check_changes(adapted, folder)
    merged = merge_adapter(adapted).to(precision)
    check_values(folder, merged)
    return merged


def verified_base(folder: Path, trust: Trust = NO_TRUST) -> Path:
    """Return the folder of the base of the adapter in `folder`.

    Raises `ValueError` if the adapter's training log has another fingerprint of the base than the base has now.
    """
    base = checkpoint_folder(replace(find_adapter_base(folder), trust=trust))
    if base_when_tuned(folder) not in ("", fingerprint(base, trust)):
        raise ValueError(f"the adapter in {folder} was trained on other weights than {base} has now")
    return base


def base_when_tuned(folder: Path) -> str:
    """Return the fingerprint that the base of a checkpoint tuned here had then; empty for any other checkpoint."""
    try:
        return str(json.loads((folder / TRAINING_LOG).read_bytes())["settings"]["base"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def read_tokenizer(folder: Path, trust: Trust) -> Any:
    """Read the tokenizer in `folder`; that of the base, where an adapter has none."""
    if is_adapter(folder) and not any(folder.glob("tokenizer*")):
        return read_tokenizer(checkpoint_folder(replace(find_adapter_base(folder), trust=trust)), trust)
    check_files(folder, trust)  # the configuration first: a tokenizer reads it too
    check_tokenizer(folder)
    with reading(folder / "tokenizer_config.json"):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=trust.code)


def keep_token_settings(model: Any) -> None:
    """Replace the generation settings of `model` by the defaults, its end-of-text and other tokens apart.

    A checkpoint's own settings may penalise, suppress or forbid tokens, or limit time: answers would not be greedy.
    """
    tokens = {name: getattr(model.generation_config, name, None) for name in TOKEN_SETTINGS}
    model.generation_config = GenerationConfig(**tokens)


def fit_tokenizer(tokenizer: Any, model: Any) -> None:
    """Make the tokenizer pad on the left, with a token that the model has an embedding for.

    Padding is masked, so any token will do where the tokenizer has no padding token. A special token without an
    embedding, as some fine-tunings add one that is never used, is warned of. Raises `ValueError` where other tokens
    have none, or the one that ends a text.
    """
    embeddings = model.get_input_embeddings().num_embeddings
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id >= embeddings:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    tokenizer.padding_side = "left"
    beyond = {token: number for token, number in tokenizer.get_vocab().items() if number >= embeddings}
    if not beyond:
        return
    token, number = max(beyond.items(), key=lambda item: item[1])
    which = f"{len(beyond)} of its tokens have no embedding, such as {token!r} (token {number}; the model has"
    which += f" {embeddings} embeddings)"
    special = {str(added.content) for added in tokenizer.added_tokens_decoder.values() if added.special}
    if tokenizer.eos_token in beyond or not set(beyond) <= special:
        raise ValueError(f"the tokenizer does not belong to the model: {which}")
    if not all("pad" in token.lower() for token in beyond):
        warnings.warn(f"{model.name_or_path}: the tokenizer has more tokens than the model: {which}", stacklevel=2)


def check_embeddings(text: str, tokenizer: Any, model: Any) -> None:
    """Raise `ValueError` if a prompt's text has a token that the model has no embedding for."""
    embeddings = model.get_input_embeddings().num_embeddings
    beyond = [number for number in tokenizer(text)["input_ids"] if number >= embeddings]
    if beyond:
        token = tokenizer.convert_ids_to_tokens(beyond[0])
        raise ValueError(
            f"the prompt contains {token!r} (token {beyond[0]}), and the model has {embeddings} embeddings"
        )


@contextmanager
def hidden_loading_bars() -> Iterator[None]:
    """Hide the progress bars that transformers draws for weight files; callers draw their own."""
    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()
