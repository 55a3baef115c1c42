"""What flows through the harness: a problem, and the same problem with noise in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from noise.text.number_parsing import target_of


@dataclass(frozen=True)
class Problem:
    """A maths word problem in GSM8K's form.

    `answer` is the worked answer; its last line is `#### N`. `id` is unique within its source and, with the seed
    and the noise's name, is all that a noise draw depends on. Where `question` itself carries noise, as in a file of
    noisy problems that is read as a source, `original_question` is the one without.
    """

    id: str
    question: str
    answer: str
    original_question: str | None = None

    @cached_property
    def target(self) -> Fraction:
        """The exact number after `####`. Raises `ValueError`, naming the problem, where there is none."""
        try:
            return target_of(self.answer)
        except ValueError as error:
            raise ValueError(f"problem {self.id!r}: {error}") from None

    @property
    def marks(self) -> frozenset[str]:
        """What tells the problem apart under any id, with noise in it or in other words, as 16 hexadecimal digits each.

        Two problems with a mark in common are one: the questions are the same but for case and white space, with noise
        or without, or the worked answers are, and those have steps (no two of the 7,473 of GSM8K's training split do).
        """
        texts = [f"question {text}" for text in (self.question, self.original_question) if text is not None]
        if "####" in self.answer and self.answer.partition("####")[0].strip():
            texts.append(f"answer {self.answer}")
        normal = (" ".join(text.casefold().split()).encode("utf-8", "surrogatepass") for text in texts)
        return frozenset(hashlib.sha256(text).hexdigest()[:16] for text in normal)


@dataclass(frozen=True)
class NoisyProblem:
    """A problem whose question carries distractors.

    `spans` are the half-open character ranges of `question` that were added, separators included, in order and
    without overlap: deleting them gives `problem.question` to the character.
    """

    problem: Problem
    noise: str
    question: str
    spans: tuple[tuple[int, int], ...]
    seed: int


def strip(noisy: NoisyProblem) -> str:
    """`noisy.question` without its spans: the original question, to the character."""
    kept, end = [], 0
    for start, stop in noisy.spans:
        kept.append(noisy.question[end:start])
        end = stop
    kept.append(noisy.question[end:])
    return "".join(kept)
