"""The generation settings that a checkpoint comes with: greedy answers use its end-of-text tokens and nothing else.

No torch here: the header of a run reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.hub.hub_cache import cached_checkpoint
from models.loading.checkpoint_layout import read_json_object
from models.model_registry import ModelSpec

#: What is kept of `generation_config.json`: which tokens begin, end and pad a text.
TOKEN_SETTINGS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
#: What changes no greedy answer: notes, and values that are overridden or that only sampling reads.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...] | None] = {
    **dict.fromkeys(("transformers_version", "_from_model_config", "use_cache", "max_length", "max_new_tokens")),
    **dict.fromkeys(("output_attentions", "output_hidden_states", "return_dict_in_generate", "output_scores")),
    **dict.fromkeys(("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")),
    "do_sample": (False,),
    "num_beams": (1,),
    "num_return_sequences": (1,),
    "repetition_penalty": (1, 1.0),
    "no_repeat_ngram_size": (0,),
}


def ignored_settings(spec: ModelSpec) -> dict[str, Any]:
    """Return the settings of a model's `generation_config.json` that would make its answers other than greedy.

    Empty for a model that is not on this machine yet.
    """
    folder = Path(spec.source) / spec.subfolder if Path(spec.source).is_dir() else cached_checkpoint(spec)
    if folder is None:
        return {}
    settings = read_json_object(folder / "generation_config.json")
    return {
        name: value
        for name, value in settings.items()
        if name not in TOKEN_SETTINGS and value is not None and not _has_no_effect(name, value)
    }


def _has_no_effect(name: str, value: Any) -> bool:
    harmless = _WITHOUT_EFFECT.get(name, ())
    return harmless is None or value in harmless
