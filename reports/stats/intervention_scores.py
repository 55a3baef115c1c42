"""The records of the stage `intervene` as scores: one for each condition of a cell, in accuracy and in likelihood."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from reports.stages import kind_of
from reports.stats.noise_doses import CLEAN, noise_order
from reports.stats.problem_scores import Scores, scores_from_records
from reports.store.record_kinds import ACCURACY, INTERVENTIONS, LIKELIHOOD
from reports.store.records import Cell, Intervention, Likelihood, Prediction, Settings
from reports.store.results_folder import Results
from reports.store.stage_and_file_names import LIKELIHOOD as LIKELIHOOD_STAGE
from reports.store.stage_and_file_names import ZERO_SHOT

NOISY = "noisy"
MEASURES = (ACCURACY, LIKELIHOOD)
#: The conditions that every run may have, in the order of tables. Others follow by name.
ORDER = (
    *(CLEAN, NOISY, "answer", "question", "everywhere", "moved", "displaced", "placebo", "random"),
    *("zeroed", "first", "second", "heads_top", "heads_random"),
)
#: The condition whose text has no noise, but the positions of the text that has.
_DISPLACED = "displaced"


@dataclass(frozen=True, eq=False)
class InterventionCell:
    """The records of one cell of the stage `intervene`, without errors.

    `scores` has an entry for each measure and condition that was measured, as (`accuracy`, `moved`). Every condition
    of a problem has the same text, that of the noisy question, so scores of two conditions are paired over problems
    whose draws both have.
    """

    cell: Cell
    settings: Settings
    records: tuple[Intervention, ...]
    scores: Mapping[tuple[str, str], Scores]

    @property
    def conditions(self) -> list[str]:
        """The conditions of the records, in the order of tables."""
        return sorted({record.condition for record in self.records}, key=condition_order)


def intervention_cells(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[InterventionCell]:
    """Return the cells of interventions that have a record without an error, by model and noise.

    `only` restricts them to its cells, and each cell to the given record ids. Raises `ResultsDamaged`.
    """
    wanted = (cell for cell in (results.cells() if only is None else only) if kind_of(cell.stage) is INTERVENTIONS)
    cells = []
    for cell in sorted(wanted, key=lambda cell: (cell.model, noise_order(cell.noise))):
        stored = results.load_cell(cell)
        if stored is None:
            continue
        ids = stored.records.keys() if only is None else set(only[cell])
        records = (record for id, record in stored.records.items() if id in ids)
        made = intervention_cell(
            cell,
            results.settings(stored.settings_hash),
            (record for record in records if isinstance(record, Intervention)),
        )
        if made.records:
            cells.append(made)
    return cells


def intervention_cell(cell: Cell, settings: Settings, records: Iterable[Intervention]) -> InterventionCell:
    """Return the records of a cell with their scores; errors are left out."""
    kept = tuple(record for record in records if record.outcome != "error")
    by_condition: dict[str, list[Intervention]] = {}
    for record in kept:
        by_condition.setdefault(record.condition, []).append(record)
    scores = {
        (measure, condition): scores_of_condition
        for condition, of_condition in by_condition.items()
        for measure in MEASURES
        if len((scores_of_condition := _scores(cell, settings, of_condition, measure)).values)
    }
    return InterventionCell(cell, settings, kept, scores)


def condition_order(condition: str) -> tuple[int, str, int, str]:
    """Return the sort key of a condition: as `ORDER` has them, then by name, with numbers in their order."""
    known = ORDER.index(condition) if condition in ORDER else len(ORDER)
    number = re.search(r"\d+", condition)
    return known, re.sub(r"\d.*", "", condition), int(number[0]) if number else 0, condition


def is_without_noise(condition: str) -> bool:
    """Whether a condition changes the model's reading of the clean text, so that `clean` is what it compares with."""
    return condition == _DISPLACED or condition.endswith(f"_{CLEAN}")


def _scores(cell: Cell, settings: Settings, records: Iterable[Intervention], measure: str) -> Scores:
    """Return the scores of one condition, computed as those of predictions and of likelihoods are."""
    if measure == ACCURACY:
        predictions = [_prediction(record) for record in records if record.outcome != "measured"]
        scores = scores_from_records(replace(cell, stage=ZERO_SHOT), settings, predictions)
    else:
        likelihoods = [
            _likelihood(record, record.nats) for record in records if record.nats is not None and record.gold_tokens
        ]
        scores = scores_from_records(replace(cell, stage=LIKELIHOOD_STAGE), settings, likelihoods)
    return replace(scores, cell=cell)


def _prediction(record: Intervention) -> Prediction:
    assert record.outcome != "measured"
    return Prediction(
        id=record.problem,
        question=record.question,
        spans=record.spans,
        gold=record.gold,
        target=record.target,
        text=record.text,
        answer=record.answer,
        outcome=record.outcome,
        tokens=record.tokens,
        finished=record.finished,
        grading=record.grading,
    )


def _likelihood(record: Intervention, nats: float) -> Likelihood:
    return Likelihood(
        id=record.problem,
        question=record.question,
        spans=record.spans,
        gold=record.gold,
        outcome="measured",
        tokens=record.gold_tokens,
        nats=nats,
    )
