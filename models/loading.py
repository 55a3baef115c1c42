"""From a name to a model in memory that knows where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BatchEncoding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from models.registry import ModelSpec, find_model

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class LoadError(RuntimeError):
    """A model that is known by name could not be loaded. The message says what was missing and what to do."""


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run: in evaluation mode on `device`, its tokenizer padding on the left.

    `fingerprint` is a SHA-256 over the checkpoint's weights, configuration and tokenizer files.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    spec: ModelSpec
    fingerprint: str

    @property
    def device(self) -> torch.device:
        return self.model.device

    def encode(self, texts: Sequence[str], **options: Any) -> BatchEncoding:
        """`texts` as tokens. What looks like a special token inside a text is read as the characters it is."""
        return self.tokenizer(list(texts), split_special_tokens=True, return_token_type_ids=False, **options)

    @property
    def precision(self) -> str:
        """The dtype the model runs in, as `float32`."""
        return str(self.model.dtype).removeprefix("torch.")


def load(name_or_source: str | ModelSpec, device: str = "auto", dtype: str = "auto") -> LoadedModel:
    """Load a model and its tokenizer.

    `name_or_source` is what `--models` takes. `device` is `auto` (CUDA, then MPS, then CPU) or a torch device. `dtype`
    is `auto` (bfloat16 where the device has it natively, float32 on a CPU) or one of `DTYPES`.
    Raises `UnknownModelError` for a name that means nothing, `LoadError` where the checkpoint is not usable.
    """
    spec = find_model(name_or_source) if isinstance(name_or_source, str) else name_or_source
    target = _device(device)
    precision = _dtype(dtype, target)
    folder = checkpoint_folder(spec)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # a bar for each file of weights says nothing: those that matter are the callers'
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=precision, attn_implementation="sdpa", use_safetensors=True, **options
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise LoadError(f"model {spec.name!r}: {folder} does not hold a usable checkpoint: {error}") from error
    finally:
        if bars:
            logging.enable_progress_bar()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    try:
        model = model.to(target)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise LoadError(f"model {spec.name!r} could not be put on --device {device!r}: {error}") from error
    return LoadedModel(model.eval(), tokenizer, spec, fingerprint(folder))


def checkpoint_folder(spec: ModelSpec) -> Path:
    """The folder that holds the checkpoint, downloaded first if `spec` names the hub and it is not there yet."""
    local = Path(spec.source)
    if local.is_dir():
        folder = local / spec.subfolder
    else:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        inside = f"{spec.subfolder}/" if spec.subfolder else ""
        try:
            root = snapshot_download(
                spec.source,
                revision=spec.revision,
                allow_patterns=[f"{inside}{pattern}" for pattern in ("*.json", "*.safetensors", "*.model", "*.txt")],
            )
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise LoadError(
                f"model {spec.name!r}: {spec.source!r} is neither a folder here nor could it be had from the hub:"
                f" {first_line}"
            ) from error
        folder = Path(root) / spec.subfolder
    if not (folder / "config.json").is_file():
        raise LoadError(f"model {spec.name!r}: {folder} has no config.json; a checkpoint folder was expected")
    return folder


def fingerprint(folder: Path) -> str:
    """SHA-256 (hex) over names and bytes of the files that decide what the model says. Read as a stream."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors" or path.name in _DECISIVE:
            digest.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


_DECISIVE = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
}


def _device(device: str) -> torch.device:
    if device != "auto":
        try:
            return torch.device(device)
        except RuntimeError as error:
            raise LoadError(f"--device {device!r} is no torch device: {error}") from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _dtype(dtype: str, device: torch.device) -> torch.dtype:
    if dtype == "auto":
        native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float32
    if dtype not in DTYPES:
        raise LoadError(f"--dtype {dtype!r}: expected auto or one of {', '.join(DTYPES)}")
    return DTYPES[dtype]
