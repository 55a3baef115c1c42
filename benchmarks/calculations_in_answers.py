r"""Read the calculations that a worked answer writes out: `6 trays x 12 rolls = 72 rolls`, `20% of $50 is $10`.

`noise.text.equations` reads the plain ones that a distractor may hold. A model's answer also has units, currency signs,
brackets, per cent, LaTeX, GSM8K's `<<6*12=72>>`, several `=` in a row and rounded results. No exception is raised for
any text. Time is linear in its length, as only short calculations are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

from benchmarks.arithmetic_expressions import Term, parsed
from benchmarks.numbers_and_signs import ABOUT, UNKNOWN, CalculationToken, calculation_runs

_ANNOTATION = re.compile(r"<<([^<>\n]{0,200})>>")
_SHARE = re.compile("[0-9]+/[0-9]+")  # in `3/4 of it is 15`, which is no division
_MAX_TOKENS = 80
"""The most numbers and signs of a calculation that is read."""


@dataclass(frozen=True)
class Step:
    """A calculation as written.

    `term` is what is calculated, and `result` the number that it is said to come to. `value` is what it does come to,
    and `holds` says whether that is the result, or rounds to it where the result has decimals or is "about" right.
    """

    term: Term
    result: Fraction
    value: Fraction
    holds: bool
    start: int

    @property
    def numbers(self) -> tuple[Fraction, ...]:
        """The numbers that are calculated with, in order, per cent as written."""
        return self.term.numbers

    def value_with(self, right: Mapping[Fraction, Fraction]) -> Fraction | None:
        """Return the value with the keys of `right` replaced; None where that divides by zero."""
        return self.term.value(right)


def steps_in(plain: str) -> list[Step]:
    """Return the calculations of a text that comes from `tidied`, in order; a GSM8K annotation is one more."""
    inside = [(match.start(1), match[1]) for match in _ANNOTATION.finditer(plain)]
    surface = _ANNOTATION.sub(lambda match: " " * len(match[0]), plain)
    steps = [step for start, text in [(0, surface), *inside] for step in _steps(text, start)]
    return sorted(steps, key=lambda step: step.start)


def _steps(text: str, offset: int) -> Iterator[Step]:
    for run in calculation_runs(text, offset):
        parts: list[list[CalculationToken]] = [[]]
        equals = [""]
        for token in run:
            if token.kind == "equals":
                parts.append([])
                equals.append(token.text)
            else:
                parts[-1].append(token)
        terms = [_term(part) for part in parts]
        for i, (left, right) in enumerate(pairwise(terms)):
            if left is None or right is None:
                continue
            about, start = equals[i + 1] in ABOUT, parts[i][0].start
            if left.numbers[1:]:
                steps = _step(left, right, parts[i + 1], about, start)
                is_share = equals[i + 1] not in "=≈" and _SHARE.fullmatch("".join(token.text for token in parts[i]))
                yield from (step for step in steps if step.holds or not is_share)
            elif right.numbers[1:] and i + 2 == len(terms):  # 15 = 5 * 3
                yield from _step(right, left, parts[i], about, start)


def _step(term: Term, other: Term, written: list[CalculationToken], about: bool, start: int) -> Iterator[Step]:
    """Yield the step of a term and what stands on the other side of its `=`; none where it divides by zero."""
    readings = [reading for percent in (True, False) if (reading := term.reading(percent)).value() is not None]
    results = [value for percent in (False, True) if (value := other.reading(percent).value()) is not None]
    if not readings or not results:
        return
    decimals = max(token.decimals for token in written)
    if other.numbers[1:]:
        results.append(other.numbers[0])  # 5 + 3 = 8 * 2 = 16
        decimals = 0
    for reading, result in product(readings, results):
        value = reading.value() or Fraction(0)
        if _comes_to(value, result, decimals, about):
            yield Step(reading, result, value, True, start)
            return
    yield Step(readings[0], results[0], readings[0].value() or Fraction(0), False, start)


def _comes_to(value: Fraction, result: Fraction, decimals: int, about: bool) -> bool:
    if value == result:
        return True
    if about and abs(value - result) < 1:
        return True
    unit = Fraction(1, 10**decimals)
    return decimals > 0 and (value / unit).denominator > 1 and abs(value - result) < unit


def _term(part: list[CalculationToken]) -> Term | None:
    """Return what a part without `=` calculates, or None; a sign before its first or behind its last number is none."""
    if len(part) > _MAX_TOKENS or UNKNOWN in part:
        return None
    while part and part[-1].kind == "operator":
        part = part[:-1]
    while part and part[0].kind == "operator" and part[0].text != "-":
        part = part[1:]
    part = _balanced(part)
    if not part:
        return None
    signs = [token.number if token.kind == "number" else token.text for token in part]
    return parsed(signs, [token.percent for token in part])


def _balanced(part: list[CalculationToken]) -> list[CalculationToken]:
    """Return what stands between the last bracket that is not closed and the first that was not opened."""
    opened: list[int] = []
    for i, token in enumerate(part):
        if token.kind == "open":
            opened.append(i)
        elif token.kind == "close":
            if not opened:
                return part[:i]
            opened.pop()
    return part[opened[-1] + 1 :] if opened else part
