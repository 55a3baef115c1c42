"""Say by rule what is wrong with a wrong answer. What the rule was measured at and what it misses: `docs/grading.md`.

A wrong answer gets the first kind that fits:

1. `no_answer`: no number could be read from it, or the token limit cut it off. There is nothing to look at.
2. `noise_number`: it calculates with a number that only the noise has, says that a false calculation comes to one, or
   answers with one. Wherever it does so: such a number can come from nowhere else, and it is what the noise is for.
3. `arithmetic`: done again without slips, its own calculations come to the target. Its numbers and operations are
   right then, though the worked answer may have others.
4. The first calculation that goes wrong decides. It is `unstated_number` if it has a number that neither the problem,
   the worked answer nor an earlier calculation has; else `wrong_operation` if it comes, done right, to a value that
   the worked answer does not pass through: numbers of the problem that do not go together so, or one calculation too
   many; else `arithmetic`, if it is false.
5. `stopped_early`: every calculation is right, and the answer is a value on the way to the target.
6. `other`: none of these, as a number without a calculation, or a result that was copied wrongly.

No kind says why a model went wrong. A noise without numbers, as `sd`, has no `noise_number`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, get_args

from benchmarks.arithmetic_expressions import Term
from benchmarks.calculations_in_answers import Step, steps_in
from benchmarks.grading import after_thought
from benchmarks.number_sources import NumberSources, number_sources
from benchmarks.numbers_and_signs import tidied
from noise.text.number_parsing import numbers_in

Fault = Literal[
    "no_answer", "noise_number", "unstated_number", "wrong_operation", "arithmetic", "stopped_early", "other"
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
#: Said of the noise by an answer that does not use it.
_DISMISSED = re.compile(
    r"irrelevant|not relevant|unrelated|\bignor|not need|n[o'’]t (?:affect|matter|part of)|no bearing|unnecessary"
    r"|extraneous|red herring|distract|nothing to do with",
)
_CLOSE = Fraction(1, 200)
"""Values that are no further apart than this are the same: one of them may have been rounded to cents."""
_LONGEST_TERM = 20
"""The most numbers of a term of which other orders are looked at."""


def fault_of(
    text: str,
    answer: str | None,
    outcome: str,
    target: str,
    gold: str,
    question: str,
    spans: Sequence[tuple[int, int]],
) -> Fault | Literal[""]:
    """Return what is wrong with a wrong answer, or "" for an outcome that is none: correct, error or measured.

    The arguments are those of a `Prediction`: `question` holds the noise, whose half-open character ranges are `spans`;
    `target` and `answer` are exact numbers as text. No exception is raised for any `text`, `gold` or `question`.
    """
    if outcome in ("no_answer", "truncated"):
        return "no_answer"
    if outcome != "incorrect":
        return ""
    plain = tidied(after_thought(text))
    steps = steps_in(plain)
    sources = number_sources(gold, question, spans)
    given = Fraction(answer) if answer is not None else None
    if _uses_noise(plain, steps, given, sources.noise):
        return "noise_number"
    way = _way(gold, Fraction(target))
    if _done_again(steps, given) == way.target:
        return "arithmetic"
    wrong = _first_wrong(plain, steps, sources, way)
    if wrong:
        return wrong
    return "stopped_early" if given in (way.values if steps else way.results) else "other"


@dataclass(frozen=True)
class _Way:
    """The way of the worked answer: the `results` of its calculations, and all `values` that it may pass through.

    Both are without the target. The values are also those of its sums and products in another order. `steps` has what
    the calculations with certain numbers, in ascending order, come to.
    """

    target: Fraction
    results: frozenset[Fraction]
    values: frozenset[Fraction]
    steps: Mapping[tuple[Fraction, ...], set[Fraction]]

    def has(self, step: Step) -> bool:
        """Return whether a calculation, done right, is one of the way or comes to a value of it.

        A calculation with the numbers of one of the worked answer's must come to what that comes to.
        """
        numbers = tuple(sorted(step.numbers))
        if numbers in self.steps:
            return step.value in self.steps[numbers]
        return any(abs(abs(step.value) - value) <= _CLOSE for value in (*self.values, self.target))


def _way(gold: str, target: Fraction) -> _Way:
    # An annotation says again what stands before it.
    steps = {(step.numbers, step.result): step for step in steps_in(tidied(gold))}.values()
    terms: dict[Fraction, Term] = {}
    results: set[Fraction] = set()
    values: set[Fraction] = set()
    by_numbers: dict[tuple[Fraction, ...], set[Fraction]] = defaultdict(set)
    for step in steps:
        whole = step.term.inlined(terms)
        whole = whole if len(whole.numbers) <= _LONGEST_TERM else step.term
        terms[step.result] = whole
        results |= {step.result} | step.term.values()
        values |= {step.result} | step.term.values() | whole.values()
        by_numbers[tuple(sorted(step.numbers))].add(step.value)
    return _Way(target, frozenset(results - {target}), frozenset(values - {target}), dict(by_numbers))


def _uses_noise(plain: str, steps: list[Step], given: Fraction | None, noise: frozenset[Fraction]) -> bool:
    """Return whether an answer uses a number of the noise, outside of sentences that say that it does not matter.

    An answer without a calculation uses what it mentions. The result of an earlier calculation is no noise.
    """
    if not noise:
        return False
    dismissed = _dismissed(plain)
    results: set[Fraction] = set()
    for step in steps:
        if _is_in(step.start, dismissed):
            continue
        used = {*step.numbers} - results
        if used & noise or (not step.holds and step.result in noise):
            return True
        results |= {step.result} | step.term.values()
    if given in noise and given not in results:
        return True
    mentioned = () if steps else numbers_in(plain)
    return any(number.value in noise and not _is_in(number.start, dismissed) for number in mentioned)


def _dismissed(plain: str) -> list[tuple[int, int]]:
    """Return the character ranges of the sentences that say of something that it does not matter."""
    ends = [0, *(match.end() for match in _SENTENCE_END.finditer(plain)), len(plain)]
    return [(start, stop) for start, stop in pairwise(ends) if _DISMISSED.search(plain, start, stop)]


def _is_in(position: int, ranges: list[tuple[int, int]]) -> bool:
    i = bisect_right(ranges, (position, math.inf))  # the ranges are in order
    return i > 0 and position < ranges[i - 1][1]


def _done_again(steps: list[Step], given: Fraction | None) -> Fraction | None:
    """Return what the last calculation of the answer comes to if each result that it builds on is put right."""
    right: dict[Fraction, Fraction] = {}
    final: Fraction | None = None
    for step in steps:
        value = step.value_with(right)
        if value is None:
            return None
        if value != step.result:
            right[step.result] = value
        if step.result == given:
            final = value
    return final


def _first_wrong(plain: str, steps: list[Step], sources: NumberSources, way: _Way) -> Fault | None:
    """Return what is wrong with the first calculation that goes wrong, or None. A number that the text states before it
    calculates with it, and that one calculation with the problem's numbers comes to, was calculated in the head.
    """
    results: set[Fraction] = set()
    by_result: dict[Fraction, set[tuple[Fraction, ...]]] = defaultdict(set)
    numbers = numbers_in(plain)
    for step in steps:
        for number in set(step.numbers) - results - sources.known:
            stated = any(other.value == number and other.start < step.start for other in numbers)
            if not (stated and sources.lead_to(number)):
                return "unstated_number"
        # A value that an earlier calculation had with other numbers was reached by chance, unless the way has it twice.
        again = by_result[step.value] - {step.numbers} and tuple(sorted(step.numbers)) not in way.steps
        if again or not way.has(step):
            return "wrong_operation"
        if not step.holds:
            return "arithmetic"
        by_result[step.result].add(step.numbers)
        results |= {step.result} | step.term.values()
    return None
