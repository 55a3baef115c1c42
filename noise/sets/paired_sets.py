"""Paired sets: noisy questions beside the clean ones that they were made from, as others publish them.

{"question": "Ann has 3 pens. Bob has 9 hats. How many pens has Ann?", "answer": "#### 3",
 "original_question": "Ann has 3 pens. How many pens has Ann?"}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from noise.problems.jsonl import LONGEST_ID, line_id
from noise.problems.noisy_files import UNSEEDED
from noise.problems.problem import NoisyProblem, Problem, normalised, strip
from noise.problems.remote_files import is_url, local_copy
from noise.sets.place_insertions import Spans, placed_insertions
from noise.sets.table_rows import Row, read_rows, sha256_of
from noise.text.number_parsing import target_of

#: The fields that may hold the clean question, and those that may hold its answer.
ORIGINALS = ("original_question", "seed_question")
_CLEAN_ANSWERS = ("original_answer", "seed_solution", "seed_answer")
#: The fields that may hold the answer of the noisy question: `answer` is a number alone in sets with a `solution`.
_ANSWERS = ("solution", "answer")

#: A longer question, in characters, is none: the time of an alignment grows with the product of two lengths.
LONGEST_QUESTION = 10_000
#: Why a line cannot be used.
NO_OBJECT = "no JSON object"
NO_QUESTION = "no question"
NO_ORIGINAL = "no original question"
NO_ANSWER = "no answer that is a number"
TOO_LONG = f"a question of more than {LONGEST_QUESTION:,} characters"
UNCHANGED = "adds nothing to the original question"
REWORDED = "changes or drops words of the original question"
OTHER_ANSWER = "another answer than the clean problem's"
WRONG_SPANS = "spans that are not what was added"


class UnusableRow(ValueError):
    """A row of a set that cannot be used. The message is one of the reasons above, which are counted."""


@dataclass(frozen=True)
class Pair:
    """A usable line of a paired set: its number, from 1, the noisy question, and the line's other fields."""

    number: int
    noisy: NoisyProblem
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class PairedSet:
    """A file of noisy questions with their clean ones.

    `pairs` are its usable lines. `refused` has the numbers of the others by reason. `sha256` is that of the file, and
    `source` the path or URL that it was named by.
    """

    path: Path
    sha256: str
    pairs: tuple[Pair, ...]
    refused: Mapping[str, tuple[int, ...]]
    source: str = ""

    def counts(self) -> str:
        """Return the number of usable lines, and of the others by reason, as a sentence."""
        total = len(self.pairs) + sum(map(len, self.refused.values()))
        reasons = ", ".join(f"{len(lines):,} {reason}" for reason, lines in self.refused.items())
        return f"{len(self.pairs):,} of {total:,} lines can be used" + (f"; not used: {reasons}" if reasons else "")


def read_paired_set(path: str | Path) -> PairedSet:
    """Return the paired set in a file: JSON lines, or a JSON array.

    A line needs a `question`, an `original_question` or `seed_question`, and an `answer` or `solution` with a number.
    `spans` are kept where deleting them gives the original question, and come from an alignment where there are none. A
    line that cannot be used is counted by its reason. Raises what `read_rows` raises.
    """
    pairs, refused = list[Pair](), defaultdict[str, list[int]](list)
    source = path if isinstance(path, str) and is_url(path) else str(Path(path))
    with local_copy(path) as copy:
        for row in read_rows(copy):
            try:
                pairs.append(pair_of(row, copy.stem))
            except UnusableRow as error:
                refused[str(error)].append(row.number)
        return PairedSet(copy, sha256_of(copy), tuple(pairs), _by_count(refused), source)


def pairs_of_problems(problems: Sequence[Problem], paired: PairedSet) -> tuple[dict[str, list[Pair]], PairedSet]:
    """Return the pairs of each of `problems`, by problem id, and the set with what does not fit them among the refused.

    A pair belongs to the problem with its original question, but for case and white space; of several such problems to
    that with its id, or else to each. Its noisy question is put into the problem's own text. A pair whose answer is
    not that of the problem is refused, as is one that does not fit the problem's own words.
    """
    by_text = defaultdict[str, list[Problem]](list)
    for problem in problems:
        by_text[normalised(problem.question)].append(problem)
    belonging, usable = defaultdict[str, list[Pair]](list), list[Pair]()
    refused = {reason: list(lines) for reason, lines in paired.refused.items()}
    for pair in paired.pairs:
        candidates = by_text.get(normalised(pair.noisy.problem.question), [])
        same_id = [problem for problem in candidates if problem.id == pair.noisy.problem.id]
        reasons = set[str]()
        for problem in same_id or candidates:
            try:
                noisy = in_place(pair.noisy, problem)
                belonging[problem.id].append(replace(pair, noisy=noisy))
            except UnusableRow as error:
                reasons.add(str(error))
        if reasons:
            refused.setdefault(min(reasons), []).append(pair.number)
        else:
            usable.append(pair)
    return dict(belonging), replace(paired, pairs=tuple(usable), refused=_by_count(refused))


