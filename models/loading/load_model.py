"""Load a model and its tokenizer from a name, a folder or the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from models.loading.adapter_base import find_adapter_base, is_adapter
from models.loading.architecture_file import architecture_digest, run_architecture_file
from models.loading.chat_template import render_prompt
from models.loading.checkpoint_file_checks import reading
from models.loading.checkpoint_fingerprint import checkpoint_folder, fingerprint
from models.loading.device_dtype import resolve_device, resolve_dtype
from models.loading.load_errors import ChatTemplateError, DeviceError, LoadError, UntrustedError
from models.loading.read_checkpoint import (
    check_embeddings,
    fit_tokenizer,
    hidden_loading_bars,
    keep_token_settings,
    read_model,
    read_tokenizer,
)
from models.model_registry import ModelSpec, find_model
from models.prompt import PLAIN, PLAIN_PROMPT, Prompt, PromptError, Template


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode on `device`, and its tokenizer, which pads on the left.

    `fingerprint` is a SHA-256 over the checkpoint's weights, configuration and tokenizer files, and over the user's
    description of the architecture, if there is one. `prompt` is what
    questions are put into. `ends_texts` says that the tokenizer appends an end-of-text token, which `encode` removes:
    a prompt must not end before its answer.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    spec: ModelSpec
    fingerprint: str
    prompt: Prompt = PLAIN_PROMPT
    ends_texts: bool = False

    @property
    def device(self) -> torch.device:
        """The device of the model's inputs. Of a model spread over several, it is that of the embedding layer."""
        device: torch.device = self.model.get_input_embeddings().weight.device  # type: ignore[assignment]
        return torch.device("cpu") if device.type == "meta" else device  # accelerate has offloaded it until its use

    def encode(self, texts: Sequence[str], **options: Any) -> BatchEncoding:
        """Return the tokens of prompts, or of prompts with what follows them.

        Text that looks like a special token is read as plain characters, except in a chat, whose format consists of
        such tokens. `options` go to the tokenizer.
        """
        chat = self.prompt.chat
        kwargs: dict[str, Any] = {"split_special_tokens": not chat, "add_special_tokens": not chat, **options}
        kwargs["return_token_type_ids"] = False
        if not self.ends_texts or not kwargs["add_special_tokens"]:
            return self.tokenizer(list(texts), **kwargs)
        padding = {name: kwargs.pop(name) for name in ("padding", "return_tensors") if name in kwargs}
        encoding = self.tokenizer(list(texts), **kwargs)
        unended = BatchEncoding({name: [row[:-1] for row in rows] for name, rows in encoding.items()})
        return self.tokenizer.pad(unended, **padding) if padding else unended

    def prompts(self, questions: Sequence[str]) -> list[str]:
        """Return the prompt of each question. Raises `PromptError` for one with a special token, in a chat."""
        added = self.tokenizer.added_tokens_decoder.values() if self.prompt.chat else ()
        specials = [str(token.content) for token in added if token.special]
        for question in questions:
            special = next((token for token in specials if token in question), None)
            if special is not None:
                raise PromptError(f"the question contains {special!r}, which would end its turn in the chat")
        return [self.prompt.format(question) for question in questions]

    @property
    def precision(self) -> str:
        """The dtype that the model runs in, such as `float32`."""
        return str(self.model.dtype).removeprefix("torch.")


