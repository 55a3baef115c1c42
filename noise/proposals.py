"""What a noise is: a way to propose one sentence for a question. Everything after the proposal is common machinery."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from noise.certify import Carries
from noise.text.question_features import Scene


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sentence that a noise offers, and the template it was made from, which tells what the sentence is like."""

    text: str
    template: str


@dataclass(frozen=True)
class Noise:
    """A named way to add distractors.

    `propose` makes one sentence for a scene, drawing from the generator it is given; it may offer anything, because
    `noise.certify.refusal` decides. `carries` tells the rule what the sentences are meant to hold. `neutral` makes
    a sentence that hardly any question can refuse; it is asked when `propose` has been refused too often.
    """

    name: str
    description: str
    carries: Carries
    propose: Callable[[Scene, random.Random], Proposal]
    neutral: Callable[[Scene, random.Random], Proposal]


Filler = Callable[[random.Random], str]
_SLOT = re.compile(r"\{(\w+)\}")
_NOTHING: Mapping[str, str] = {}
_NO_FILLERS: Mapping[str, Filler] = {}


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with slots: `pieces` are its fixed parts, `slots` the names and fillers between them."""

    text: str
    pieces: tuple[str, ...]
    slots: tuple[tuple[str, Filler | None], ...]

    def fill(self, rng: random.Random, given: Mapping[str, str] = _NOTHING) -> Proposal:
        """The sentence, opened with a capital, its slots filled from `given` or else afresh."""
        parts = [self.pieces[0]]
        for (name, filler), piece in zip(self.slots, self.pieces[1:], strict=True):
            parts.append(given[name] if filler is None else filler(rng))
            parts.append(piece)
        text = "".join(parts)
        return Proposal(text[0].upper() + text[1:], self.text)


def templates(lines: str, fillers: Mapping[str, Filler] = _NO_FILLERS) -> tuple[Template, ...]:
    """One template a line of `lines`. A slot without a filler has to be given whenever the template is filled."""
    made = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        parts = _SLOT.split(line)
        slots = tuple((name, fillers.get(name)) for name in parts[1::2])
        made.append(Template(line, tuple(parts[::2]), slots))
    return tuple(made)


def draw(bank: Sequence[str], rng: random.Random) -> str:
    """One entry of a bank. `int(random() * n)` is several times faster than `choice` and its bias is below 1e-13."""
    return bank[int(rng.random() * len(bank))]


def between(low: int, high: int) -> Filler:
    """A filler of whole numbers from `low` to `high`, both included, with commas from one thousand on."""
    width = high - low + 1
    return lambda rng: f"{low + int(rng.random() * width):,}"
