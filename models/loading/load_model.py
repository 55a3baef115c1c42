"""From a name to a model in memory that knows where it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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

from models.loading.adapter_base import base_of, is_adapter
from models.loading.checkpoint_fingerprint import LoadError, checkpoint_folder, fingerprint
from models.loading.checkpoint_validation import check_files, check_tokenizer, reading
from models.loading.lora_adapters import attached, merged
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.model_registry import TRAINING_LOG, ModelSpec, find_model
from models.prompt import PLAIN, PLAIN_PROMPT, Prompt, PromptError, Template, rendered

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run: in evaluation mode on `device`, its tokenizer padding on the left.

    `fingerprint` is a SHA-256 over the checkpoint's weights, configuration and tokenizer files; `prompt` is what it is
    asked with. `ends_texts` says that the tokenizer puts an end of text behind every text, which `encode` takes away:
    a prompt is no text that has ended.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    spec: ModelSpec
    fingerprint: str
    prompt: Prompt = PLAIN_PROMPT
    ends_texts: bool = False

    @property
    def device(self) -> torch.device:
        """Where its inputs go: of a model that is laid over several devices, where the first layer is."""
        first: torch.device = self.model.get_input_embeddings().weight.device  # type: ignore[assignment]
        return torch.device("cpu") if first.type == "meta" else first  # kept elsewhere by accelerate till it is wanted

    def encode(self, texts: Sequence[str], **options: Any) -> BatchEncoding:
        """Prompts, or prompts and what follows them, as tokens. What looks like a special token is read as the
        characters it is, unless the prompt is a chat, which is held together by such tokens."""
        chat = self.prompt.chat
        given: dict[str, Any] = {"split_special_tokens": not chat, "add_special_tokens": not chat, **options}
        given["return_token_type_ids"] = False
        if not self.ends_texts or not given["add_special_tokens"]:
            return self.tokenizer(list(texts), **given)
        padding = {name: given.pop(name) for name in ("padding", "return_tensors") if name in given}
        whole = self.tokenizer(list(texts), **given)
        cut = BatchEncoding({name: [row[:-1] for row in rows] for name, rows in whole.items()})
        return self.tokenizer.pad(cut, **padding) if padding else cut

    def prompts(self, questions: Sequence[str]) -> list[str]:
        """What the model is asked. Raises `PromptError` for a question that would speak for somebody else in a chat."""
        added = self.tokenizer.added_tokens_decoder.values() if self.prompt.chat else ()
        specials = [str(token.content) for token in added if token.special]
        for question in questions:
            special = next((token for token in specials if token in question), None)
            if special is not None:
                raise PromptError(f"the question has {special!r} in it, which would change who speaks in a chat")
        return [self.prompt.of(question) for question in questions]

    @property
    def precision(self) -> str:
        """The dtype the model runs in, as `float32`."""
        return str(self.model.dtype).removeprefix("torch.")


def load(
    name_or_source: str | ModelSpec,
    device: str = "auto",
    dtype: str = "auto",
    template: Template = PLAIN,
    device_map: str | None = None,
) -> LoadedModel:
    """Load a model and its tokenizer.

    `name_or_source` is what `--models` takes. `device` is `auto` (CUDA, then MPS, then CPU) or a torch device. `dtype`
    is `auto` (bfloat16 where the device has it natively, float32 on a CPU) or one of `DTYPES`. `template` is what it
    will be asked with. `device_map` (`auto`, `balanced`, `sequential`) lays a model that is too large for one card over
    all of them and the memory beside them, as accelerate does; it takes the place of `device`.
    Raises `UnknownModelError` for a name that means nothing, `LoadError` where the checkpoint is not usable.
    """
    spec = find_model(name_or_source) if isinstance(name_or_source, str) else name_or_source
    target = device_of(device)
    precision = dtype_of(dtype, target)
    folder = checkpoint_folder(spec)
    try:
        with without_bars():
            tokenizer = _read_tokenizer(folder, spec.trust)
            model = read_model(folder, precision, spec.trust, device_map)
        _fit(tokenizer, model)
        with reading(folder / "tokenizer_config.json"):
            ends_texts = tokenizer("1")["input_ids"][-1:] == [tokenizer.eos_token_id]
        prompt = rendered(template, tokenizer)
        printed = fingerprint(folder, spec.trust)
    except PromptError as error:
        raise LoadError(f"model {spec.name!r}: {error}") from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise LoadError(f"model {spec.name!r}: {folder} does not hold a usable checkpoint: {error}") from error
    try:
        model = model if device_map else model.to(target)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise LoadError(f"model {spec.name!r} could not be put on --device {device!r}: {error}") from error
    return LoadedModel(model.eval(), tokenizer, spec, printed, prompt, ends_texts)


def read_model(folder: Path, precision: torch.dtype, trust: Trust = NO_TRUST, device_map: str | None = None) -> Any:
    """The model in `folder`, on the CPU or as `device_map` says, of the class that its configuration names; an adapter
    is merged into its base.

    Merging is done in float32 and rounded once, as a small change would be lost in a lower precision. Raises
    `CheckpointDamaged`, what transformers raises for an adapter, and `ValueError` for one whose base is not to be found
    or has other weights.
    """
    check_files(folder, trust)
    if not is_adapter(folder):
        with reading(folder / "config.json", folder / "*.safetensors"):  # which do not go together
            return AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=precision,
                use_safetensors=None if trust.pickles else True,
                local_files_only=True,
                trust_remote_code=trust.code,
                device_map=device_map,
            )
    base = checked_base(folder, trust)
    return merged(attached(read_model(base, torch.float32, trust, device_map), folder)).to(precision)


def checked_base(folder: Path, trust: Trust = NO_TRUST) -> Path:
    """The folder of the base of the adapter in `folder`. Raises `ValueError` for a base that the adapter's log says
    had other weights when the adapter was trained."""
    base = checkpoint_folder(replace(base_of(folder), trust=trust))
    try:
        trained_on = json.loads((folder / TRAINING_LOG).read_bytes())["settings"]["base"]
    except (OSError, ValueError, KeyError, TypeError):
        return base  # somebody else's adapter, which says nothing
    if trained_on != fingerprint(base, trust):
        raise ValueError(f"the adapter in {folder} was trained on a model with other weights than {base} has now")
    return base


def _read_tokenizer(folder: Path, trust: Trust) -> Any:
    """The tokenizer in `folder`; where an adapter has none, that of its base."""
    if is_adapter(folder) and not any(folder.glob("tokenizer*")):
        return _read_tokenizer(checkpoint_folder(replace(base_of(folder), trust=trust)), trust)
    check_files(folder, trust)  # the configuration first: a tokenizer reads it too
    check_tokenizer(folder)
    with reading(folder / "tokenizer_config.json"):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=trust.code)


def _fit(tokenizer: Any, model: Any) -> None:
    """Give the tokenizer what a batch needs of it. A token that fills up rows is never looked at, so any will do where
    it has none of its own. Raises `ValueError` for tokens that the model has no embedding for."""
    rows = model.get_input_embeddings().num_embeddings
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id >= rows:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    tokenizer.padding_side = "left"
    beyond = {token: number for token, number in tokenizer.get_vocab().items() if number >= rows}
    if beyond and not all(token in tokenizer.all_special_tokens and "pad" in token.lower() for token in beyond):
        token, number = max(beyond.items(), key=lambda item: item[1])
        raise ValueError(
            f"the tokenizer has {len(beyond)} tokens that the model has no embedding for, as {token!r} ({number}; the"
            f" model has {rows}): they do not belong together"
        )


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
