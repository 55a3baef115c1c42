"""Coverage of the confidence intervals in simulated runs.

`python -m tests.reports.calibration` prints it, and `python -m tests.reports.calibration RESULTS` prints the coverage
for the likelihoods in a results folder.

A run asks `n` problems, each with its own difficulty: the answers to one problem, by either model, clean, with noise or
in another draw of it, have latent normal variables with a correlation of one half. A clean problem is answered
correctly with probability p, a noisy one with less, so the true value is known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import norm

from reports.stats.level_contrast import LevelContrast
from reports.stats.noise_doses import CLEAN
from reports.stats.paired_tests import Differences, interval
from reports.stats.problem_scores import LIKELIHOOD, aligned_values, all_scores
from reports.stats.proportions import relative_drop, wilson, wilson_by_problem
from reports.store.results_folder import Results

Array = NDArray[Any]
SIZES = (20, 200, 1319)
ACCURACIES = (0.02, 0.1, 0.5, 0.9)
RUNS = 4_000
_CORRELATION = 0.5
_DRAWS = 3


def answers(generator: Generator, n: int, chances: Sequence[float], correlation: float = _CORRELATION) -> Array:
    """Return correct (1) or incorrect (0), (answer, problem). Answer i is correct with probability `chances[i]`."""
    difficulty = generator.normal(size=n) * correlation**0.5
    latent = difficulty + generator.normal(size=(len(chances), n)) * (1 - correlation) ** 0.5
    correct: Array = (latent < norm.ppf(chances)[:, None]).astype(float)
    return correct


@dataclass(frozen=True)
class Kind:
    """A kind of interval: what to simulate at an accuracy `p`, the true value there, and the interval of a run."""

    name: str
    chances: Callable[[float], Sequence[float]]
    truth: Callable[[float], float]
    interval: Callable[[Array], tuple[float, float] | None]


def _difference(values: Array, bound: float = 1.0) -> tuple[float, float] | None:
    return interval(Differences(values, bound))


def _drop(correct: Array) -> tuple[float, float] | None:
    drop = relative_drop(correct[0], correct[1])
    return None if drop is None else drop[1:]


def _mean_over_draws(correct: Array) -> Array:
    return correct.mean(axis=0)


def _effect(losses: Array, bound: float = 1.0) -> tuple[float, float] | None:
    """Return the interval of a factor's effect, from the losses (level, problem) of which each problem has one."""
    first = numpy.arange(losses.shape[1]) % 2 == 0  # a level by a hash, which does not know the problem
    levels = [numpy.where(drawn, of_level, numpy.nan) for drawn, of_level in zip((first, ~first), losses, strict=True)]
    return LevelContrast(levels[0], levels[1], bound).interval()


def _effect_of_draws(losses: Array) -> tuple[float, float] | None:
    """Return the same where each problem has two draws of either level, (draw, problem), those of the first first."""
    return LevelContrast(_mean_over_draws(losses[:2]), _mean_over_draws(losses[2:])).interval()


