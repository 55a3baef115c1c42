"""The stages of the grid, one module each. No torch here: collecting the grid reads this."""

from __future__ import annotations

from benchmarks.stages.attention import ATTENTION
from benchmarks.stages.intervene import INTERVENE
from benchmarks.stages.likelihood import LIKELIHOOD
from benchmarks.stages.sft import SFT
from benchmarks.stages.stage import Stage
from benchmarks.stages.zero_shot import ZERO_SHOT
from reports.stages import REPORTED_STAGES, find_reported_stage

#: Every stage, in the order in which one model goes through them.
STAGES: dict[str, Stage] = {
    "zero_shot": ZERO_SHOT,
    "sft": SFT,
    "attention": ATTENTION,
    "likelihood": LIKELIHOOD,
    "intervene": INTERVENE,
}
for _stage in STAGES.values():  # so that reports know the ones that are added above
    REPORTED_STAGES.setdefault(_stage.name, _stage)


def register_stage(stage: Stage) -> None:
    """Add a stage behind the others; its cases, records, tables and resuming follow from what it says.

    Call it before pytest is configured, for instance at the top of a `conftest.py`. Raises `ValueError` for a name that
    is taken by another stage.
    """
    known = REPORTED_STAGES.get(stage.name)
    if known is not None and known is not stage:
        raise ValueError(f"register_stage: the name {stage.name!r} is taken; expected another than {', '.join(STAGES)}")
    STAGES[stage.name] = REPORTED_STAGES[stage.name] = stage


def find_stage(name: str) -> Stage:
    """Return the stage `name`. Raises `reports.stages.UnknownStageError` with the nearest name."""
    find_reported_stage(name)
    return STAGES[name]


__all__ = ["STAGES", "Stage", "find_stage", "register_stage"]
