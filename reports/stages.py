"""The stages of the grid, as far as reports need them: the records of a stage, and what it adds to the reports.

`benchmarks.stages.Stage` adds how to run a stage. Reports are rebuilt from the records on disk without it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.store.record_kinds import (
    ATTENTION_READINGS,
    INTERVENTIONS,
    LIKELIHOODS,
    PREDICTIONS,
    Measure,
    RecordKind,
)
from reports.store.stage_and_file_names import ATTENTION, INTERVENE, LIKELIHOOD, SFT, ZERO_SHOT

if TYPE_CHECKING:
    from reports.findings import Findings


@dataclass(frozen=True)
class PageTable:
    """A table that a stage adds to the page: title, column names, and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class ReportedStage:
    """The part of a stage that reports need.

    `name` is the stage's part of a case id, `records` the kind of its records. `gain_over` names the stage that its
    gains are relative to. `gated` says whether its accuracies can be compared with a baseline. `terminal` returns the
    lines that the stage adds to the end of a run, for the findings and a width in columns; `page` returns the tables
    that it adds to the page. Scores of `records.measure` need neither: every table of scores shows them.
    """

    name: str
    records: RecordKind
    gain_over: str | None = None
    terminal: Callable[[Findings, int], list[str]] | None = None
    page: Callable[[Findings], Iterable[PageTable]] | None = None

    @property
    def gated(self) -> bool:
        """Whether its cells have an accuracy, which a baseline can contain."""
        return self.records is PREDICTIONS


#: Every stage, in the order in which a model runs them.
REPORTED_STAGES: dict[str, ReportedStage] = {
    ZERO_SHOT: ReportedStage(name=ZERO_SHOT, records=PREDICTIONS),
    SFT: ReportedStage(name=SFT, records=PREDICTIONS, gain_over=ZERO_SHOT),
    ATTENTION: ReportedStage(name=ATTENTION, records=ATTENTION_READINGS),
    LIKELIHOOD: ReportedStage(name=LIKELIHOOD, records=LIKELIHOODS),
    INTERVENE: ReportedStage(name=INTERVENE, records=INTERVENTIONS),
}


class UnknownStageError(ValueError):
    """No stage of this name is registered."""


def find_reported_stage(name: str) -> ReportedStage:
    """Return the stage `name`. Raises `UnknownStageError` with the nearest name."""
    if name not in REPORTED_STAGES:
        nearest = difflib.get_close_matches(name, REPORTED_STAGES, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise UnknownStageError(f"unknown stage {name!r}.{hint} Known: {', '.join(REPORTED_STAGES)}.")
    return REPORTED_STAGES[name]


def kind_of(stage: str) -> RecordKind:
    """Return the kind of the records of a stage; predictions if the stage is not registered."""
    return REPORTED_STAGES[stage].records if stage in REPORTED_STAGES else PREDICTIONS


def base_stage(name: str) -> str:
    """Return the stage whose cells those of the stage `name` are compared with: that of `gain_over`, or itself."""
    return (REPORTED_STAGES[name].gain_over if name in REPORTED_STAGES else None) or name


def measure_named(name: str) -> Measure:
    """Return the measure `name` of the registered stages. Raises `ValueError` with the known names."""
    measures = [stage.records.measure for stage in REPORTED_STAGES.values()]
    by_name = {measure.name: measure for measure in reversed(measures) if measure is not None}
    if name not in by_name:
        raise ValueError(f"unknown measure {name!r}. Known: {', '.join(reversed(by_name))}.")
    return by_name[name]


def stage_order(name: str) -> tuple[int, str]:
    """Return the sort key of a stage: registered stages in their order, then others by name."""
    names = list(REPORTED_STAGES)
    return (names.index(name) if name in names else len(names)), name


def has_predictions(stage: str) -> bool:
    """Whether the records of a stage are predictions, which have an accuracy."""
    return kind_of(stage) is PREDICTIONS
