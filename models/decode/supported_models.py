"""The models for which continuous batching writes what `generate` does."""

from __future__ import annotations

import inspect
from typing import Any

from models.upstream_transformers import caches_every_column, changed_generation_settings, uses_stock_generate

#: Generation settings that leave greedy decoding as it is, or that are set again here.
HARMLESS_SETTINGS = frozenset(
    "bos_token_id eos_token_id pad_token_id decoder_start_token_id do_sample temperature top_k top_p min_p typical_p"
    " num_beams repetition_penalty max_length max_new_tokens use_cache output_attentions output_hidden_states"
    " transformers_version _from_model_config".split()
)


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
        and changed_generation_settings(model) <= HARMLESS_SETTINGS
        and caches_every_column(model)
    )