def _by_count(refused: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Return the numbers of lines by reason, the most frequent reason first."""
    by_count = sorted(refused.items(), key=lambda item: (-len(item[1]), item[0]))
    return {reason: tuple(lines) for reason, lines in by_count}


def in_place(noisy: NoisyProblem, problem: Problem) -> NoisyProblem:
    """Return `noisy` as a noisy text of `problem`. Raises `UnusableRow` where it is none."""
    if noisy.problem.target != problem.target:
        raise UnusableRow(OTHER_ANSWER)
    if noisy.problem.question == problem.question:
        return replace(noisy, problem=problem)
    placed = placed_insertions(problem.question, noisy.question)
    if placed is None:
        raise UnusableRow(REWORDED)
    return replace(noisy, problem=problem, question=placed[0], spans=placed[1])


def pair_of(row: Row, stem: str) -> Pair:
    """Return the pair of a row. Raises `UnusableRow`."""
    if row.fields is None:
        raise UnusableRow(NO_OBJECT)
    fields = row.fields
    question = first_text(fields, ["question"], NO_QUESTION)
    original = first_text(fields, ORIGINALS, NO_ORIGINAL)
    if max(len(question), len(original)) > LONGEST_QUESTION:
        raise UnusableRow(TOO_LONG)
    if normalised(question) == normalised(original):
        raise UnusableRow(UNCHANGED)
    text, spans = _text_and_spans(original, question, fields)
    answer, target = answer_of(fields, _ANSWERS)
    if any(name in fields for name in _CLEAN_ANSWERS) and answer_of(fields, _CLEAN_ANSWERS)[1] != target:
        raise UnusableRow(OTHER_ANSWER)
    problem = Problem(_id_of(fields, line_id(stem, row.number)), original, answer)
    seed = fields.get("seed")
    kind = fields.get("noise_type") or fields.get("perturbation_type")
    noise = kind.lower() if isinstance(kind, str) else "unknown"
    factors = _factors(fields.get("factors"), len(spans))
    noisy = NoisyProblem(problem, noise, text, spans, seed if type(seed) is int else UNSEEDED, factors)
    return Pair(row.number, noisy, fields)


def _factors(factors: Any, spans: int) -> tuple[str, ...]:
    """Return what kind of sentence each span is, where a line of ours says so."""
    kinds = factors if isinstance(factors, list) else []
    return tuple(kinds) if len(kinds) == spans and all(isinstance(kind, str) for kind in kinds) else ()


def _text_and_spans(original: str, question: str, fields: Mapping[str, Any]) -> tuple[str, Spans]:
    if isinstance(fields.get("spans"), list) and fields["spans"]:
        spans = _given_spans(fields["spans"], len(question))
        if spans is None or strip(NoisyProblem(Problem("", original, ""), "", question, spans, 0)) != original:
            raise UnusableRow(WRONG_SPANS)
        return question, spans
    placed = placed_insertions(original, question)
    if placed is None:
        raise UnusableRow(REWORDED)
    if not placed[1]:
        raise UnusableRow(UNCHANGED)
    return placed


def _given_spans(spans: Iterable[Any], length: int) -> Spans | None:
    """Return the spans of a line, if they are ordered, disjoint and not empty ranges of its question."""
    end, checked = 0, list[tuple[int, int]]()
    for span in spans:
        if not (isinstance(span, list) and len(span) == 2 and all(type(edge) is int for edge in span)):
            return None
        if not end <= span[0] < span[1] <= length:
            return None
        end = span[1]
        checked.append((span[0], span[1]))
    return tuple(checked)


def first_text(fields: Mapping[str, Any], names: Iterable[str], reason: str) -> str:
    """Return the first of these fields that is valid text and not blank. Raises `UnusableRow(reason)` where none is."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip() and not any("\ud800" <= c <= "\udfff" for c in value):
            return value
    raise UnusableRow(reason)


def answer_of(fields: Mapping[str, Any], names: Iterable[str]) -> tuple[str, Fraction]:
    """Return the worked answer in the first of these fields that has one, and its number.

    An answer without `####` has to be a number alone, as text or as a number of JSON, and gets a `####`. Raises
    `UnusableRow` where there is none.
    """
    for name in names:
        value = fields.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        answer = text if "####" in text else f"#### {text.strip()}"
        try:
            return answer, target_of(answer)
        except ValueError:
            continue
    raise UnusableRow(NO_ANSWER)


def _id_of(fields: Mapping[str, Any], default: str) -> str:
    id_ = fields.get("id")
    if isinstance(id_, int) and not isinstance(id_, bool):
        return str(id_)
    return id_ if isinstance(id_, str) and 0 < len(id_.strip()) <= len(id_) <= LONGEST_ID else default
