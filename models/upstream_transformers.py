"""Everything that depends on the internals of transformers.

The functions of this module rely on names, signatures and behaviour that transformers does not promise to keep. Each
has a canary in `tests/models/test_upstream_transformers.py`, which says what a new release has changed. Nothing of this
project is imported here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Sampler
from transformers import AttentionInterface, AttentionMaskInterface, GenerationMixin, PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.diffllama.modeling_diffllama import DiffLlamaAttention

__all__ = ["DiffLlamaAttention", "eager_mask", "repeat_kv", "sdpa_attention_forward", "sdpa_mask"]

#: The date that chat templates see, if they write one: a prompt must not change overnight.
TEMPLATE_DATE = datetime(2024, 7, 26)
#: Keyword arguments of an attention function that change the scores beyond the scaled product of queries and keys: soft
#: caps (Gemma 2), sinks (GPT-OSS) and biases.
SCORE_MODIFIERS = ("softcap", "s_aux", "position_bias")


def register_attention(name: str, attention: Callable[..., Any], mask: Callable[..., Any]) -> None:
    """Register an attention function and the function that makes its mask under one name."""
    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, mask)


def can_set_attention(model: PreTrainedModel, name: str) -> bool:
    """Return whether `model` accepts the attention implementation `name`. The model is left as it was."""
    before = model.config._attn_implementation
    model.set_attn_implementation(name)
    accepted: bool = model.config._attn_implementation == name
    model.set_attn_implementation(before)
    return accepted


def attention_function_of(name: str, layer: nn.Module) -> Callable[..., Any]:
    """Return the attention function that `layer` calls when its model runs on the implementation `name`."""
    own = eager_attention_of(layer)
    function: Callable[..., Any] | None = own if name == "eager" else ALL_ATTENTION_FUNCTIONS.get(name)
    if function is None:
        raise KeyError(f"{type(layer).__name__}: transformers has no attention implementation {name!r}")
    return function


def mask_function_of(name: str) -> Callable[..., Any]:
    """Return the function that makes the mask of the attention implementation `name`."""
    function: Callable[..., Any] = ALL_MASK_ATTENTION_FUNCTIONS[name]
    return function


@contextmanager
def attention_set(model: PreTrainedModel, name: str) -> Iterator[bool]:
    """Run `model` on the attention implementation `name` inside the context; yield whether it accepted it.

    On exit the model runs on its former implementation, also after an exception.
    """
    before = model.config._attn_implementation
    model.set_attn_implementation(name)
    try:
        if name == "eager":  # models outside AttentionInterface may read it from the configuration
            model.config._attn_implementation = name
        yield model.config._attn_implementation == name
    finally:
        model.set_attn_implementation(before)
        model.config._attn_implementation = before


def eager_attention_of(layer: nn.Module) -> Callable[..., tuple[torch.Tensor, torch.Tensor]] | None:
    """Return the explicit attention function of the module that defines the layer's class; None if it has none."""
    return getattr(sys.modules[type(layer).__module__], "eager_attention_forward", None)


def layer_number(layer: nn.Module) -> int:
    """Return the number of an attention layer, from 0."""
    return int(layer.layer_idx)  # type: ignore[arg-type]


class TrainSamplerMixin:
    """Mix-in for a `Trainer`: `train_sampler` decides the order of the training rows."""

    train_dataset: Any

    def train_sampler(self, rows: Any) -> Sampler[int]:
        """Return the sampler of `rows`. The Trainer calls its `set_epoch(epoch)` before each epoch."""
        raise NotImplementedError

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.train_sampler(self.train_dataset if train_dataset is None else train_dataset)


def length_grouped_indices(lengths: Sequence[int], batch_size: int, generator: torch.Generator) -> list[int]:
    """Return a random order of row numbers in which each batch holds rows of similar length."""
    from transformers.trainer_pt_utils import get_length_grouped_indices  # slow to import

    indices: list[int] = get_length_grouped_indices(lengths, batch_size, generator=generator)
    return indices


def use_at_most_one_gpu(arguments: Any) -> None:
    """Keep a Trainer with these `TrainingArguments` from spreading a batch over all GPUs of the machine."""
    arguments._n_gpu = min(1, arguments.n_gpu)


def checkpoint_of_step(folder: Path, step: int) -> Path:
    """Return the folder in `folder` that a Trainer saves after an optimizer step. Its callbacks' `on_save` is called
    when all files are in it."""
    return folder / f"checkpoint-{step}"


def saved_steps(folder: Path) -> list[int]:
    """Return the steps that a Trainer has saved, or begun to save, in `folder`, the newest first."""
    numbers = [path.name.removeprefix("checkpoint-") for path in folder.glob("checkpoint-*")]
    return sorted((int(number) for number in numbers if re.fullmatch("0|[1-9][0-9]*", number)), reverse=True)


@contextmanager
def frozen_template_clock() -> Iterator[None]:
    """Let chat templates that call `strftime_now` see `TEMPLATE_DATE`.

    `transformers.utils.chat_template_utils` reads the clock through its own name `datetime` and offers no argument for
    it, so that name is replaced for the duration.
    """
    from transformers.utils import chat_template_utils

    class FrozenDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return TEMPLATE_DATE

    module: Any = chat_template_utils
    original, module.datetime = module.datetime, FrozenDatetime
    try:
        yield
    finally:
        module.datetime = original


def uses_attention_interface(model: PreTrainedModel) -> bool:
    """Return whether the code of `model` looks its attention function up in `AttentionInterface`."""
    return hasattr(sys.modules[type(model).__module__], "ALL_ATTENTION_FUNCTIONS")


def current_attention(model: PreTrainedModel) -> str:
    """Return the name of the attention implementation that `model` runs on."""
    name: str = model.config._attn_implementation
    return name


def uses_stock_generate(model: Any) -> bool:
    """Return whether `model` is a class of transformers, or one of `models.architectures`, that overrides nothing of
    `generate`."""
    kind = type(model)
    return (
        kind.__module__.startswith(("transformers.", "models.architectures."))
        and kind.generate is GenerationMixin.generate
        and kind.prepare_inputs_for_generation is GenerationMixin.prepare_inputs_for_generation
    )


def caches_every_column(model: Any) -> bool:
    """Return whether each layer of `model` keeps all keys and values: no sliding window, no state of another kind."""
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)
