"""Made-up predictions, cells and settings for the tests of `reports`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reports.stats.problem_scores import Scores, scores_from_records
from reports.store.record_codec import signed
from reports.store.records import Cell, Outcome, Prediction, Settings

CELL = Cell("diffllama", "inf", "zero_shot")
CLEAN = Cell("diffllama", "clean", "zero_shot")
SETTINGS = Settings("weights-1", "Q: {question}\nA:", "after the answer line", 64, "float32", "1", "made-up")
OTHER_SETTINGS = replace(SETTINGS, max_new_tokens=128, precision="bfloat16")


def predicted(id: str, outcome: Outcome = "correct", **changed: Any) -> Prediction:
    """Return a prediction for the problem `id`, whose text is `question_of(id)`."""
    values: dict[str, Any] = {
        "id": id,
        "question": question_of(id),
        "spans": ((10, 25),),
        "gold": "2 + 3 = 5\n#### 5",
        "target": "5",
        "text": " 2 + 3 = 5\n#### 5",
        "answer": {"correct": "5", "incorrect": "6"}.get(outcome),
        "outcome": outcome,
        "tokens": 9,
        "error": "Traceback:\nRuntimeError: no luck" if outcome == "error" else None,
    }
    return Prediction(**(values | changed))


def changed_line(line: bytes, valid: bytes, invalid: bytes) -> bytes:
    """Return a line of a cell's file with a change, and the checksum of what it holds now."""
    content = line.rpartition(b', "check"')[0] + b"}"
    assert valid in content
    return signed(content.replace(valid, invalid)) + b"\n"


def question_of(id: str) -> str:
    return f"A basket holds 40 plums. How many marbles has number {id}?"


def asked(*ids: str) -> dict[str, str]:
    return {id: question_of(id) for id in ids}


def outcomes(correct: int, incorrect: int, first: int = 0) -> list[Prediction]:
    """Return predictions with the ids `p<first>`, `p<first + 1>`, …; the correct ones come first."""
    kinds: list[Outcome] = ["correct"] * correct + ["incorrect"] * incorrect
    return [predicted(f"p{first + number}", outcome) for number, outcome in enumerate(kinds)]


def scored(model: str, noise: str, answers: str, stage: str = "zero_shot", first: int = 0, **changed: Any) -> Scores:
    """Return the scores of a cell. `answers` has a letter per problem: `1` correct, `0` incorrect, `e` an error."""
    outcomes = {"1": "correct", "0": "incorrect", "e": "error"}
    lines: list[Prediction] = [
        predicted(f"p{first + n}", outcomes[letter], **changed)  # type: ignore[arg-type]
        for n, letter in enumerate(answers)
    ]
    return scores_from_records(Cell(model, noise, stage), replace(SETTINGS, weights=model), lines)


def longest(lines: list[str]) -> int:
    """Return the length of the longest line that could be wrapped: one long path alone cannot."""
    return max(len(line) for line in lines if len(line.split()) > 1)
