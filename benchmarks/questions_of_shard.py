"""What a shard has of a cell's questions: their numbers in the whole run, and why it may have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.plan import Plan
from benchmarks.stages import find_stage
from noise.problems.problem import NoisyProblem, Problem
from reports.store.records import Cell


def empty_shard_reason(plan: Plan, cell: Cell, problems: list[Problem]) -> str:
    """Return why the shard of `plan` asks nothing of a cell that takes its problems from `problems`."""
    if not find_stage(cell.stage).divides_problems:
        return f"shard {plan.shard}: the stage {cell.stage} divides no problems, and shard 1 asks all of them"
    count = len(plan.whole_sample(problems, cell.stage))
    reason = "suits the noise" if plan.sample(problems, cell.stage) else "is in it"
    return f"shard {plan.shard}: none of the cell's {count:,} problems {reason}; other shards have them"


def numbered_in_shard(
    own: Sequence[NoisyProblem],
    whole: Sequence[Problem],
    count: int,
    draw: Callable[[Sequence[Problem]], Sequence[NoisyProblem]],
) -> dict[int, NoisyProblem]:
    """Return those of a cell's first `count` questions that are among the shard's `own`, by their number, from 0, in
    the run that is not divided.

    `draw` returns the questions that problems of the `whole` sample make, which may be fewer. It is asked for no more
    than it takes to know which are the first.
    """
    size, first = count, list(draw(whole[:count]))
    while len(first) < count and size < len(whole):
        size *= 2
        first = list(draw(whole[:size]))
    ids = {noisy.problem.id for noisy in own}
    return {number: noisy for number, noisy in enumerate(first[:count]) if noisy.problem.id in ids}
