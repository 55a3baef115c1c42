"""What a noise is: a way to propose one sentence for a question. The rest is shared by all noises."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from noise.certify import Carries
from noise.text.question_features import QuestionFeatures


class NoDistractorError(RuntimeError):
    """No sentence of a noise is certified for a question, or none besides those that it has."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sentence that a noise offers, and the template it was made from.

    `factors` says what kind of sentence it is, where a noise has several: the level of `near`, the cell of `ic`.
    """

    text: str
    template: str
    factors: str = ""

    def at(self, factors: str) -> Proposal:
        """Return the same sentence as one of a kind."""
        return Proposal(self.text, self.template, factors)


#: Makes a sentence for a question.
Propose = Callable[[QuestionFeatures, random.Random], "Proposal | None"]
#: Returns what is asked in turn for a sentence, given a question, its problem's id and a seed.
Design = Callable[[QuestionFeatures, str, int], Sequence[Propose]]


@dataclass(frozen=True)
class Noise:
    """A named way to add distractors.

    `propose` makes one sentence for a question, given its features and a random generator, or None where it has none
    for such a question. It may offer anything: `noise.certify.refusal_reason` decides. `carries` says what the
    sentences hold. After `noise.inject.MAX_PROPOSALS` rejected proposals, the `fallbacks` are asked in turn, each as
    often. `neutral` makes a sentence that is refused for hardly any question, and is asked last. A noise that is not
    `by_default` is drawn only where it is named. A noise whose kinds of sentence are to be balanced over problems and
    draws has a `design`, which stands for `propose` and `fallbacks` where a problem is known.
    """

    name: str
    description: str
    carries: Carries
    propose: Propose
    neutral: Callable[[QuestionFeatures, random.Random], Proposal]
    fallbacks: tuple[Propose, ...] = ()
    by_default: bool = True
    design: Design | None = None

    def proposers(self, features: QuestionFeatures, problem: str, seed: int) -> Sequence[Propose]:
        """Return what is asked in turn for a sentence, before `neutral` is."""
        return (self.propose, *self.fallbacks) if self.design is None else self.design(features, problem, seed)


T = TypeVar("T")
Filler = Callable[[random.Random], str]
_SLOT = re.compile(r"\{(\w+)\}")
_NO_VALUES: Mapping[str, str] = {}
_NO_FILLERS: Mapping[str, Filler] = {}


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with slots: `pieces` are its fixed parts, `slots` the names and fillers between them."""

    text: str
    pieces: tuple[str, ...]
    slots: tuple[tuple[str, Filler | None], ...]

    def fill(self, rng: random.Random, values: Mapping[str, str] = _NO_VALUES) -> Proposal:
        """Return the sentence with an initial capital. A slot is filled by its filler, or else from `values`."""
        parts = [self.pieces[0]]
        for (name, filler), piece in zip(self.slots, self.pieces[1:], strict=True):
            parts.append(values[name] if filler is None else filler(rng))
            parts.append(piece)
        text = "".join(parts)
        return Proposal(text[0].upper() + text[1:], self.text)


def templates(lines: str, fillers: Mapping[str, Filler] = _NO_FILLERS) -> tuple[Template, ...]:
    """Return one template for each line of `lines`. A slot without a filler needs a value at every `Template.fill`."""
    parsed = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        parts = _SLOT.split(line)
        slots = tuple((name, fillers.get(name)) for name in parts[1::2])
        parsed.append(Template(line, tuple(parts[::2]), slots))
    return tuple(parsed)


def draw(options: Sequence[T], rng: random.Random) -> T:
    """Return a random option. `int(random() * n)` is several times faster than `choice`; its bias is below 1e-13."""
    return options[int(rng.random() * len(options))]


def between(low: int, high: int) -> Filler:
    """Return a filler of whole numbers from `low` to `high`, both included, with commas from one thousand on."""
    width = high - low + 1
    return lambda rng: f"{low + int(rng.random() * width):,}"
