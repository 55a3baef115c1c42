r"""Reads the answer from what a model wrote, and compares exact numbers. The rule, with examples: `docs/grading.md`.

A final-answer marker wins over the last number of the text. The markers, from strong to weak: `#### N` and `\boxed{N}`;
`the answer is N`; a short line `A: N`; a short `**N**` on the last line. Of two equally strong ones the later wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from noise.text.number_parsing import Number, last_number, numbers_in

# Every pattern is bounded or possessive, so that time stays linear in the length of the text, whatever it is.
_LATEX = (
    (re.compile(r"(?<=[0-9])(?:\{,\}|,\\!|\\[,! ])(?=[0-9]{3})"), ","),  # 1{,}450 and 1\,450
    (re.compile(r"(?<=\w) ?\\[dt]?frac(?![a-z])"), r" \\frac"),  # 3\frac{1}{2} is a mixed number
    (re.compile(r"\\[dt]?frac ?\{ ?([0-9.,-]{1,40}+) ?\} ?\{ ?([0-9.,]{1,40}+) ?\}"), r"\1/\2"),
    (re.compile(r"\\[dt]?frac ?([0-9]) ?([0-9])"), r"\1/\2"),
    (re.compile(r"\\([$%])"), r"\1"),
)
_FINAL = re.compile(r"####|\\boxed\b")
_SAYS = re.compile(r"\banswer\b[^.\n:=0-9]{0,40}?\b(?:is|was|equals|would be|will be)\b", re.IGNORECASE)
_LABEL = re.compile(
    r"^[ \t*#_>]{0,8}(?:a|(?:so )?(?:the )?(?:final |correct )?answer)[ \t*_]{0,4}[:=]", re.IGNORECASE | re.MULTILINE
)
_BOLD = re.compile(r"\*\*(?=[^*\n]{1,60}+\*\*)")
_OPENING = re.compile(r"[\s*_$({\[:=≈~\\]{0,12}+")
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)")
_OPERATOR = re.compile(r"\s*(?:[-+*/×÷−]|x\b)\s*[$0-9(]")
_REASON = re.compile(r"[(\[]|\b(?:since|because|as)\b", re.IGNORECASE)
_HEADING = re.compile(r"[.):][ \t]+\w")
_UNIT = re.compile(r"(?:[^\s0-9]{1,24}+[ \t]*+|[ \t]++){0,3}")
_REACH = 400
"""How many characters behind a marker may belong to it."""


def is_correct(text: str, target: Fraction | int) -> bool:
    """Whether the answer read from `text` is exactly `target`. Raises `TypeError` for a target that is not exact."""
    if not isinstance(target, Fraction | int):
        raise TypeError(f"expected the target as a Fraction or an int, got {type(target).__name__} {target!r:.60}")
    return extract_answer(text) == target


def extract_answer(text: str) -> Fraction | None:
    """The exact number that `text` ends up with, or None where it has no number. Never raises, on any text."""
    text = _plain(text)
    number = _final_answer(text) or last_number(text)
    return number.value if number else None


def marked_answer(text: str) -> Fraction | None:
    """The number of a final-answer marker alone, or None: what can be read of a text that was cut off."""
    number = _final_answer(_plain(text))
    return number.value if number else None


def _plain(text: str) -> str:
    """`text` with LaTeX's ways to write numbers undone."""
    if "\\" in text or "{,}" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    return text


def _final_answer(text: str) -> Number | None:
    last_line = text.rstrip().rpartition("\n")[2]
    return (
        _marked(text, _FINAL, _final)
        or _marked(text, _SAYS, _said)
        or _marked(text, _LABEL, _short)
        or _marked(last_line, _BOLD, _bold)
    )


def _marked(text: str, marker: re.Pattern[str], read: Callable[[str, str], Number | None]) -> Number | None:
    """What `read(marker, what follows it)` finds at the last marker where it finds anything."""
    end = len(text)
    for match in reversed(list(marker.finditer(text))):
        number = read(match[0], text[match.end() : min(end, match.end() + _REACH)])
        if number:
            return number
        end = match.start()
    return None


def _final(marker: str, after: str) -> Number | None:
    """The number of `#### N` or `\\boxed{N}`."""
    box = after.lstrip()
    if marker != "####" and box.startswith("{"):
        return _said(marker, box[1 : _closing(box)].replace("\n", " "))
    first = _directly(after)
    # `####` opens a heading in Markdown too: `#### 2. Add up` holds no answer.
    return None if first is None or _HEADING.match(after, first.stop) else _said(marker, after)


def _said(_: str, after: str) -> Number | None:
    """The number of the sentence that follows: the result of its last `=`, or the number it opens with, or its last."""
    first = _directly(after)
    end = _SENTENCE_END.search(after, first.stop if first else 0)
    sentence = after[: end.start() if end else len(after)]
    head, equals, result = sentence.rpartition("=")
    if first and equals and not _OPERATOR.match(sentence, first.stop) and _REASON.search(head, first.stop):
        return first  # the equation is an aside: `7 (since 3 + 4 = 7)`
    for number in numbers_in(result if equals else "")[:1]:
        if not _OPERATOR.match(result, number.stop):  # as it does in `29 = 24 + 5`
            return number
    return first or last_number(sentence)


def _short(_: str, after: str) -> Number | None:
    """The number that follows at once, where nothing but a unit stands behind it on its line."""
    first = _directly(after)
    return first if first and _UNIT.fullmatch(after[first.stop :].partition("\n")[0]) else None


def _bold(_: str, after: str) -> Number | None:
    """The number in `**N**`, where nothing but a unit stands beside it."""
    return _short(_, after.partition("**")[0])


def _directly(after: str) -> Number | None:
    """The number that `after` opens with, behind white space, currency, bold marks and brackets."""
    first = next(iter(numbers_in(after)), None)
    return first if first and _OPENING.fullmatch(after, 0, first.start) else None


def _closing(box: str) -> int:
    """Where the brace that opens `box` is closed, or else the end."""
    depth = 0
    for brace in re.finditer(r"[{}]", box):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(box)
