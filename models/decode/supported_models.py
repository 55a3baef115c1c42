"""The models for which continuous batching writes what `generate` does."""

from __future__ import annotations

import inspect
from typing import Any

from models.upstream_transformers import caches_every_column, uses_stock_generate


def supports_continuous_batching(model: Any) -> bool:
    """Return whether `model` is one of transformers' own decoders with plain full attention, for which every step of
    `generate` is one forward pass and the most likely token."""
    parameters = inspect.signature(model.forward).parameters.keys()
    rope = str(getattr(model.config, "rope_parameters", None))
    return (
        uses_stock_generate(model)
        and {"input_ids", "attention_mask", "position_ids", "past_key_values", "logits_to_keep"} <= parameters
        and parameters.isdisjoint({"encoder_hidden_states", "cross_attention_states"})
        and not any(kind in rope for kind in ("longrope", "dynamic"))  # these depend on all rows of a batch
        and caches_every_column(model)
    )
