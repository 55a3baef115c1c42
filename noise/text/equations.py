"""Equations written out in a sentence, parsed and recomputed independently of the code that wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from noise.text.word_lists import NUMBER_WORDS, word_list

_TENS = {word: value for word, value in NUMBER_WORDS.items() if 20 <= value <= 90}
_ONES = {word: value for word, value in NUMBER_WORDS.items() if 1 <= value <= 9}
_SMALL = {word: value for word, value in NUMBER_WORDS.items() if value <= 19 and word != "dozen"}
_FIRST = "".join(sorted({word[0] for word in (*_TENS, *_SMALL)}))  # lets the regex skip other words quickly
_SPELLED = re.compile(
    rf"\b(?=[{_FIRST}])"
    rf"(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<ones>{'|'.join(_ONES)}))?|(?P<small>{'|'.join(_SMALL)}))\b"
)
_SIGNS = {
    sign: operator
    for operator, signs in (
        ("*", ("multiplied by", "times", "×", "*")),
        ("/", ("divided by", "over", "÷", "/")),
        ("+", ("added to", "plus", "+")),
        ("-", ("minus", "less", "−", "–", "-")),
    )
    for sign in signs
}
_OPERATOR = re.compile(rf"(?<=[\d\s])(?:{'|'.join(map(re.escape, _SIGNS))})(?=[\s\d])")
_TIGHT = re.compile(r"(\d)([*/+]|-(?=\s))")
_N = r"(\d[\d,]*(?:\.\d+)?)"
_MINUS = "(?:minus|less|−|–|-)"  # "7-8" is a range: a minus has a space on one side
_OP = (
    r"\s*([*/+]|(?<=[\d\s])(?:×|÷|times|plus|multiplied by|divided by|over|added to)"
    rf"|(?<=\s){_MINUS}|(?<=\d){_MINUS}(?=\s))\s*"
)
_EQUALS = (
    r"\s*,?\s*(?:=|is|makes?|equals?|gives?|leaves?|comes? to|amounts? to|adds? up to|works? out (?:at|as)|yields?)\s*"
)
#: The words of `_EQUALS`, and those behind "together": without one of them there is no equation.
_RESULT_WORDS = frozenset(
    word_list(
        """
        = is make makes equal equals give gives leave leaves come comes amount amounts add adds work works yield yields
        """
    )
)
_CHAIN = re.compile(rf"{_N}((?:{_OP}{_N})+){_EQUALS}{_N}")
_STEP = re.compile(rf"{_OP}{_N}")
_TOGETHER = r"(?:together )?(?:make|add up to|come to)"
_PAIR = re.compile(r"[\d,] and \d")
_OF_PAIRS = (
    (re.compile(rf"\bsum of {_N} and {_N}{_EQUALS}{_N}"), "+"),
    (re.compile(rf"\bproduct of {_N} and {_N}{_EQUALS}{_N}"), "*"),
    (re.compile(rf"\bdifference between {_N} and {_N}{_EQUALS}{_N}"), "-"),
    (re.compile(rf"\bquotient of {_N} and {_N}{_EQUALS}{_N}"), "/"),
    (re.compile(rf"(?<![*/+]\s){_N} and {_N} {_TOGETHER} {_N}"), "+"),
)
_PARTS = {"half": 2, "a third": 3, "one third": 3, "a quarter": 4, "one quarter": 4, "a fifth": 5, "a tenth": 10}
_PART = re.compile(rf"\b({'|'.join(_PARTS)}) of {_N}{_EQUALS}{_N}")
_DOUBLE = re.compile(rf"\b(?:double|twice) {_N}{_EQUALS}{_N}")


@dataclass(frozen=True)
class Equation:
    """A calculation as written: its numbers as text, the result last, and whether it is true."""

    numbers: tuple[str, ...]
    holds: bool


def number_words_to_digits(text: str) -> str:
    """Return `text` in lower case, with the number words from zero to ninety-nine as digits."""

    def digits(match: re.Match[str]) -> str:
        if match["small"]:
            return str(_SMALL[match["small"]])
        return str(_TENS[match["tens"]] + (_ONES[match["ones"]] if match["ones"] else 0))

    return _SPELLED.sub(digits, text.lower())


def _number(text: str) -> Fraction | int:
    plain = text.replace(",", "")
    return int(plain) if plain.isdecimal() else Fraction(plain)


def _value(first: str, steps: list[tuple[str, str]]) -> Fraction | int | None:
    """Return the value of a chain of operations, × and ÷ before + and −; None for a division by zero."""
    terms = [_number(first)]
    for operator, text in steps:
        number = _number(text)
        if operator == "*":
            terms[-1] *= number
        elif operator == "/":
            if number == 0:
                return None
            terms[-1] = Fraction(terms[-1]) / number
        else:
            terms.append(number if operator == "+" else -number)
    return sum(terms)


def may_hold_an_equation(words: Iterable[str]) -> bool:
    """Return whether a text with these words, in lower case, has one that stands before a result."""
    return not _RESULT_WORDS.isdisjoint(words)


def equations_in(text: str) -> list[Equation]:
    """Return every calculation with a result in `text`: `7 × 8 = 56`, `seven times eight is 56`, `half of 18 is 9`."""
    return equations_in_digits(number_words_to_digits(text))


def equations_in_digits(plain: str) -> list[Equation]:
    """Return the equations of a text that comes from `number_words_to_digits`."""
    equations = []
    for match in _CHAIN.finditer(plain):
        steps = [(_SIGNS[m[1]], m[2]) for m in _STEP.finditer(plain, *match.span(2))]
        result = match[match.lastindex or 0]
        value = _value(match[1], steps)
        equations.append(Equation((match[1], *(n for _, n in steps), result), value == _number(result)))
    if " and " in plain and _PAIR.search(plain):
        # "3 × 4 and 5 make 9": the 4 belongs to the product
        plain = _TIGHT.sub(r"\1 \2", _OPERATOR.sub(lambda match: _SIGNS[match[0]], plain))
        for pattern, operator in _OF_PAIRS:
            for match in pattern.finditer(plain):
                value = _value(match[1], [(operator, match[2])])
                equations.append(Equation((match[1], match[2], match[3]), value == _number(match[3])))
    for match in _PART.finditer(plain) if " of " in plain else ():
        equations.append(Equation((match[2], match[3]), _number(match[2]) == _PARTS[match[1]] * _number(match[3])))
    for match in _DOUBLE.finditer(plain) if "double " in plain or "twice " in plain else ():
        equations.append(Equation((match[1], match[2]), _number(match[1]) * 2 == _number(match[2])))
    return equations
