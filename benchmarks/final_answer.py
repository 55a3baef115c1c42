r"""Find the final answer in a text whose numbers are plain (`plain_numbers`). The rule: `docs/grading.md`.

A final-answer marker wins over the last number of the text. The markers, strongest first: `#### N` and `\boxed{N}`;
`the answer is N`; a short line `A: N`; a short `**N**` on the last line. The later of two equally strong markers wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from benchmarks.plain_numbers import UNREADABLE, opened
from models.stop_rule import HEADING_VERB
from noise.text.number_parsing import Number, last_number, numbers_in

# Every pattern is bounded or possessive, so that time stays linear in the length of any text.
_FINAL = re.compile(r"####|\\boxed\b")
_SAYS = re.compile(r"\banswer\b[^.\n:=0-9]{0,40}?\b(?:is|was|equals|would be|will be)\b", re.IGNORECASE)
_LABEL = re.compile(
    r"^[ \t*#_>]{0,8}(?:a|(?:so )?(?:the )?(?:final |correct )?answer)[ \t*_]{0,4}[:=]", re.IGNORECASE | re.MULTILINE
)
_BOLD = re.compile(r"\*\*(?=[^*]{1,60}+\*\*)")
_OPENING = re.compile(r"[\s*_$({\[:=≈~\\]{0,12}+")
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)")
_OPERATOR = re.compile(r"\s*(?:[-+*/×÷−]|x\b)\s*[$0-9(]")
_REASON = re.compile(r"[(\[]|\b(?:since|because|as)\b", re.IGNORECASE)
_HEADING = re.compile(r"[.):][ \t]+\w")
_UNIT = re.compile(r"(?:[^\s0-9]{1,24}+[ \t]*+|[ \t]++){0,3}")
_ASIDE = re.compile(
    r"(?!\()[ \t*_$]*+"  # in `3(98)` the bracket is a factor
    r"(?:(?!(?:since|because|as)\b)(?:[^\W\d_]|[%°¢$€£'\"])[^\s0-9()\[\],;.!=<>*]{0,23}+[ \t*_$]*+){0,2}+"
    r"(?:(?P<reason>[(\[]|(?:since|because|as)\b)|[,;!]|\.(?![0-9]))",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\s*(?:and|so|then|thus|therefore|hence|next|now|in all|in total|altogether)\b", re.IGNORECASE)
_LIST = re.compile(r"(?:[ \t]*+(?:[,;]|and\b|or\b|,[ \t]*+(?:and|or)\b)[ \t$]*+[-−–]?[0-9][0-9.,/]*+)++[\s.)\]}$*\\]*+")
_PAIR = re.compile(r"[0-9][^=0-9]{0,6}(?:[,;]|\band\b)[^=0-9]{0,20}\Z")
_ITEM = re.compile(r"[.)]\*{0,2}[ \t]+(?=\S)")
_SECOND = re.compile(r"\n[ \t*]*+2[.)*]")
_REACH = 400
"""The number of characters after a marker that may belong to it, less a number that goes on behind them."""
_IN_NUMBERS = "0123456789.,/⁄eE+- "
_Answer = Number | Literal[False] | None
"""What a marker has: a number, None where a weaker marker counts, or False where it has an answer that is no number."""


def any_answer(text: str) -> Number | None:
    """Return the number that a plain text answers with, however weakly it is marked."""
    for read in (_final_answer, lambda text: _marked(text, _FINAL, _heading), _last):
        answer = read(text)
        if answer is not None:
            return answer or None
    return None


def finished_answer(text: str) -> Number | None:
    """Return the number of a final-answer marker whose sentence, or box, ended before the end of a plain text."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if match.end() < len(text) or match[0] == "\n"]
    number = _final_answer(text[: ends[-1] if ends else 0])
    box = text.rfind("\\boxed{")
    if box >= max(ends, default=0):
        inside = text[box + len("\\boxed") :]
        if _closing(inside) < len(inside):
            boxed = _boxed("\\boxed", inside)
            number = number if boxed is None else boxed
    return number or None


def _final_answer(text: str) -> _Answer:
    last_line = text.rstrip().rpartition("\n")[2]
    for part, marker, read in (
        (text, _FINAL, _boxed),
        (text, _SAYS, _in_sentence),
        (text, _LABEL, _short),
        (last_line, _BOLD, _bold),
    ):
        answer = _marked(part, marker, read)
        if answer is not None:
            return answer
    return None


def _marked(text: str, marker: re.Pattern[str], read: Callable[[str, str], _Answer]) -> _Answer:
    """Return what `read(marker, text after it)` finds at the last marker where it finds something."""
    end = len(text)
    for match in reversed(list(marker.finditer(text))):
        stop = match.end() + _REACH
        after = text[match.end() : min(end, stop)]
        answer = read(match[0], after.rstrip(_IN_NUMBERS) if stop < end else after)
        if answer is not None:
            return answer
        end = match.start()
    return None


