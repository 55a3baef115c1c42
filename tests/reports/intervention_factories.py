"""Made-up records of the stage `intervene` for the tests of `reports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy

from reports.stats.intervention_scores import InterventionCell, intervention_cell
from reports.store.records import Cell, Intervention
from tests.reports.record_factories import SETTINGS, question_of

_OUTCOMES = {"1": "correct", "0": "incorrect", "n": "no_answer", "e": "error"}
GOLD_TOKENS = 8


def intervention(problem: str, condition: str, letter: str, nats: float | None = -8.0, **changed: Any) -> Intervention:
    """Return a record: `1` is correct, `0` incorrect, `n` no answer, `e` an error."""
    outcome = _OUTCOMES[letter]
    values: dict[str, Any] = {
        "id": f"{problem} {condition}",
        "problem": problem,
        "condition": condition,
        "question": question_of(problem),
        "spans": ((10, 25),),
        "gold": "2 + 3 = 5\n#### 5",
        "target": "5",
        "text": " 2 + 3 = 5\n#### 5",
        "answer": {"correct": "5", "incorrect": "6"}.get(outcome),
        "outcome": outcome,
        "tokens": 9,
        "fault": "arithmetic" if outcome == "incorrect" else "",
        "nats": nats,
        "gold_tokens": GOLD_TOKENS,
        "hidden": 0,
        "edges": 0,
        "straddling": 0,
        "same_tokens": True,
        "error": "Traceback:\nRuntimeError: no luck" if outcome == "error" else None,
    }
    return Intervention(**(values | changed))


def interventions(
    answers: Mapping[str, str], nats: Mapping[str, Sequence[float]] | None = None, first: int = 0
) -> list[Intervention]:
    """Return the records of a cell: by condition a letter for each problem, and its nats a token of the gold answer."""
    return [
        intervention(f"p{first + n}", condition, letter, None if nats is None else GOLD_TOKENS * nats[condition][n])
        for condition, letters in answers.items()
        for n, letter in enumerate(letters)
    ]


def cut_cell(model: str, records: Sequence[Intervention], noise: str = "inf", **changed: Any) -> InterventionCell:
    settings = replace(SETTINGS, weights=model, **changed)
    return intervention_cell(Cell(model, noise, "intervene"), settings, records)


def rights(right: Mapping[str, int], n: int = 100) -> dict[str, str]:
    """Return answers of which the first are right, as many as `right` has for the condition."""
    return {condition: "1" * count + "0" * (n - count) for condition, count in right.items()}


def random_nats(conditions: Mapping[str, float], n: int, seed: int = 0) -> dict[str, list[float]]:
    """Return nats a token of `n` problems: around the mean of each condition, and alike in all of them."""
    generator = numpy.random.default_rng(seed)
    shared = generator.normal(0, 0.2, n)
    return {name: list(mean + shared + generator.normal(0, 0.05, n)) for name, mean in conditions.items()}


#: Answers as those of two miniatures: one loses by reading the noise and by its displacement, one by displacement.
LLAMA = rights({"clean": 92, "noisy": 33, "answer": 57, "everywhere": 60, "moved": 95, "displaced": 61, "placebo": 30})
DIFFLLAMA = rights(
    {"clean": 94, "noisy": 67, "answer": 51, "everywhere": 62, "moved": 91, "displaced": 60, "placebo": 52}
)
NATS = {
    **{"clean": -0.3, "noisy": -0.9, "answer": -0.6, "everywhere": -0.55},
    **{"moved": -0.3, "displaced": -0.5, "placebo": -1.1},
}
