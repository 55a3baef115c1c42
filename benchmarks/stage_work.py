"""What a run asks of its models, in numbers that its cost is computed from. No torch here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CellWork:
    """What a cell asks: `problems`, the characters of their questions and worked answers together, and the characters
    of the same questions without noise. `longest` is the longest question."""

    problems: int
    questions: int
    answers: int
    clean: int
    longest: int


@dataclass(frozen=True)
class StageWork:
    """What a model does in a stage. `kind`: it writes answers, reads, intervenes, or is tuned with `steps` steps of
    problems that `cells` hold.

    `conditions` counts those of an intervention, `written` those whose answers are not known from `zero_shot`.
    """

    model: str
    stage: str
    kind: str
    cells: tuple[CellWork, ...]
    conditions: int = 1
    written: int = 1
    clean_conditions: int = 0
    steps: int = 0


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run that cost depends on."""

    batch: int
    max_new_tokens: int
    tuning_batch: int = 8
    tuning_rank: int = 0  # 0: every weight is trained