def _boxed(marker: str, after: str) -> _Answer:
    """Return the number of `#### N` or `\\boxed{N}`."""
    box = after.lstrip()
    if marker != "####" and box.startswith("{"):
        return _in_sentence("\\boxed{", box[1 : _closing(box)].replace("\n", " "))
    after = opened(after)
    first = _directly(after)
    # `####` is also a heading in Markdown: `#### 2. Add up` and `#### 2 numbers are given` hold no answer.
    if not first:
        return first
    if _HEADING.match(after, first.stop):
        return None
    is_heading = marker == "####" and HEADING_VERB.match(after, first.stop)
    return None if is_heading else _in_sentence(marker, after)


def _heading(marker: str, after: str) -> _Answer:
    """Return the number of `#### N …` that reads as a heading: it is the answer where no other marker is."""
    first = _directly(after) if marker == "####" else None
    return first if first and HEADING_VERB.match(after, first.stop) else None


def _in_sentence(marker: str, after: str) -> _Answer:
    """Return the number of the next sentence: the result of its last `=`, the number it begins with, or its last."""
    after = _without_list_number(opened(after))
    first = _directly(after)
    end = _SENTENCE_END.search(after, first.stop if first else 0)
    sentence = after[: end.start() if end else len(after)]
    head, equals, result = sentence.rpartition("=")
    if first and equals and not _OPERATOR.match(sentence, first.stop) and _REASON.search(head, first.stop):
        return first  # the equation is an aside: `7 (since 3 + 4 = 7)`
    if marker == "\\boxed{" and "=" in head and _PAIR.search(head):
        return False  # `x = 3, y = 4`
    result = opened(result)
    given = _first(result) if equals else None
    if given is False or (given and not _OPERATOR.match(result, given.stop)):  # as it does in `29 = 24 + 5`
        return given
    if first and marker != "\\boxed" and _LIST.fullmatch(sentence, first.stop):
        return False  # `3, 4 and 5`
    return _last(sentence) if first is None else first


def _short(marker: str, after: str) -> _Answer:
    """Return the number that follows directly, if only a unit, or a unit and an aside, come after it on its line."""
    after = _without_list_number(opened(after))
    first = _directly(after)
    if not first:
        return first
    line, _, lines = after[first.stop :].partition("\n")
    if _LIST.fullmatch(line):
        return False
    if _UNIT.fullmatch(line):
        return first
    explicit = "answer" in marker.lower()
    return first if _has_aside(first, line, lines, explicit) else None


def _has_aside(number: Number, line: str, lines: str, explicit: bool) -> bool:
    """Return whether what stands behind `number` is a unit and an aside, and does not go on to another result.

    `A: 24 clips. Then 48 + 24 = 72` is a worked answer, and so is what goes on in more `lines`, but for an `explicit`
    label.
    """
    aside = None if _OPERATOR.match(line) else _ASIDE.match(line)
    if not aside:
        return False
    rest = line[aside.end() :]
    if aside["reason"] in ("(", "["):
        rest = rest.rpartition(")" if aside["reason"] == "(" else "]")[2]
    elif aside["reason"] and explicit:
        return True
    elif not explicit and (_GOES_ON.match(rest) or (line[aside.end() - 1] in ",;" and numbers_in(rest))):
        return False  # `A: 5 pens, 3 of them red`
    rest += "" if explicit else lines
    result = _first(rest.rpartition("=")[2]) if "=" in rest else number
    return result.value == number.value if result else False


def _bold(_: str, after: str) -> _Answer:
    """Return the number in `**N**`, if only a unit comes with it."""
    return _short("answer", after.partition("**")[0])


def _without_list_number(after: str) -> str:
    """Return `after` without the number of the one item it begins with: `\\n\\n1. 15 apples`.

    Nothing is left of the first of several items.
    """
    first = _directly(after)
    item = _ITEM.match(after, first.stop) if first and first.value == 1 else None
    if not first or not item:
        return after
    if _SECOND.search(after, item.end()):
        return ""
    if "\n" not in after[: first.start]:
        return after
    alone = opened(after[item.end() :])
    return alone if _directly(alone) is not None else ""


def _directly(after: str) -> _Answer:
    """Return the number that `after` begins with, ignoring white space, currency, bold marks and brackets."""
    first = _first(after)
    start = first.start if first else after.find(UNREADABLE)
    return first if _OPENING.fullmatch(after, 0, max(start, 0)) else None


def _first(text: str) -> _Answer:
    """Return the first number of `text`, or False where what stands there is no single number."""
    number = next(iter(numbers_in(text)), None)
    unread = text.find(UNREADABLE)
    if unread < 0:
        return number
    return number if number and text[number.stop : unread].strip(" +-−*/⁄×÷x") else False


def _last(text: str) -> _Answer:
    """Return the last number of `text`, or False where what stands there is no single number."""
    number = last_number(text)
    between = text[text.rfind(UNREADABLE) + 1 : number.start if number else 0]
    return number if UNREADABLE not in text or (number and between.strip(" /⁄")) else False


def _closing(box: str) -> int:
    """Return the index of the brace that closes the one `box` begins with, or the end of `box`."""
    depth = 0
    for brace in re.finditer(r"[{}]", box):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(box)
