"""Coverage of the intervals over training seeds in simulated runs, and how often they raise a false alarm.

`python -m tests.reports.seed_calibration` prints it. A run has pairs of models, each asked the same problems: a
problem's number is 1, 0 or −1, the difference in loss between the two models. Its chance depends on the pair, on the
problem, or on both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.random import Generator

from reports.stats.paired_tests import ALPHA, Array
from reports.stats.seed_statistics import crossed_mean, seed_interval, seed_p_value, sign_flip_p_value

SEEDS = (3, 5, 8)
PROBLEMS, RUNS = 200, 4_000


@dataclass(frozen=True)
class World:
    """How far the mean difference varies between pairs of models, and between problems (standard deviations)."""

    name: str
    seed_sd: float
    problem_sd: float


#: What is counted: whether Student's interval over seeds holds the mean on these problems and that on others, whether
#: the crossed one holds the latter, and false alarms of Student's test, of sign flips, and of one pair over problems.
COLUMNS = (
    *("Student, same problems", "Student, new problems", "crossed, new problems"),
    *("false alarms, Student", "sign flips", "one pair"),
)
THESE, OTHERS, CROSSED, ALARMS, FLIPS, ONE_SEED = COLUMNS
#: The first is about what the included pairs show (docs/experiment.md).
WORLDS = (
    World("seeds vary, problems a little", 0.03, 0.05),
    World("seeds vary, problems much", 0.03, 0.25),
    World("seeds vary much", 0.10, 0.05),
    World("seeds do not vary", 0.0, 0.05),
)
MEAN, _SPREAD = 0.05, 0.3


def run_of(generator: Generator, world: World, seeds: int, mean: float = MEAN) -> tuple[Array, float]:
    """Return the numbers of a run, (seed, problem), and the true mean over other seeds on these problems."""
    of_problems = generator.normal(0, world.problem_sd, (1, PROBLEMS))
    expected = mean + generator.normal(0, world.seed_sd, (seeds, 1)) + of_problems
    up, down = (numpy.clip(_SPREAD + sign * expected / 2, 0, 1) for sign in (1, -1))
    uniform = generator.random((seeds, PROBLEMS))
    values = (uniform < up).astype(float) - (uniform > 1 - down)
    return values, float(mean + of_problems.mean())


def coverage(world: World, seeds: int, runs: int = RUNS) -> dict[str, float]:
    """Return the shares of runs whose intervals hold what they are about, and of false alarms where nothing differs."""
    generator = numpy.random.default_rng([seeds, int(1000 * world.seed_sd), int(1000 * world.problem_sd)])
    counts = dict.fromkeys(COLUMNS, 0)
    for _ in range(runs):
        values, of_these = run_of(generator, world, seeds)
        low, high = seed_interval(values.mean(axis=1)) or (0.0, 0.0)
        counts[THESE] += low <= of_these <= high
        counts[OTHERS] += low <= MEAN <= high
        crossed = crossed_mean(values)
        counts[CROSSED] += crossed is not None and crossed.low <= MEAN <= crossed.high
        nothing, shift = run_of(generator, world, seeds, mean=0.0)
        of_seeds = nothing.mean(axis=1) - shift
        counts[ALARMS] += (seed_p_value(of_seeds) or 1.0) <= ALPHA
        counts[FLIPS] += sign_flip_p_value(of_seeds) <= ALPHA
        counts[ONE_SEED] += (seed_p_value(nothing[0] - shift) or 1.0) <= ALPHA
    return {name: count / runs for name, count in counts.items()}


def main() -> None:
    """Print a table in Markdown."""
    print(f"| {PROBLEMS} problems, {RUNS:,} runs | seeds | {' | '.join(COLUMNS)} |")
    print("|---|---|" + "---|" * len(COLUMNS))
    for world in WORLDS:
        for seeds in SEEDS:
            figures = " | ".join(f"{100 * share:.1f}" for share in coverage(world, seeds).values())
            print(f"| {world.name} | {seeds} | {figures} |")


if __name__ == "__main__":
    main()
