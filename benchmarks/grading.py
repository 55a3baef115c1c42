"""Grade generated texts: extract the answer, and compare exact numbers. The rule, with examples: `docs/grading.md`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from benchmarks.final_answer import any_answer, finished_answer
from benchmarks.plain_numbers import plain_numbers
from models.stop_rule import THOUGHT, THOUGHT_END
from noise.problems.problem import NoisyProblem
from reports.store.records import Outcome, Prediction

if TYPE_CHECKING:  # torch stays out of grading
    from models.decode.generation import Generation

#: Part of every prediction. Raise it when a change here can change a verdict: stored texts are then graded again.
GRADING_VERSION = "4"


def is_correct(text: str, target: Fraction | int) -> bool:
    """Return whether the answer in `text` is exactly `target`. Raises `TypeError` for a target that is not exact."""
    if not isinstance(target, Fraction | int):
        raise TypeError(f"expected the target as a Fraction or an int, got {type(target).__name__} {target!r:.60}")
    return extract_answer(text) == target


def extract_answer(text: str) -> Fraction | None:
    """Return the exact number that `text` answers with, or None if it has no number. Never raises, on any text."""
    number = any_answer(plain_numbers(after_thought(text)))
    return number.value if number else None


def marked_answer(text: str) -> Fraction | None:
    """Return the number of a final-answer marker, or None: all that counts in a text that was cut off.

    The marker's sentence, or box, must have ended before the cut, which may have come in the middle of a number.
    """
    number = finished_answer(plain_numbers(after_thought(text)))
    return number.value if number else None


def after_thought(text: str) -> str:
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
        factors=problem.factors,
    )
