"""From a name to a model in memory that knows where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

from models.adapters import ADAPTER_CONFIG, attached, base_of, is_adapter, merged
from models.checkpoint_files import check_files, check_tokenizer, reading
from models.registry import TRAINING_LOG, ModelSpec, find_model

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_HERE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


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
    target = device_of(device)
    precision = dtype_of(dtype, target)
    folder = checkpoint_folder(spec)
    try:
        with without_bars():
            tokenizer = _read_tokenizer(folder)
            model = read_model(folder, precision)
        printed = fingerprint(folder)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise LoadError(f"model {spec.name!r}: {folder} does not hold a usable checkpoint: {error}") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    try:
        model = model.to(target)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise LoadError(f"model {spec.name!r} could not be put on --device {device!r}: {error}") from error
    return LoadedModel(model.eval(), tokenizer, spec, printed)


def read_model(folder: Path, precision: torch.dtype) -> Any:
    """The model in `folder`, on the CPU, of the class that its configuration names; an adapter is merged into its base.

    Merging is done in float32 and rounded once, as a small change would be lost in a lower precision. Raises
    `CheckpointDamaged`, what transformers raises for an adapter, and `ValueError` for one whose base is not to be found
    or has other weights.
    """
    check_files(folder)
    if not is_adapter(folder):
        with reading(folder / "config.json", folder / "*.safetensors"):  # which do not go together
            return AutoModelForCausalLM.from_pretrained(
                folder, dtype=precision, attn_implementation="sdpa", use_safetensors=True, **_HERE
            )
    base = checked_base(folder)
    return merged(attached(read_model(base, torch.float32), folder)).to(precision)


def checked_base(folder: Path) -> Path:
    """The folder of the base of the adapter in `folder`. Raises `ValueError` for a base that the adapter's log says
    had other weights when the adapter was trained."""
    base = checkpoint_folder(base_of(folder))
    try:
        trained_on = json.loads((folder / TRAINING_LOG).read_bytes())["settings"]["base"]
    except (OSError, ValueError, KeyError, TypeError):
        return base  # somebody else's adapter, which says nothing
    if trained_on != fingerprint(base):
        raise ValueError(f"the adapter in {folder} was trained on a model with other weights than {base} has now")
    return base


def _read_tokenizer(folder: Path) -> Any:
    """The tokenizer in `folder`; where an adapter has none, that of its base."""
    if is_adapter(folder) and not any(folder.glob("tokenizer*")):
        return _read_tokenizer(checkpoint_folder(base_of(folder)))
    check_files(folder)  # the configuration first: a tokenizer reads it too
    check_tokenizer(folder)
    with reading(folder / "tokenizer_config.json"):
        return AutoTokenizer.from_pretrained(folder, **_HERE)


@contextmanager
def without_bars() -> Iterator[None]:
    """Inside, transformers draws no bar for each file of weights: those that matter are the callers'."""
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if bars:
            logging.enable_progress_bar()


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
    if not (folder / "config.json").is_file() and not is_adapter(folder):
        raise LoadError(f"model {spec.name!r}: {folder} has no config.json; a checkpoint folder was expected")
    return folder


def fingerprint(folder: Path) -> str:
    """SHA-256 (hex) over names and bytes of the files that decide what the model says, for an adapter those of its base
    too. Read as a stream."""
    digest = hashlib.sha256()
    if is_adapter(folder):
        digest.update(fingerprint(checkpoint_folder(base_of(folder))).encode())
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors" or path.name in _DECISIVE:
            digest.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


_DECISIVE = {
    ADAPTER_CONFIG,
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


def device_of(device: str) -> torch.device:
    if device != "auto":
        try:
            return torch.device(device)
        except RuntimeError as error:
            raise LoadError(f"--device {device!r} is no torch device: {error}") from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def dtype_of(dtype: str, device: torch.device) -> torch.dtype:
    if dtype == "auto":
        native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float32
    if dtype not in DTYPES:
        raise LoadError(f"--dtype {dtype!r}: expected auto or one of {', '.join(DTYPES)}")
    return DTYPES[dtype]
