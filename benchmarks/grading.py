r"""Grade generated texts: extract the answer, and compare exact numbers. The rule, with examples: `docs/grading.md`.

A final-answer marker wins over the last number of the text. The markers, strongest first: `#### N` and `\boxed{N}`;
`the answer is N`; a short line `A: N`; a short `**N**` on the last line. The later of two equally strong markers wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from models.stop_rule import HEADING_VERB, THOUGHT, THOUGHT_END
from noise.problems.problem import NoisyProblem
from noise.text.number_parsing import Number, last_number, numbers_in
from reports.store.records import Outcome, Prediction

if TYPE_CHECKING:  # torch stays out of grading
    from models.decode.generation import Generation

# Every pattern is bounded or possessive, so that time stays linear in the length of any text.
_LATEX = (
    (re.compile(r"(?<=[0-9])(?:\{,\}|,\\!|\\[,! ])(?=[0-9]{3})"), ","),  # 1{,}450 and 1\,450
    (re.compile(r"(?<=\w) ?\\[dt]?frac(?![a-z])"), r" \\frac"),  # 3\frac{1}{2} is a mixed number
    (re.compile(r"\\[dt]?frac ?\{ ?([0-9.,-]{1,40}+) ?\} ?\{ ?([0-9.,]{1,40}+) ?\}"), r"\1/\2"),
    (re.compile(r"\\[dt]?frac ?([0-9]) ?([0-9])"), r"\1/\2"),
    (re.compile(r"\\([$%])"), r"\1"),
)
_EMPHASIS = re.compile(r"(?<![\w\\])_{1,3}(?=[-+−]?[.0-9])")  # _-10_: an underscore is a letter to \b and \w
#: Part of every prediction. Raise it when a change here can change a verdict: stored texts are then graded again.
GRADING_VERSION = "4"
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
_REACH = 400
"""The number of characters after a marker that may belong to it, less a number that goes on behind them."""
_IN_NUMBERS = "0123456789.,/⁄eE+- "


def is_correct(text: str, target: Fraction | int) -> bool:
    """Return whether the answer in `text` is exactly `target`. Raises `TypeError` for a target that is not exact."""
    if not isinstance(target, Fraction | int):
        raise TypeError(f"expected the target as a Fraction or an int, got {type(target).__name__} {target!r:.60}")
    return extract_answer(text) == target


def extract_answer(text: str) -> Fraction | None:
    """Return the exact number that `text` answers with, or None if it has no number. Never raises, on any text."""
    text = _plain(_after_thought(text))
    number = _final_answer(text) or _marked(text, _FINAL, _heading) or last_number(text)
    return number.value if number else None


def marked_answer(text: str) -> Fraction | None:
    """Return the number of a final-answer marker, or None: all that counts in a text that was cut off.

    The marker's sentence, or box, must have ended before the cut, which may have come in the middle of a number.
    """
    text = _plain(_after_thought(text))
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if match.end() < len(text) or match[0] == "\n"]
    number = _final_answer(text[: ends[-1] if ends else 0])
    box = text.rfind("\\boxed{")
    if box >= max(ends, default=0):
        inside = text[box + len("\\boxed") :]
        if _closing(inside) < len(inside):
            number = _boxed("\\boxed", inside) or number
    return number.value if number else None


def _after_thought(text: str) -> str:
    """Return `text` without what a model thinks before its answer, `<think>…</think>`, even if it never ends."""
    return text.rpartition(THOUGHT_END)[2].partition(THOUGHT)[0]


def grade(problem: NoisyProblem, generation: Generation) -> Prediction:
    """Return the graded prediction of one generation.

    An answer that the token limit cut off before any final-answer marker is `truncated`, whatever number it ends in.
    """
    return graded_text(problem, generation.text, generation.tokens, generation.finished)


def graded_text(problem: NoisyProblem, text: str, tokens: int, finished: bool) -> Prediction:
    """Return the prediction that a text comes to; it is not `finished` where the token limit cut it off."""
    outcome, answer = _verdict(text, finished, str(problem.problem.target))
    return _prediction(problem, outcome, text=text, tokens=tokens, answer=answer, finished=finished)


def graded_again(stored: Prediction, gold: str, target: str) -> Prediction | None:
    """Return `stored` graded by this code against a worked answer and its number; None where it was graded so already.

    The gold answer, or the grading code, may have changed since.
    """
    if (stored.gold, stored.target, stored.grading) == (gold, target, GRADING_VERSION) or stored.outcome == "error":
        return None
    finished = stored.finished and stored.outcome != "truncated"
    outcome, answer = _verdict(stored.text, finished, target)
    return replace(
        stored, gold=gold, target=target, outcome=outcome, answer=answer, finished=finished, grading=GRADING_VERSION
    )


def _verdict(text: str, finished: bool, target: str) -> tuple[Outcome, str | None]:
    """Return the outcome of a text and the answer read from it. `target` is an exact number as text."""
    answer = extract_answer(text) if finished else marked_answer(text)
    if answer is None:
        return "no_answer" if finished else "truncated", None
    return "correct" if str(answer) == target else "incorrect", str(answer)


def failed_prediction(problem: NoisyProblem, error: str) -> Prediction:
    """Return the prediction of a problem that ended in an error; `error` is the traceback."""
    return _prediction(problem, "error", error=error)


def _prediction(
    problem: NoisyProblem,
    outcome: Outcome,
    text: str = "",
    tokens: int = 0,
    answer: str | None = None,
    error: str | None = None,
    finished: bool = True,
) -> Prediction:
    return Prediction(
        id=problem.problem.id,
        question=problem.question,
        spans=problem.spans,
        gold=problem.problem.answer,
        target=str(problem.problem.target),
        text=text,
        answer=answer,
        outcome=outcome,
        tokens=tokens,
        error=error,
        finished=finished,
        grading=GRADING_VERSION,
    )


def _plain(text: str) -> str:
    """Return `text` with numbers in LaTeX or between underscores rewritten as plain ones."""
    if "_" in text:
        text = _EMPHASIS.sub("", text)
    if "\\" in text or "{,}" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    return text


def _final_answer(text: str) -> Number | None:
    last_line = text.rstrip().rpartition("\n")[2]
    return (
        _marked(text, _FINAL, _boxed)
        or _marked(text, _SAYS, _in_sentence)
        or _marked(text, _LABEL, _short)
        or _marked(last_line, _BOLD, _bold)
    )


def _marked(text: str, marker: re.Pattern[str], read: Callable[[str, str], Number | None]) -> Number | None:
    """Return the number that `read(marker, text after it)` finds at the last marker where it finds one."""
    end = len(text)
    for match in reversed(list(marker.finditer(text))):
        stop = match.end() + _REACH
        after = text[match.end() : min(end, stop)]
        number = read(match[0], after.rstrip(_IN_NUMBERS) if stop < end else after)
        if number:
            return number
        end = match.start()
    return None


def _boxed(marker: str, after: str) -> Number | None:
    """Return the number of `#### N` or `\\boxed{N}`."""
    box = after.lstrip()
    if marker != "####" and box.startswith("{"):
        return _in_sentence(marker, box[1 : _closing(box)].replace("\n", " "))
    first = _directly(after)
    # `####` is also a heading in Markdown: `#### 2. Add up` and `#### 2 numbers are given` hold no answer.
    if first is None or _HEADING.match(after, first.stop):
        return None
    is_heading = marker == "####" and HEADING_VERB.match(after, first.stop)
    return None if is_heading else _in_sentence(marker, after)


def _heading(marker: str, after: str) -> Number | None:
    """Return the number of `#### N …` that reads as a heading: it is the answer where no other marker is."""
    first = _directly(after) if marker == "####" else None
    return first if first and HEADING_VERB.match(after, first.stop) else None


def _in_sentence(_: str, after: str) -> Number | None:
    """Return the number of the next sentence: the result of its last `=`, the number it begins with, or its last."""
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
    """Return the number that follows directly, if only a unit comes after it on its line."""
    first = _directly(after)
    return first if first and _UNIT.fullmatch(after[first.stop :].partition("\n")[0]) else None


def _bold(_: str, after: str) -> Number | None:
    """Return the number in `**N**`, if only a unit comes with it."""
    return _short(_, after.partition("**")[0])


def _directly(after: str) -> Number | None:
    """Return the number that `after` begins with, ignoring white space, currency, bold marks and brackets."""
    first = next(iter(numbers_in(after)), None)
    return first if first and _OPENING.fullmatch(after, 0, first.start) else None


def _closing(box: str) -> int:
    """Return the index of the brace that closes the one `box` begins with, or the end of `box`."""
    depth = 0
    for brace in re.finditer(r"[{}]", box):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(box)
