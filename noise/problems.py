"""What flows through the harness: a problem, and the same problem with noise in it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from noise.numbers import target_of


@dataclass(frozen=True)
class Problem:
    """A maths word problem in GSM8K's form.

    `answer` is the worked answer; its last line is `#### N`. `id` is unique within its source and, with the seed
    and the noise's name, is all that a noise draw depends on.
    """

    id: str
    question: str
    answer: str

    @cached_property
    def target(self) -> Fraction:
        """The exact number after `####`. Raises `ValueError`, naming the problem, where there is none."""
        try:
            return target_of(self.answer)
        except ValueError as error:
            raise ValueError(f"problem {self.id!r}: {error}") from None


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
