"""Parse exact numbers in text: `$1,450.50` is 2901/2, without a float on the way.

Parsed are digits with or without groups of three (`1,450,000`), decimals (`3.5`, `.5`), quotients (`7/2`, `½`), mixed
numbers (`3 1/2`, `3½`), scientific notation (`1.5e3`), and a leading sign and currency sign in either order. What
follows the number is ignored: `%` and words such as `million` are units, so `50%` is 50, as in GSM8K's targets, and
never 1/2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

ANSWER_MARKER = "####"
"""The marker before the final number of an answer in GSM8K's form."""

MAX_DIGITS = 100
"""A longer run of digits, or a greater power of ten, is no number. Python can be set to refuse texts of 641 digits and
more (`sys.set_int_max_str_digits`); quotients of the numbers that pass stay below that."""


@dataclass(frozen=True)
class Number:
    """An exact number and the half-open character range that it was parsed from, signs included."""

    value: Fraction
    start: int
    stop: int


# Atomic groups and possessive quantifiers keep every pattern linear: a run of digits matches whole or not at all.
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
_GOES_ON = re.compile(r"[\w!⁺⁻]")  # 5², 5! and 0x10 are other numbers than the one they begin with


def numbers_in(text: str) -> list[Number]:
    """Return every number of `text`, in order: three for `1, 2, 3`, and three for a date, `10/12/2020`."""
    return [number for match in _NUMBER.finditer(text) for number in _numbers_of(match)]


def last_number(text: str) -> Number | None:
    """Return the last number of `text`, or None. Time is linear in the length of the text."""
    for match in reversed(list(_NUMBER.finditer(text))):
        for number in reversed(list(_numbers_of(match))):
            return number
    return None


def target_of(answer: str) -> Fraction:
    """Return the exact number after the last `####` of a worked answer.

    Raises `ValueError` where there is no `####`, or where its line does not start with its only number, or where that
    goes on, as in `#### 5²`: a target is never guessed, and the sign of `#### - 10` would be lost.
    """
    _, marker, after = answer.rpartition(ANSWER_MARKER)
    if not marker:
        raise ValueError(
            f"expected an answer that ends in '{ANSWER_MARKER} N', got no '{ANSWER_MARKER}' in {_excerpt(answer)}"
        )
    line = after.strip().partition("\n")[0]
    if len(line) <= MAX_DIGITS and line.isascii() and line.isdecimal():  # the common case, faster
        return Fraction(int(line))
    matches, numbers = list(_NUMBER.finditer(line)), numbers_in(line)
    # A part that is no number, as it has too many digits, must not hide: `1/9…9` is not 1.
    whole = len(matches) == len(numbers) == 1 and numbers[0].stop == matches[0].end()
    whole = whole and not _GOES_ON.match(line, numbers[0].stop)
    if not whole or numbers[0].start > 0:
        raise ValueError(f"expected one number, right after the last '{ANSWER_MARKER}', got {_excerpt(line)}")
    return numbers[0].value


def _numbers_of(match: re.Match[str]) -> Iterator[Number]:
    """Yield the number of a match, or one for each run of digits where these do not form a single number."""
    sign = -1 if match["sign"] or match["inner"] else 1
    whole = _value(match["whole"] or "0")
    rest = _quotient(match["chain"] or unicodedata.normalize("NFKC", match["vulgar"]))
    if whole is not None and rest is not None and (not match["whole"] or 0 < rest < 1):
        yield Number(sign * (whole + rest), match.start(), match.end())
        return
    for index, part in enumerate(_PART.finditer(match.string, *match.span())):
        value = _value(part[0])
        if value is not None:  # the sign is that of the first part
            yield Number(value if index else sign * value, part.start() if index else match.start(), part.end())


def _quotient(chain: str) -> Fraction | None:
    """Return the value of `7` or `7/2`; None for more parts (a date), a division by zero, or an invalid part."""
    above, slash, below = chain.replace("⁄", "/").partition("/")
    if not slash:
        return _value(above)
    if "/" in below:
        return None
    numerator, denominator = _value(above), _value(below)
    return numerator / denominator if numerator is not None and denominator else None


def _value(digits: str) -> Fraction | None:
    """Return the value of unsigned digits; None for too many digits or too great a power of ten."""
    mantissa, _, exponent = digits.strip().replace(",", "").lower().partition("e")
    if len(mantissa.replace(".", "")) > MAX_DIGITS or len(exponent) > 4 or abs(int(exponent or 0)) > MAX_DIGITS:
        return None
    return Fraction(f"{mantissa}e{exponent or 0}")


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 60 else f"…{text[-60:]}")