def load(
    name_or_source: str | ModelSpec,
    device: str = "auto",
    dtype: str = "auto",
    template: Template = PLAIN,
    device_map: str | None = None,
) -> LoadedModel:
    """Load a model and its tokenizer.

    `name_or_source`: a registered name, `NAME=SOURCE`, a folder or a hub id (`models.model_registry.find_model`).
    `device`: `auto` (CUDA, then MPS, then CPU) or a torch device.
    `dtype`: `auto` (bfloat16 where CUDA has it natively, else float32), `float32`, `bfloat16` or `float16`.
    `template`: the prompt that questions will be put into.
    `device_map`: `auto`, `balanced`, `balanced_low_0` or `sequential`. It spreads a model that is too large for one
    card over all of them and the CPU's memory, as accelerate does, and replaces `device`.

    Raises `UnknownModelError` for an unknown name, and `LoadError` for a checkpoint that cannot be used; its subclasses
    are `DeviceError`, `DtypeError`, `ChatTemplateError`, `PickledWeightsError` and `RemoteCodeError`.
    """
    spec = find_model(name_or_source) if isinstance(name_or_source, str) else name_or_source
    run_architecture_file(spec.trust.architecture_file)
    target = resolve_device(device)
    precision = resolve_dtype(dtype, target)
    folder = checkpoint_folder(spec)
    with _load_errors(spec, folder, precision):
        with hidden_loading_bars():
            tokenizer = read_tokenizer(folder, spec.trust)
            model = read_model(folder, precision, spec.trust, device_map)
        keep_token_settings(model)
        fit_tokenizer(tokenizer, model)
        with reading(folder / "tokenizer_config.json"):
            ends_texts = tokenizer("1")["input_ids"][-1:] == [tokenizer.eos_token_id]
        prompt = render_prompt(template, tokenizer)
        if prompt.chat:  # elsewhere, text that looks like a special token is read as plain characters
            check_embeddings(prompt.text, tokenizer, model)
        sha256 = _with_architecture_file(fingerprint(folder, spec.trust), spec)
    try:
        model = model if device_map else model.to(target)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise DeviceError(f"model {spec.name!r} cannot be moved to device={device!r}: {error}") from error
    return LoadedModel(model.eval(), tokenizer, spec, sha256, prompt, ends_texts)


def _with_architecture_file(sha256: str, spec: ModelSpec) -> str:
    """Return the fingerprint of a checkpoint that is read with the user's description of its architecture, if any."""
    if not spec.trust.architecture_file:
        return sha256
    return hashlib.sha256(f"{sha256}{architecture_digest(spec.trust.architecture_file)}".encode()).hexdigest()


def check_loadable(spec: ModelSpec, device: str = "auto", dtype: str = "auto", template: Template = PLAIN) -> None:
    """Raise what `load` would raise before it reads the weights.

    That is an error for a missing device, checkpoint or tokenizer, for a hub that does not answer, and for a prompt
    that the tokenizer cannot write. A checkpoint on the hub is downloaded, unless the cache has it.
    """
    run_architecture_file(spec.trust.architecture_file)
    target = resolve_device(device)
    precision = resolve_dtype(dtype, target)
    try:
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise DeviceError(f"device={device!r} cannot be used: {error}") from error
    folder = checkpoint_folder(spec)
    with _load_errors(spec, folder, precision):
        render_prompt(template, read_tokenizer(folder, spec.trust))


def without_weights(spec: ModelSpec) -> PreTrainedModel:
    """Return the model of a checkpoint with its shapes alone, on the device `meta`. Raises `LoadError`."""
    run_architecture_file(spec.trust.architecture_file)
    folder = checkpoint_folder(spec)
    with _load_errors(spec, folder, torch.float32), torch.device("meta"):
        if is_adapter(folder):
            folder = checkpoint_folder(replace(find_adapter_base(folder), trust=spec.trust))
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=spec.trust.code)
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, trust_remote_code=spec.trust.code)
    return model


@contextmanager
def _load_errors(spec: ModelSpec, folder: Path, precision: torch.dtype) -> Iterator[None]:
    """Raise what the block raises about the checkpoint in `folder` as `LoadError`, which names the model."""
    try:
        yield
    except (ChatTemplateError, UntrustedError) as error:
        raise type(error)(f"model {spec.name!r}: {error}") from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, MemoryError) as error:
        if isinstance(error, MemoryError) or should_reduce_batch_size(error):
            raise LoadError(
                f"model {spec.name!r}: not enough memory to load {folder} in {str(precision).removeprefix('torch.')};"
                f" expected room for its weights ({str(error).partition('. ')[0]:.200})"
            ) from error
        raise LoadError(f"model {spec.name!r}: {folder} is not a usable checkpoint: {error}") from error