KINDS = (
    Kind("accuracy", lambda p: [p], lambda p: p, lambda r: wilson(int(r.sum()), r.size)),
    Kind(
        "accuracy, 3 draws",
        lambda p: [p] * _DRAWS,
        lambda p: p,
        lambda r: wilson_by_problem(_mean_over_draws(r), numpy.full(r.shape[1], _DRAWS)),
    ),
    Kind("model difference of 0", lambda p: [p, p], lambda p: 0.0, lambda r: _difference(r[0] - r[1])),
    Kind("degradation", lambda p: [p, 0.7 * p], lambda p: 0.3 * p, lambda r: _difference(r[0] - r[1])),
    Kind(
        "degradation, 3 draws",
        lambda p: [p, *[0.7 * p] * _DRAWS],
        lambda p: 0.3 * p,
        lambda r: _difference(r[0] - _mean_over_draws(r[1:])),
    ),
    Kind("relative drop", lambda p: [p, 0.7 * p], lambda p: 0.3, _drop),
    Kind(
        "difference in differences",
        lambda p: [p, 0.5 * p, p, 0.7 * p],
        lambda p: 0.2 * p,
        lambda r: _difference((r[0] - r[1]) - (r[2] - r[3]), 2.0),
    ),
    Kind(
        "difference in differences, 3 draws",
        lambda p: [p, p, *[0.5 * p] * _DRAWS, *[0.7 * p] * _DRAWS],
        lambda p: 0.2 * p,
        lambda r: _difference(
            (r[0] - _mean_over_draws(r[2 : 2 + _DRAWS])) - (r[1] - _mean_over_draws(r[2 + _DRAWS :])), 2.0
        ),
    ),
    Kind("factor effect of 0", lambda p: [p, 0.7 * p, 0.7 * p], lambda p: 0.0, lambda r: _effect(r[0] - r[1:])),
    Kind("factor effect", lambda p: [p, 0.5 * p, 0.7 * p], lambda p: 0.2 * p, lambda r: _effect(r[0] - r[1:])),
    Kind(
        "factor effect, 4 draws",
        lambda p: [p, *[0.5 * p] * 2, *[0.7 * p] * 2],
        lambda p: 0.2 * p,
        lambda r: _effect_of_draws(r[0] - r[1:]),
    ),
    Kind(
        "factor effect, between models",
        lambda p: [p, 0.5 * p, 0.8 * p, p, 0.7 * p, 0.8 * p],
        lambda p: 0.2 * p,
        lambda r: _effect((r[0] - r[1:3]) - (r[3] - r[4:6]), 2.0),
    ),
)


def coverage(kind: Kind, n: int, p: float, runs: int = RUNS) -> float:
    """Return the share of runs whose interval contains the true value, among the runs that have an interval."""
    generator = numpy.random.default_rng([n, round(1000 * p), KINDS.index(kind)])
    intervals = (kind.interval(answers(generator, n, kind.chances(p))) for _ in range(runs))
    covered = [low <= kind.truth(p) <= high for low, high in filter(None, intervals)]
    return sum(covered) / len(covered)


def table(runs: int = RUNS) -> Iterator[str]:
    """Yield the lines of a Markdown table of coverage in per cent."""
    yield "| interval | n | " + " | ".join(f"p = {p}" for p in ACCURACIES) + " |"
    yield "|---|---|" + "---|" * len(ACCURACIES)
    for kind in KINDS:
        for n in SIZES:
            shares = (f"{100 * coverage(kind, n, p, runs):.1f}" for p in ACCURACIES)
            yield f"| {kind.name} | {n:,} | {' | '.join(shares)} |"


def resampled_table(folder: str, runs: int = 2_000) -> Iterator[str]:
    """Yield the lines of a Markdown table of coverage for likelihoods, whose distribution is unknown.

    Runs resample problems, with replacement, from the results in `folder`; their mean is the true value. There is a
    line for each difference of its models.
    """
    generator = numpy.random.default_rng(0)
    likelihoods = [scores for scores in all_scores(Results(folder)) if scores.measure == LIKELIHOOD]
    cells = {(scores.cell.model, scores.cell.noise): scores for scores in likelihoods}
    models = sorted({model for model, _ in cells})
    yield "| difference, resampled | " + " | ".join(f"n = {n:,}" for n in SIZES) + " |"
    yield "|---|" + "---|" * len(SIZES)
    for noise in sorted({noise for _, noise in cells} - {CLEAN}):
        four = [cells[model, name] for model in models[:2] for name in (CLEAN, noise)]
        (clean, noisy, other_clean, other_noisy), _ = aligned_values(four)
        lost, lost_by_other = clean - noisy, other_clean - other_noisy
        for name, values in ((models[0], lost), (models[1], lost_by_other), ("difference", lost_by_other - lost)):
            shares = []
            for n in SIZES:
                intervals = (_difference(generator.choice(values, size=n), numpy.inf) for _ in range(runs))
                covered = [low <= values.mean() <= high for low, high in filter(None, intervals)]
                shares.append(f"{100 * sum(covered) / len(covered):.1f}")
            yield f"| {noise}, {name} | {' | '.join(shares)} |"


if __name__ == "__main__":
    for line in resampled_table(sys.argv[1]) if sys.argv[1:] else table():
        print(line)
        sys.stdout.flush()
