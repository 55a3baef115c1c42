"""The stages of the grid as reports see them: which records a stage keeps, and what it adds to the reports.

`benchmarks.stages.Stage` adds to this how a stage is run. Reports can be rebuilt without it, from what is on disk.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.store.record_kinds import ATTENTION_READINGS, LIKELIHOODS, PREDICTIONS, RecordKind

if TYPE_CHECKING:
    from reports.findings import Findings

ZERO_SHOT, SFT, ATTENTION, LIKELIHOOD = "zero_shot", "sft", "attention", "likelihood"


@dataclass(frozen=True)
class PageTable:
    """A table that a stage adds to the page: a title, column names, and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class ReportedStage:
    """What reports know of a stage.

    `name` is the stage's part of a case id, `records` the kind of its records. A `gain` is counted against the stage
    `gain_over`, where one is named. `gated` says whether `--baseline` holds its accuracies. `terminal` gives the lines
    that the stage adds to the end of a run, of the findings and the width in columns, and `page` the tables that it
    adds to the page. Scores of `records.measure` need neither: every table of scores shows them.
    """

    name: str
    records: RecordKind
    gain_over: str | None = None
    terminal: Callable[[Findings, int], list[str]] | None = None
    page: Callable[[Findings], Iterable[PageTable]] | None = None

    @property
    def gated(self) -> bool:
        """Whether its cells have an accuracy, which a baseline can be about."""
        return self.records is PREDICTIONS


#: Every stage, in the order in which one model goes through them.
REPORTED_STAGES: dict[str, ReportedStage] = {
    ZERO_SHOT: ReportedStage(name=ZERO_SHOT, records=PREDICTIONS),
    SFT: ReportedStage(name=SFT, records=PREDICTIONS, gain_over=ZERO_SHOT),
    ATTENTION: ReportedStage(name=ATTENTION, records=ATTENTION_READINGS),
    LIKELIHOOD: ReportedStage(name=LIKELIHOOD, records=LIKELIHOODS),
}


class UnknownStageError(ValueError):
    """A stage was named that is not registered."""


def find_reported_stage(name: str) -> ReportedStage:
    """Return the stage `name`. Raises `UnknownStageError` with the nearest name."""
    if name not in REPORTED_STAGES:
        nearest = difflib.get_close_matches(name, REPORTED_STAGES, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise UnknownStageError(f"unknown stage {name!r}.{hint} Known: {', '.join(REPORTED_STAGES)}.")
    return REPORTED_STAGES[name]


def kind_of(stage: str) -> RecordKind:
    """Return the kind of the records of a stage; of a stage that is not registered, predictions."""
    return REPORTED_STAGES[stage].records if stage in REPORTED_STAGES else PREDICTIONS


def stage_order(name: str) -> tuple[int, str]:
    """Return the sort key of a stage: registered ones in their order, then others by name."""
    names = list(REPORTED_STAGES)
    return (names.index(name) if name in names else len(names)), name


def has_predictions(stage: str) -> bool:
    """Whether the records of a stage are predictions, which have an accuracy."""
    return kind_of(stage) is PREDICTIONS
