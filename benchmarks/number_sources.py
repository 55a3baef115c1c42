"""Where a number of an answer may come from: the problem, its worked answer, a word such as "week", or the noise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from benchmarks.calculations_in_answers import steps_in
from benchmarks.numbers_and_signs import tidied
from noise.text.number_parsing import MAX_DIGITS, numbers_in
from noise.text.question_numbers import stated_numbers
from noise.text.word_tokens import tokenize

#: Numbers that a word of the problem brings along: an answer to "per week" may divide by 7.
_IMPLIED: dict[str, tuple[int, ...]] = {
    word: numbers
    for words, numbers in (
        ("both weekend weekends", (2,)),
        ("yard yards", (3,)),
        ("square squares", (4,)),
        ("nickel nickels", (5,)),
        ("dime dimes decade decades", (10,)),
        ("foot feet inch inches", (12,)),
        ("day days daily", (7, 24)),
        ("week weeks weekly", (5, 7, 52)),
        ("fortnight fortnights", (2, 14)),
        ("hour hours hourly", (24, 60)),
        ("minute minutes second seconds", (60,)),
        ("month months monthly", (4, 12, 30)),
        ("year years yearly annual annually", (12, 52, 365)),
        ("percent cent cents penny pennies century centuries centimeter centimeters", (100,)),
        ("meter meters", (100, 1000)),
        ("kilometer kilometers gram grams kilogram kilograms liter liters ml milliliter milliliters", (1000,)),
    )
    for word in words.split()
}
_PERCENT = re.compile(r"%|\bper ?cent", re.IGNORECASE)
_DECIMALS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MOST_STATED = 60
"""The most numbers of a problem of which every pair is combined, to see whether another number comes from them."""


@dataclass(frozen=True)
class NumberSources:
    """The numbers that an answer may have.

    `stated` are those that the problem without noise may be read to state, and those of its worked answer. `known` has
    these, 1, what words of the problem imply, and where it speaks of per cent, the factors that go with its numbers:
    0.2, 0.8, 1.2 and 80 with 20. `noise` are the numbers of the noise, in digits or words, that are not `known`.
    """

    stated: frozenset[Fraction]
    known: frozenset[Fraction]
    noise: frozenset[Fraction]

    def lead_to(self, number: Fraction) -> bool:
        """Return whether one calculation with two stated numbers, neither of them 1 or 0, comes to `number`."""
        stated = self.stated - {0, 1}
        if len(stated) > _MOST_STATED:
            return False
        return any(number - a in stated or a + number in stated or number / a in stated or number * a in stated
                   for a in stated)  # fmt: skip


def number_sources(gold: str, question: str, spans: Sequence[tuple[int, int]]) -> NumberSources:
    """Return the sources for a question with noise in the half-open character ranges `spans`; `gold` is its answer."""
    clean, added = _separated(question, spans)
    worked = tidied(gold)
    stated = _may_state(clean) | {number.value for number in numbers_in(worked)}
    stated |= {number for step in steps_in(worked) for number in (*step.numbers, step.result)}
    known = stated | {Fraction(1)}
    for word in re.findall(r"[a-z]+", clean.lower()):
        known.update(map(Fraction, _IMPLIED.get(word, ())))
    if _PERCENT.search(clean):
        shares = {number / 100 for number in known} | {Fraction(1)}
        factors = {abs(1 - share) for share in shares} | {1 + share for share in shares}
        known |= shares | factors | {100 * factor for factor in factors}
    noise = {number.value for number in numbers_in(added)}
    noise |= {_exact(word.number) for word in tokenize(added) if word.counts and word.bare not in ("one", "zero")}
    if _PERCENT.search(added):
        noise |= {number / 100 for number in noise}
    return NumberSources(frozenset(stated), frozenset(known), frozenset(noise - known))


def _separated(question: str, spans: Sequence[tuple[int, int]]) -> tuple[str, str]:
    """Return the question without its spans, and the text of the spans."""
    kept, added, end = [], [], 0
    for start, stop in spans:
        kept.append(question[end:start])
        added.append(question[start:stop])
        end = stop
    return "".join((*kept, question[end:])), "\n".join(added)


def _may_state(text: str) -> set[Fraction]:
    """Return every number that a text may be read to state."""
    return {number.value for number in numbers_in(text)} | set(map(_exact, stated_numbers(text, tokenize(text))))


def _exact(digits: str) -> Fraction:
    return Fraction(digits) if _DECIMALS.fullmatch(digits) and len(digits) <= MAX_DIGITS else Fraction(0)
