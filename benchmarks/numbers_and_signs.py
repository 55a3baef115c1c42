"""Split a worked answer into runs of numbers, signs of calculation and `=`: `6 trays x 12 = 72 rolls` has `6*12=72`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from benchmarks.plain_numbers import plain_numbers
from noise.text.equations import number_words_to_digits
from noise.text.number_parsing import MAX_DIGITS

_NUMBER = r"(?>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]++)(?:\.[0-9]++)?|\.[0-9]++"
_MIXED = r"[0-9]{1,4}[ ][0-9]{1,3}/[0-9]{1,3}(?![0-9/])"
_FILLERS = frozenset(("a", "total", "of", "only", "exactly", "just", "about", "approximately", "roughly", "around"))
ABOUT = frozenset(("about", "approximately", "roughly", "around", "≈"))
_VARIABLES = frozenset("bcdefjnopqrtuvwxyz")  # the other letters are units, or a word
_TOKEN = re.compile(
    rf"""
    (?P<number>{_MIXED}|{_NUMBER})(?P<percent>[ ]?%|[ ]percent\b|[ ]per[ ]cent\b)?
    |(?P<operator>[-+*/])|(?P<open>[(\[{{])|(?P<close>[)\]}}])
    |(?P<equals>=|≈|\b(?:is[ ]equal[ ]to|equals?|is|makes?|gives?|leaves?|comes?[ ]to|totals?)\b)
    |(?P<word>[^\W\d_]++(?:['’-][^\W\d_]++)*+)
    |(?P<other>[^\s])|(?P<line>\n)
    """,
    re.VERBOSE,
)
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_PART_OF = re.compile(rf"\b(?:(a|an|[0-9]{{1,2}})[- ])?({'|'.join(_PARTS)})s? of\b")
_REWRITTEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?m)^[ \t]*(?:[-*•]|[0-9]{1,2}[.)])[ \t]+"), ""),  # the mark of a list's item
    (re.compile(r"\*{2,}|[$€£¥₹¢\\]"), " "),
    (re.compile(r"(?<=[0-9%])[ ]of\b"), " *"),
    (re.compile(r"\b(?:twice|double)[ ](?=[0-9])"), "2 * "),
    (re.compile(r"\bmultiplied by\b|[×·∙⋅]|\btimes\b|(?<=[\s0-9)])x(?=\s{0,3}[.0-9(])"), "*"),
    (re.compile(r"\bdivided by\b|÷"), "/"),
    (re.compile(r"\bplus\b|\badded to\b"), "+"),
    (re.compile(r"\bminus\b|[−–]"), "-"),
    (re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])"), " per "),  # rolls/tray
)
_MAX_UNIT = 4
"""The most words of a unit, as `rolls per tray`."""


@dataclass(frozen=True)
class CalculationToken:
    """A number, sign, bracket, `=`, word or other character, and where it starts. A number may be written per cent, and
    has so many decimals.
    """

    kind: str
    text: str
    start: int
    number: Fraction = Fraction(0)
    percent: bool = False
    decimals: int = 0


UNKNOWN = CalculationToken("unknown", "", 0)
"""Stands in the place of the `x` of `3 + x`, which is then no calculation."""


def tidied(text: str) -> str:
    """Return `text` with numbers and signs of calculation in the plain notation of `calculation_runs`."""
    text = number_words_to_digits(plain_numbers(text))
    text = _PART_OF.sub(lambda part: f"{part[1] if (part[1] or 'a')[0] != 'a' else 1}/{_PARTS[part[2]]} *", text)
    for pattern, plain in _REWRITTEN:
        text = pattern.sub(plain, text)
    return text


def calculation_runs(text: str, offset: int) -> Iterator[list[CalculationToken]]:
    """Yield the longest runs of numbers, operators, brackets and `=`, without the units between them.

    The text comes from `tidied`; `offset` is added to the positions in it.
    """
    tokens = [_token(match, offset) for match in _TOKEN.finditer(text)]
    run: list[CalculationToken] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        after = run[-1].kind if run else ""
        if token.kind in ("number", "operator", "open", "close", "equals"):
            if token.kind == "number" and after in ("number", "close"):
                yield run
                run = []
            if not run and i and _is_variable(tokens, i - 1):
                run.append(UNKNOWN)
            if token.text == "/" and after in ("number", "close") and _word_at(tokens, i + 1):
                i += 2  # 12/hour
                continue
            run.append(token)
            i += 1
            continue
        end = i
        while end < min(len(tokens), i + _MAX_UNIT) and _word_at(tokens, end):
            end += 1
        following = tokens[end].kind if end < len(tokens) else ""
        is_unit = after in ("number", "close") and following in ("operator", "equals", "close")
        is_filler = after == "equals" and following == "number" and {t.text for t in tokens[i:end]} <= _FILLERS
        if end > i and (is_unit or is_filler):
            if is_filler and any(t.text in ABOUT for t in tokens[i:end]):
                run[-1] = CalculationToken("equals", "≈", run[-1].start)
            i = end
            continue
        if run and _is_variable(tokens, i):
            run.append(UNKNOWN)
        yield run
        run = []
        i = max(end, i + 1)
    yield run


def _word_at(tokens: list[CalculationToken], i: int) -> bool:
    return i < len(tokens) and tokens[i].kind == "word" and not _is_variable(tokens, i)


def _is_variable(tokens: list[CalculationToken], i: int) -> bool:
    """Return whether a letter stands for a number: `x` always, and `a` next to an operator that follows no number."""
    if tokens[i].text in _VARIABLES:
        return True
    before, after = (tokens[j].kind if 0 <= j < len(tokens) else "" for j in (i - 1, i + 1))
    is_letter = tokens[i].kind == "word" and len(tokens[i].text) == 1
    return is_letter and (before == "operator" or (after == "operator" and before not in ("number", "close", "word")))


def _token(match: re.Match[str], offset: int) -> CalculationToken:
    if not match["number"]:
        return CalculationToken(match.lastgroup or "other", match[0], match.start() + offset)
    digits = match["number"].replace(",", "")
    if len(digits) > MAX_DIGITS:
        return CalculationToken("other", match[0], match.start() + offset)
    whole, space, part = digits.rpartition(" ")
    above, slash, below = part.partition("/")
    if slash and not int(below):
        return CalculationToken("other", match[0], match.start() + offset)
    number = Fraction(above) / Fraction(below or 1) + (Fraction(whole) if space else 0)
    decimals = len(digits.partition(".")[2])
    return CalculationToken("number", match[0], match.start() + offset, number, bool(match["percent"]), decimals)
