"""What the lengths of placebos are counted in: tokens of the first model, or words. No torch before a run needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from benchmarks.error_remedies import user_message
from benchmarks.plan import Plan
from noise.placebo_sentences import Length


@dataclass(frozen=True)
class PlaceboLength:
    """How a length is counted, None for words, and its `unit` in words."""

    count: Length | None
    unit: str


def placebo_length(plan: Plan) -> PlaceboLength:
    """Return the length in tokens of the plan's first model, read without its weights, or in words if that has no
    readable tokenizer.

    All models get the same text, so one of them has to be chosen; a case about the model says what is wrong with it.
    """
    from models.loading.checkpoint_fingerprint import checkpoint_folder
    from models.loading.read_checkpoint import read_tokenizer

    spec = plan.models[0]
    try:
        tokenizer = read_tokenizer(checkpoint_folder(spec), spec.trust)
    except Exception as error:
        if user_message(error) is None and not isinstance(error, (OSError, ValueError)):
            raise
        return PlaceboLength(None, "words")

    @lru_cache(maxsize=4096)
    def tokens(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])

    return PlaceboLength(tokens, f"tokens of {spec.name}")
