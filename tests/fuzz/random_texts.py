"""Random texts, numbers and questions, and small changes of them, from a passed generator."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from random import Random

from tests.strategies import EDGE_CASES

LABELLED_PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "noise" / "labelled_pairs.jsonl").read_text("utf-8").splitlines()
]
"""Questions and distractors, labelled by hand."""

_ALPHABETS = (
    "abc XYZ",
    "0123456789",
    " .,;:?!'\"()[]{}\n\t\r",
    "$€£%#*=+-−–×÷/⁄\\½¾_",
    "\u2028\u2029\u0085\u200b\ufeff\xa0\x00\x0b\x1f",
    "éßŻńąİıſﬁ多少？。٣४²③",
)
_NAMES = ("Ida", "Tom", "Rose", "Mr. Moss", "Zoë", "Mary Ann", "Ben's sister", "They", "She")
_THINGS = (
    "pears",
    "boxes of nails",
    "sheep",
    "miles",
    "dollars",
    "people",
    "cups of rice",
    "red balloons",
    "foos",
    "hours",
)
_SENTENCES = (
    "{name} has {n} {things}.",
    "{name} buys {n} more {things} for ${n}.50!",
    "Each crate holds {n},250 {things}",
    "At {n}:30 p.m. {name} had half of the {things}.",
    '"I want {n} {things}," said {name}.',
    "It weighs {n}.{n} kg (with the {things}).",
    "Dr. {name} gave {n}/{m} of them away...",
    "Everyone at No. {n} shares the rest equally.",
    "{n} + {m} is a sum.",
    "There are {n} {things} in the U.S. today.",
)
_ASKING = (
    "How many {things} does {name} have left?",
    "How much did it cost in all?",
    "How many are there?",
    "What is the sum of these numbers?",
    "Twice that number is how many {things}?",
    "How many numbers are in this text?",
    "How long does she take, in hours?",
    "How many people and animals are there in total?",
    "Find the number of {things}",
    "How many {things} do they have if it takes {n} each?  (Note: 1 of 2.)",
)


def any_character(rng: Random) -> str:
    """Return one character: mostly one that means something to a reader of text, else any of Unicode."""
    if rng.random() < 0.9:
        return rng.choice(rng.choice(_ALPHABETS))
    return chr(rng.randrange(0x110000))


def any_text(rng: Random, longest: int = 40) -> str:
    """Return a text of up to `longest` characters, lone surrogates included."""
    return "".join(any_character(rng) for _ in range(rng.randrange(longest + 1)))


def any_whole(rng: Random) -> int:
    """Return a whole number of any size up to twelve digits, small ones as likely as large ones."""
    return rng.randrange(10 ** rng.randrange(1, 13))


def any_number(rng: Random) -> Fraction:
    """Return a whole number, a decimal or a fraction, of either sign."""
    value = Fraction(any_whole(rng), rng.choice((1, 1, 1, 2, 3, 7, 10, 100)))
    return -value if rng.random() < 0.3 else value


def any_question(rng: Random) -> str:
    """Return a word problem, an odd one, or any text."""
    kind = rng.random()
    if kind < 0.2:
        return str(rng.choice(LABELLED_PAIRS)["question"])
    if kind < 0.75:
        gap = rng.choice((" ", " ", " ", "  ", "\n", ""))
        sentences = [_filled(rng, rng.choice(_SENTENCES)) for _ in range(rng.randrange(5))]
        return gap.join([*sentences, _filled(rng, rng.choice(_ASKING))])
    if kind < 0.85:
        return rng.choice(EDGE_CASES)
    return any_text(rng, 80)


def _filled(rng: Random, sentence: str) -> str:
    return sentence.format(
        name=rng.choice(_NAMES), things=rng.choice(_THINGS), n=rng.randrange(1, 120), m=rng.randrange(2, 30)
    )


def changed_text(rng: Random, text: str) -> str:
    """Return `text` with up to three small changes: characters inserted, replaced, dropped, repeated or moved."""
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.randrange(6))
        kept = rng.choice(("", text[start:stop] * 2, any_character(rng), any_text(rng, 3)))
        text = text[:start] + kept + text[stop:]
    return text


def changed_bytes(rng: Random, content: bytes) -> bytes:
    """Return `content`, which is not empty, with one change of one byte: a flipped bit, or one more or one fewer."""
    at = rng.randrange(len(content))
    kind = rng.randrange(4)
    if kind == 0:
        return content[:at] + content[at + 1 :]
    if kind == 1:
        return content[:at] + bytes([rng.randrange(256)]) + content[at:]
    if kind == 2:
        return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
