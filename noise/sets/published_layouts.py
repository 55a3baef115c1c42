"""The layouts in which others publish noisy problems, each read into lines of a paired set: docs/noisy-sets.md.

A layout is a function from the rows of a file to `Line`s. What a file does not carry is not made up: SVAMP has no
pairs, so its lines have no `original_question`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noise.problems.problem import Problem
from noise.problems.text_files import raw_lines
from noise.sets.paired_sets import NO_OBJECT, NO_ORIGINAL, NO_QUESTION, UnusableRow, first_text
from noise.sets.table_rows import Row, read_rows

ANOTHER_CHANGE = "a change of another kind than an insertion"
NO_NOISY_PASSAGE = "no noisy passage"
#: What GSM-Plus calls its insertions: in its files, and in the text about them.
_INSERTIONS = ("distraction insertion", "distractor insertion")
_GSM_IC_LABELS = ("role_label", "number_label", "sentence_label")


@dataclass(frozen=True)
class Line:
    """A line of a paired set, or why the row of that number gives none."""

    number: int
    fields: Mapping[str, Any] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Layout:
    """A published layout: what it is read from, and the lines of a file; `problems` are those to add triggers to."""

    name: str
    wants: str
    lines: Callable[[Path, Sequence[Problem]], Iterator[Line]]
    needs_problems: Callable[[Path], bool] = lambda path: False


def _each(read: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[..., Iterator[Line]]:
    """Return a layout's `lines` for files of which each row is a line, which `read` takes from its fields."""

    def lines(path: Path, problems: Sequence[Problem]) -> Iterator[Line]:
        for row in read_rows(path):
            yield _line(row, read)

    return lines


def _line(row: Row, read: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Line:
    if row.fields is None:
        return Line(row.number, reason=NO_OBJECT)
    try:
        return Line(row.number, read(row.fields))
    except UnusableRow as error:
        return Line(row.number, reason=str(error))


def _gsm_plus(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if fields.get("perturbation_type") not in _INSERTIONS:
        raise UnusableRow(ANOTHER_CHANGE)
    return fields


def _gsm_ic(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    question = first_text(fields, ["new_question"], NO_QUESTION)
    original = first_text(fields, ["original_question"], NO_ORIGINAL)
    labels = {name: fields[name] for name in _GSM_IC_LABELS if isinstance(fields.get(name), str)}
    return {"question": question, "original_question": original, "answer": fields.get("answer"), **labels}


def _problemathic(path: Path, problems: Sequence[Problem]) -> Iterator[Line]:
    """Read the paired files of its repository: JSON with `simple` and `adversary` a passage, or a table of the same."""
    rows = read_rows(path)
    columns = set(rows[0].fields or ())
    if path.suffix.lower() == ".csv" and not {"question", "input_passage", "augmented_passage"} <= columns:
        raise ValueError(
            f"{path}: expected the columns question, answer, input_passage and augmented_passage, got"
            f" {', '.join(sorted(columns))}: files that hold the noisy or the clean problems alone cannot be paired"
        )
    for row in rows:
        yield _line(row, _passages)


def _passages(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if "input_passage" in fields:
        question, clean, noisy = fields.get("question"), fields["input_passage"], fields.get("augmented_passage")
    else:
        fields = next((value for value in fields.values() if isinstance(value, dict)), {})
        simple, adversary = fields.get("simple"), fields.get("adversary")
        clean = simple.get("passage") if isinstance(simple, dict) else None
        noisy = adversary.get("augmented_passage") if isinstance(adversary, dict) else None
        question = fields.get("question")
    texts = {"question": question, "clean": clean, "noisy": noisy}
    asks = first_text(texts, ["question"], NO_QUESTION)
    original = _joined(first_text(texts, ["clean"], NO_ORIGINAL), asks)
    passage = first_text(texts, ["noisy"], NO_NOISY_PASSAGE)
    if " " not in passage.strip():  # the name of the error that its generator stored in place of a text
        raise UnusableRow(NO_NOISY_PASSAGE)
    return {"question": _joined(passage, asks), "original_question": original, "answer": fields.get("answer")}


def _joined(passage: str, question: str) -> str:
    """Return a passage and its question as one text: the passage of some sets lacks its last full stop."""
    passage = passage.strip()
    return f"{passage}{'' if passage.endswith(('.', '?', '!', '”', chr(34))) else '.'} {question.strip()}"


def _svamp(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    body = first_text(fields, ["Body"], NO_QUESTION)
    question = _joined(body, first_text(fields, ["Question"], NO_QUESTION))
    return {"question": question, "answer": fields.get("Answer"), "id": fields.get("ID")}


def _catattack(path: Path, problems: Sequence[Problem]) -> Iterator[Line]:
    """Read the results of its evaluator, or add the triggers of a text file, one a line, behind each problem."""
    if _is_triggers(path):
        triggers = [raw.decode("utf-8", "replace").strip() for _, raw in raw_lines(path) if raw.strip()]
        for number, problem in enumerate(problems, 1):
            for trigger in triggers:
                question = f"{problem.question} {trigger}"
                fields = {"question": question, "original_question": problem.question, "answer": problem.answer}
                yield Line(number, {**fields, "id": problem.id, "trigger": trigger})
        return
    try:
        results = json.loads(path.read_text(encoding="utf-8-sig"))["results"]
        rows = [(result["question"], result["ground_truth"], list(result["suffix_questions"])) for result in results]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(
            f"{path}: expected a JSON object with 'results', each with 'question', 'ground_truth' and"
            " 'suffix_questions', or a .txt file of triggers, one a line"
        ) from None
    for number, (original, answer, questions) in enumerate(rows, 1):
        for question in questions:
            yield Line(number, {"question": question, "original_question": original, "answer": answer})


def _is_triggers(path: Path) -> bool:
    return path.suffix.lower() == ".txt"


#: A new layout is a function and a line here.
LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("gsm-plus", "the JSON or JSON lines of GSM-Plus", _each(_gsm_plus)),
        Layout("gsm-ic", "GSM-IC_2step.json or GSM-IC_mstep.json", _each(_gsm_ic)),
        Layout("problemathic", "the paired JSON or CSV of PROBLEMATHIC's repository", _problemathic),
        Layout("svamp", "SVAMP.json, which has problems and no pairs", _each(_svamp)),
        Layout("catattack", "the evaluator's results, or a .txt file of triggers", _catattack, _is_triggers),
    )
}
