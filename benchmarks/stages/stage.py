"""Definition of a stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reports.stages import ReportedStage

if TYPE_CHECKING:
    from benchmarks.plan import Plan
    from benchmarks.runner import Runner
    from models.model_registry import ModelSpec
    from reports.store.records import Cell

#: Which models a stage asks: the ones of the plan, their tuned versions under the same name, or both, each under a name
#: of its own (`diffllama` and `diffllama+sft`).
Models = Literal["base", "tuned", "both"]


class NothingToMeasure(Exception):
    """A cell has no problem that its stage could ask; its case is skipped with this reason."""


def every_problem(plan: Plan) -> int:
    """Return the number of problems per cell of the accuracy stages, −1 for all."""
    return plan.max_samples


def every_draw(plan: Plan) -> int:
    """Return how often the noise of each problem is drawn in those stages."""
    return plan.noise_seeds


@dataclass(frozen=True, kw_only=True)
class Stage(ReportedStage):
    """A stage of the grid: `ReportedStage` says what it leaves, this says how it is run.

    `run` asks the model of a cell, and returns the cell's records by problem id; it leaves them on disk as they
    come. `check` raises, before the first case, what can be told about a model without its weights. `models` says
    which models it asks. `runs_every_replicate` says whether every replicate of a family goes through it, unless
    `--replicated-stages` says otherwise; through other stages only the first goes. `samples` and `draws` give, for a
    plan, the number of problems per cell (−1 for all) and how often the noise of each is drawn. `asks_clean` says
    whether it has cells without noise. `has_cases` says whether a plan that runs the stage has cases of it. `skipped`
    says, from the values of the command line by name, whether a run leaves the stage out; a stage with a `skip_help`
    gets an option `--skip-NAME` of its own, which `skipped` need not ask for. `own_test` says that a test marked
    `pytest.mark.stage` has the cases; otherwise `benchmarks/test_added_stages.py` has them. `divides_problems` says
    that each record is of one problem, so that a shard can take a part of them; of a stage that does not, shard 1 takes
    every problem, and the others none.
    """

    run: Callable[[Runner, Cell], Mapping[str, Any]]
    check: Callable[[Plan, ModelSpec], None] = lambda plan, spec: None
    models: Models = "base"
    runs_every_replicate: bool = False
    samples: Callable[[Plan], int] = every_problem
    draws: Callable[[Plan], int] = every_draw
    asks_clean: bool = True
    has_cases: Callable[[Plan], bool] = lambda plan: True
    skipped: Callable[[Mapping[str, Any]], bool] = lambda options: False
    skip_help: str = ""
    own_test: bool = False
    divides_problems: bool = True

    @classmethod
    def from_reported(cls, reported: ReportedStage, **run_options: Any) -> Stage:
        """Return the stage that reports know as `reported`; `run_options` are the fields of this class."""
        return cls(**vars(reported), **run_options)

    @property
    def skip_option(self) -> str:
        """The option that leaves the stage out, as `skip_zero_shot`."""
        return f"skip_{self.name}"
