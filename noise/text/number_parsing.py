"""Exact numbers in text: `$1,450.50` is 2901/2, and no float is ever made on the way.

What is read: digits with or without groups of three (`1,450,000`), decimals (`3.5`, `.5`), quotients (`7/2`, `½`),
mixed numbers (`3 1/2`, `3½`), powers of ten as computers write them (`1.5e3`), a sign and a currency sign in front, in
either order. What is left alone: whatever follows the number. Units, `%` and words such as `million` are units, so
`50%` is 50, as GSM8K's targets have it, and never 1/2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

MARK = "####"
"""What stands before the final number of an answer in GSM8K's form."""

MAX_DIGITS = 100
"""A longer run of digits, or a greater power of ten, is noise and not a number. Python can be told to refuse texts of
641 digits and more; whatever is made of numbers that pass can still be written out."""


@dataclass(frozen=True)
class Number:
    """An exact number and the half-open character range of the text that it was read from, signs included."""

    value: Fraction
    start: int
    stop: int


# Atomic groups and possessive quantifiers keep every pattern linear: a run of digits is taken whole or not at all.
_DIGITS = r"(?>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]++)"
_PLAIN = rf"(?>{_DIGITS}(?:\.[0-9]++)?|(?<![\w.])\.[0-9]++)(?>[eE][-+]?[0-9]++(?!\w))?+"
_VULGAR = "[¼½¾⅐-⅞]"
_NUMBER = re.compile(
    rf"""
    (?:(?<![\w)\]}}%−–-])(?P<sign>[-−–]))?   # in 10-5 and --5 the dash is no sign
    (?:[$€£¥₹](?P<inner>[-−–])?)?            # -$5 and $-5 are the same
    (?<![^\W_])                              # in B12 the digits are part of a name
    (?:(?P<whole>[0-9]++)(?:[ ](?=[0-9]++[/⁄][0-9])|[ ]?(?={_VULGAR})))?
    (?:(?P<vulgar>{_VULGAR})|(?P<chain>{_PLAIN}(?>[ ]?[/⁄][ ]?{_PLAIN}){{0,3}}+))
    """,
    re.VERBOSE,
)
_PART = re.compile(_PLAIN)


def numbers_in(text: str) -> list[Number]:
    """Every number of `text`, in order. Of `1, 2, 3` there are three; of a date, `10/12/2020`, there are three too."""
    return [number for match in _NUMBER.finditer(text) for number in _read(match)]


def last_number(text: str) -> Number | None:
    """The last number of `text`, or None where there is none. Time is linear in the length of the text."""
    for match in reversed(list(_NUMBER.finditer(text))):
        for number in reversed(list(_read(match))):
            return number
    return None


def target_of(answer: str) -> Fraction:
    """The exact number after the last `####` of a worked answer.

    Raises `ValueError` where there is no `####`, or where its line does not open with its only number: a target is
    never guessed, and of `#### - 10` the sign would be lost.
    """
    _, mark, after = answer.rpartition(MARK)
    if not mark:
        raise ValueError(f"expected an answer that ends in '{MARK} N', got no '{MARK}' in {_shown(answer)}")
    line = after.strip().partition("\n")[0]
    if len(line) <= MAX_DIGITS and line.isascii() and line.isdecimal():  # as nearly all are: this is quicker
        return Fraction(int(line))
    found = numbers_in(line)
    if len(found) != 1 or found[0].start > 0:
        raise ValueError(f"expected one number, right after the last '{MARK}', got {_shown(line)}")
    return found[0].value


def _read(match: re.Match[str]) -> Iterator[Number]:
    """The numbers of one match: one, or one for each run of digits where these do not make up a single number."""
    sign = -1 if match["sign"] or match["inner"] else 1
    whole = _value(match["whole"] or "0")
    rest = _quotient(match["chain"] or unicodedata.normalize("NFKC", match["vulgar"]))
    if whole is not None and rest is not None and (not match["whole"] or 0 < rest < 1):
        yield Number(sign * (whole + rest), match.start(), match.end())
        return
    start = match.start()
    for part in _PART.finditer(match.string, *match.span()):
        value = _value(part[0])
        if value is not None:
            yield Number(sign * value, start, part.end())
        sign, start = 1, part.end() + 1


def _quotient(chain: str) -> Fraction | None:
    """The value of `7` or `7/2`; None for more parts (a date), a division by zero, or a part that is not read."""
    above, slash, below = chain.replace("⁄", "/").partition("/")
    if not slash:
        return _value(above)
    if "/" in below:
        return None
    numerator, denominator = _value(above), _value(below)
    return numerator / denominator if numerator is not None and denominator else None


def _value(digits: str) -> Fraction | None:
    """The value of unsigned digits, or None where they are too many or their power of ten is too great."""
    mantissa, _, exponent = digits.strip().replace(",", "").lower().partition("e")
    if len(mantissa.replace(".", "")) > MAX_DIGITS or len(exponent) > 4 or abs(int(exponent or 0)) > MAX_DIGITS:
        return None
    return Fraction(f"{mantissa}e{exponent or 0}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"…{text[-60:]}")
