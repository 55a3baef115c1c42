"""The records of the harness: a problem, and a problem with noise in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from noise.text.number_parsing import target_of


def normalised(text: str) -> str:
    """Return `text` without the differences that tell no two problems apart: case and white space."""
    return " ".join(text.casefold().split())


#: From this number of words a worked answer identifies its problem, wherever it stands.
_LONG_ANSWER = 8


@dataclass(frozen=True)
class Problem:
    """A maths word problem in GSM8K's form.

    `answer` is the worked answer; its last line is `#### N`. `id` is unique within its source; a noise draw depends on
    it, the seed, the noise's name and the question alone. Where `question` itself carries noise, as in a file of noisy
    problems that is read as a source, `original_question` is the one without.
    """

    id: str
    question: str
    answer: str
    original_question: str | None = None

    @cached_property
    def target(self) -> Fraction:
        """The exact number after `####`. Raises `ValueError`, naming the problem, if there is none."""
        try:
            return target_of(self.answer)
        except ValueError as error:
            raise ValueError(f"problem {self.id!r}: {error}") from None

    @property
    def dedup_keys(self) -> frozenset[str]:
        """Hashes that identify the problem whatever its id, noise or wording, each of 16 hexadecimal digits.

        Two problems with a key in common are the same problem. There is a key for the question, one for the question
        without noise, and one for a worked answer with steps, all but for case and white space. No two of the 7,473
        worked answers of GSM8K's training split are the same.
        """
        texts = [f"question {text}" for text in (self.question, self.original_question) if text is not None]
        if "####" in self.answer and self.answer.partition("####")[0].strip():
            texts.append(f"answer {self.answer}")
        keys = (normalised(text).encode("utf-8", "surrogatepass") for text in texts)
        return frozenset(hashlib.sha256(key).hexdigest()[:16] for key in keys)

    def is_shown_in(self, shown: str) -> bool:
        """Return whether a `normalised` text, such as a prompt with worked examples, holds the problem."""
        answer = normalised(self.answer) if len(self.answer.split()) >= _LONG_ANSWER else None
        texts = (self.question, self.original_question)
        parts = [*(normalised(text) for text in texts if text is not None), *([] if answer is None else [answer])]
        return any(f" {part} " in f" {shown} " for part in parts)


@dataclass(frozen=True)
class NoisyProblem:
    """A problem whose question carries distractors, or a clean problem: then `noise` is "clean" and `spans` is empty.

    `spans` are the half-open character ranges of `question` that were added, separators included, in order and
    without overlap: deleting them gives exactly `problem.question`. `factors` says what kind of sentence each of them
    is, where the noise has several kinds: the level of `near`, the cell of `ic`. `templates` are what the sentences of
    a drawn noise were made from, one a span; they say nothing of the text, and count for no comparison.
    """

    problem: Problem
    noise: str
    question: str
    spans: tuple[tuple[int, int], ...]
    seed: int
    factors: tuple[str, ...] = ()
    templates: tuple[str, ...] = field(default=(), compare=False)


def strip(noisy: NoisyProblem) -> str:
    """Return `noisy.question` without its spans: exactly the original question."""
    kept, end = [], 0
    for start, stop in noisy.spans:
        kept.append(noisy.question[end:start])
        end = stop
    kept.append(noisy.question[end:])
    return "".join(kept)
