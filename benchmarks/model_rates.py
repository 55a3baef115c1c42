"""How fast a model was, and what that comes to for more problems. No torch here."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class ModelShape:
    """What a model's memory depends on. `value_bytes` is the size of a number; `cached_bytes` are those of a token's
    keys and values in all layers; `adapter` counts the weights of a LoRA adapter of rank 1."""

    parameters: int
    value_bytes: int
    cached_bytes: int
    layers: int
    hidden: int
    vocabulary: int
    differential: bool = False
    adapter: int = 0

    @property
    def weight_bytes(self) -> int:
        """The bytes of all weights."""
        return self.parameters * self.value_bytes


@dataclass(frozen=True)
class TextRates:
    """How a tokenizer counts: tokens a character of questions and of worked answers, and of the rest of a prompt."""

    question: float
    answer: float
    prompt: float

    def prompt_tokens(self, characters: int, texts: int) -> int:
        """Return the tokens of `texts` prompts whose questions have that many characters together."""
        return round(self.question * characters + self.prompt * texts)

    def answer_tokens(self, characters: int) -> int:
        """Return the tokens of worked answers of that many characters together."""
        return round(self.answer * characters)


@dataclass(frozen=True)
class DecodingRates:
    """Seconds for a token of a prompt (`prompt_token`), for a step of all rows (`step`) and for each row in it (`row`).

    `lengths` are the tokens of the texts that were timed, in any order, written under the limit `limit`.
    """

    prompt_token: float
    step: float
    row: float
    lengths: tuple[int, ...]
    limit: int

    def expected_lengths(self, limit: int) -> tuple[int, ...]:
        """Return the lengths under another limit; a text that reached the old one is counted at the new one."""
        return tuple(limit if length >= self.limit else min(length, limit) for length in self.lengths)

    def tokens(self, texts: int, limit: int) -> int:
        """Return the tokens that `texts` texts are expected to have together."""
        lengths = self.expected_lengths(limit)
        return round(texts * sum(lengths) / len(lengths))

    def seconds(self, texts: int, prompt_tokens: int, rows: int, limit: int) -> float:
        """Return the time for answers to `texts` prompts, `rows` at once."""
        steps = decoding_steps(self.expected_lengths(limit), texts, rows)
        return self.prompt_token * prompt_tokens + self.step * steps + self.row * self.tokens(texts, limit)


@dataclass(frozen=True)
class ReadingRates:
    """Seconds of a cell of a stage that only reads: `cell`, and for each token of prompts and worked answers."""

    cell: float
    token: float


@dataclass(frozen=True)
class TuningRates:
    """Seconds of a fine-tuning with its checks (`whole`), without its steps of `batch` problems, `step` each."""

    whole: float
    step: float
    batch: int


@dataclass(frozen=True)
class ModelRates:
    """How fast a model was, on a device and in a precision, `batch` problems at once.

    `load` is the time it took to load. `intervene` says how many times as long the stage takes as answers and
    likelihoods without interventions. What was not measured is None, or not in `reading`, by stage.
    """

    model: str
    device: str
    dtype: str
    batch: int
    prompt: str
    shape: ModelShape
    text: TextRates
    load: float
    decoding: DecodingRates
    reading: dict[str, ReadingRates]
    intervene: float | None = None
    tuning: TuningRates | None = None


@lru_cache(maxsize=4096)
def decoding_steps(lengths: tuple[int, ...], texts: int, rows: int) -> int:
    """Return the number of steps in which `rows` rows write `texts` texts, whose lengths are those of `lengths` in
    turn: a row that has ended goes on with the next text."""
    ends = [0] * min(rows, texts)
    for number in range(texts):
        heapq.heapreplace(ends, ends[0] + lengths[number % len(lengths)])
    return max(ends, default=0)


def fitted_line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the constant and the slope of the line through two points (amount, seconds), neither below 0.

    Where the larger amount took no longer, the line goes through the origin and the last point.
    """
    (small, first), (large, second) = points
    if large > small and second > first:
        slope = (second - first) / (large - small)
        if first >= slope * small:
            return first - slope * small, slope
    return 0.0, second / large
