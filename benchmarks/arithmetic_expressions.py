"""Sums and products of exact numbers, as `(9 * 24 - 31) / 5`, and the values that they pass through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Literal

_MAX_DEPTH = 12
_MAX_BITS = 2000
"""A value with a longer numerator or denominator is none."""
_MAX_PARTS = 7
"""The most parts of a sum or product of which every selection is looked at: 2⁷ selections."""


@dataclass(frozen=True)
class Term:
    """A number, or a sum or product of terms.

    `kind` is "number", "sum" or "product". A part of a sum has a sign, and one of a product an exponent: +1 or −1. A
    number may be written per cent; `hundredths` says whether that is read as a hundredth.
    """

    kind: Literal["number", "sum", "product"]
    number: Fraction = Fraction(0)
    percent: bool = False
    hundredths: bool = False
    parts: tuple[tuple[int, Term], ...] = ()

    @property
    def numbers(self) -> tuple[Fraction, ...]:
        """The numbers in order, per cent as written."""
        if self.kind == "number":
            return (self.number,)
        return tuple(number for _, part in self.parts for number in part.numbers)

    def reading(self, hundredths: bool) -> Term:
        """Return the term with every number per cent read as a hundredth, or as it is."""
        parts = tuple((sign, part.reading(hundredths)) for sign, part in self.parts)
        return replace(self, hundredths=hundredths, parts=parts)

    def value(self, right: Mapping[Fraction, Fraction] | None = None) -> Fraction | None:
        """Return the value, with the numbers that are keys of `right` replaced; None for a division by zero."""
        if self.kind == "number":
            number = (right or {}).get(self.number, self.number)
            return number / 100 if self.percent and self.hundredths else number
        return _combined(self.kind, [(sign, part.value(right)) for sign, part in self.parts])

    def values(self) -> set[Fraction]:
        """Return the value of every calculation in the term: of itself, of what is in it, and of every selection of two
        or more parts of a sum or product, without its sign. `19 * 9 * 3` passes through 57 in another order.
        """
        if self.kind == "number":
            return set()
        values = set[Fraction]().union(*(part.values() for _, part in self.parts))
        parts = [(sign, part.value()) for sign, part in self.parts]
        sizes = range(2, len(parts)) if len(parts) <= _MAX_PARTS else ()
        for chosen in [parts, *(chosen for size in sizes for chosen in combinations(parts, size))]:
            value = _combined(self.kind, chosen)
            if value is not None:
                values.add(abs(value))
        return values

    def inlined(self, terms: Mapping[Fraction, Term]) -> Term:
        """Return the term with each number that is a key of `terms` replaced, and a sum in a sum made one sum."""
        if self.kind == "number":
            return terms.get(self.number, self)
        return _flat(self.kind, tuple((sign, part.inlined(terms)) for sign, part in self.parts))


def parsed(tokens: Sequence[Fraction | str], percent: Sequence[bool]) -> Term | None:
    """Return the term of numbers, `+-*/` and brackets, or None; `2(3 + 4)` is a product. `percent` marks numbers."""
    parser = _Parser(tokens, percent)
    term = parser.sum(0)
    return term if parser.i == len(tokens) else None


@dataclass
class _Parser:
    tokens: Sequence[Fraction | str]
    percent: Sequence[bool]
    i: int = 0

    def sum(self, depth: int) -> Term | None:
        return self._chain("sum", "+", "-", depth)

    def _chain(self, kind: Literal["sum", "product"], plus: str, minus: str, depth: int) -> Term | None:
        parts: list[tuple[int, Term]] = []
        sign = 1
        while True:
            part = self._chain("product", "*", "/", depth) if kind == "sum" else self._factor(depth)
            if part is None:
                return None
            parts.append((sign, part))
            token = self.tokens[self.i] if self.i < len(self.tokens) else ""
            if token in (plus, minus):
                sign = 1 if token == plus else -1
                self.i += 1
            elif kind == "product" and token in ("(", "[", "{"):
                sign = 1
            else:
                return parts[0][1] if len(parts) == 1 else _flat(kind, tuple(parts))

    def _factor(self, depth: int) -> Term | None:
        token = self.tokens[self.i] if self.i < len(self.tokens) else ""
        self.i += 1
        if isinstance(token, Fraction):
            return Term("number", token, self.percent[self.i - 1])
        if depth > _MAX_DEPTH:
            return None
        if token == "-":
            factor = self._factor(depth + 1)
            if factor is None or factor.kind != "number":
                return None
            return replace(factor, number=-factor.number)
        if token not in ("(", "[", "{"):
            return None
        term = self.sum(depth + 1)
        closed = self.i < len(self.tokens) and self.tokens[self.i] in (")", "]", "}")
        self.i += 1
        return term if closed else None


def _combined(kind: str, parts: Sequence[tuple[int, Fraction | None]]) -> Fraction | None:
    total = Fraction(0 if kind == "sum" else 1)
    for sign, value in parts:
        if value is None or (kind == "product" and sign < 0 and not value):
            return None
        if kind == "sum":
            total += sign * value
        else:
            total = total * value if sign > 0 else total / value
        if max(total.numerator.bit_length(), total.denominator.bit_length()) > _MAX_BITS:
            return None
    return total


def _flat(kind: Literal["sum", "product"], parts: tuple[tuple[int, Term], ...]) -> Term:
    flat: list[tuple[int, Term]] = []
    for sign, part in parts:
        flat += [(sign * inner, term) for inner, term in part.parts] if part.kind == kind else [(sign, part)]
    return Term(kind, parts=tuple(flat))
