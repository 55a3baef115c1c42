"""Everything that depends on the internals of transformers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from transformers import GenerationMixin, PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer

#: The date that chat templates see, if they write one: a prompt must not change overnight.
TEMPLATE_DATE = datetime(2024, 7, 26)


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
    """Return whether `model` is a class of transformers that overrides nothing of `generate`."""
    kind = type(model)
    return (
        kind.__module__.startswith("transformers.")
        and kind.generate is GenerationMixin.generate
        and kind.prepare_inputs_for_generation is GenerationMixin.prepare_inputs_for_generation
    )


def changed_generation_settings(model: Any) -> set[str]:
    """Return the names in the generation configuration of `model` whose value is neither the default nor None."""
    return {name for name, value in model.generation_config.to_diff_dict().items() if value is not None}


def caches_every_column(model: Any) -> bool:
    """Return whether each layer of `model` keeps all keys and values: no sliding window, no state of another kind."""
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)
