"""How often the intervals hold what they should, in simulated runs: `python -m tests.reports.calibration` prints it,
and `python -m tests.reports.calibration RESULTS` the same of the likelihoods measured in a results folder.

A run asks `n` problems. Each has a difficulty of its own, so that the answers to one problem, by another model, with
noise or in another draw of it, are alike: their latent normal variables have a correlation of one half. A clean
problem is answered with the probability p, a noisy one with less; what is true is known, and an interval either holds
it or does not.
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

from reports.stats.noise_doses import CLEAN
from reports.stats.paired_tests import Differences, interval
from reports.stats.problem_scores import LIKELIHOOD, all_scores, together
from reports.stats.proportions import relative_drop, wilson, wilson_by_problem
from reports.store.results_folder import Results

Array = NDArray[Any]
SIZES = (20, 200, 1319)
ACCURACIES = (0.02, 0.1, 0.5, 0.9)
RUNS = 4_000
_ALIKE = 0.5
_DRAWS = 3


def answers(generator: Generator, n: int, chances: Sequence[float], alike: float = _ALIKE) -> Array:
    """Right (1) or wrong (0), (answer, problem): each answer with its chance to be right."""
    difficulty = generator.normal(size=n) * alike**0.5
    latent = difficulty + generator.normal(size=(len(chances), n)) * (1 - alike) ** 0.5
    right: Array = (latent < norm.ppf(chances)[:, None]).astype(float)
    return right


@dataclass(frozen=True)
class Kind:
    """An interval: what is simulated at an accuracy `p`, what is true there, and the interval of one run."""

    name: str
    chances: Callable[[float], Sequence[float]]
    truth: Callable[[float], float]
    of: Callable[[Array], tuple[float, float] | None]


def _difference(values: Array, bound: float = 1.0) -> tuple[float, float] | None:
    return interval(Differences(values, bound))


def _drop(right: Array) -> tuple[float, float] | None:
    found = relative_drop(right[0], right[1])
    return None if found is None else found[1:]


def _drawn(right: Array) -> Array:
    return right.mean(axis=0)


KINDS = (
    Kind("accuracy", lambda p: [p], lambda p: p, lambda r: wilson(int(r.sum()), r.size)),
    Kind(
        "accuracy, 3 draws",
        lambda p: [p] * _DRAWS,
        lambda p: p,
        lambda r: wilson_by_problem(_drawn(r), numpy.full(r.shape[1], _DRAWS)),
    ),
    Kind("model difference of 0", lambda p: [p, p], lambda p: 0.0, lambda r: _difference(r[0] - r[1])),
    Kind("degradation", lambda p: [p, 0.7 * p], lambda p: 0.3 * p, lambda r: _difference(r[0] - r[1])),
    Kind(
        "degradation, 3 draws",
        lambda p: [p, *[0.7 * p] * _DRAWS],
        lambda p: 0.3 * p,
        lambda r: _difference(r[0] - _drawn(r[1:])),
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
        lambda r: _difference((r[0] - _drawn(r[2 : 2 + _DRAWS])) - (r[1] - _drawn(r[2 + _DRAWS :])), 2.0),
    ),
)


def coverage(kind: Kind, n: int, p: float, runs: int = RUNS) -> float:
    """The share of `runs` whose interval holds the truth, of those that have an interval at all."""
    generator = numpy.random.default_rng([n, round(1000 * p), KINDS.index(kind)])
    found = (kind.of(answers(generator, n, kind.chances(p))) for _ in range(runs))
    held = [low <= kind.truth(p) <= high for low, high in filter(None, found)]
    return sum(held) / len(held)


def table(runs: int = RUNS) -> Iterator[str]:
    """Coverage in per cent, as the lines of a Markdown table."""
    yield "| interval | n | " + " | ".join(f"p = {p}" for p in ACCURACIES) + " |"
    yield "|---|---|" + "---|" * len(ACCURACIES)
    for kind in KINDS:
        for n in SIZES:
            figures = (f"{100 * coverage(kind, n, p, runs):.1f}" for p in ACCURACIES)
            yield f"| {kind.name} | {n:,} | {' | '.join(figures)} |"


def measured(folder: str, runs: int = 2_000) -> Iterator[str]:
    """The same of likelihoods, whose distribution is nobody's to choose: runs draw their problems, with replacement,
    from those of the results in `folder`, whose own mean is the truth. A line for each difference of its models."""
    generator = numpy.random.default_rng(0)
    cells = {(one.cell.model, one.cell.noise): one for one in all_scores(Results(folder)) if one.measure == LIKELIHOOD}
    models = sorted({model for model, _ in cells})
    yield "| difference, resampled | " + " | ".join(f"n = {n:,}" for n in SIZES) + " |"
    yield "|---|" + "---|" * len(SIZES)
    for noise in sorted({noise for _, noise in cells} - {CLEAN}):
        four = [cells[model, name] for model in models[:2] for name in (CLEAN, noise)]
        (clean, noisy, other_clean, other_noisy), _ = together(four)
        lost, lost_by_other = clean - noisy, other_clean - other_noisy
        for name, values in ((models[0], lost), (models[1], lost_by_other), ("difference", lost_by_other - lost)):
            shares = []
            for n in SIZES:
                found = (_difference(generator.choice(values, size=n), numpy.inf) for _ in range(runs))
                held = [low <= values.mean() <= high for low, high in filter(None, found)]
                shares.append(f"{100 * sum(held) / len(held):.1f}")
            yield f"| {noise}, {name} | {' | '.join(shares)} |"


if __name__ == "__main__":
    for line in measured(sys.argv[1]) if sys.argv[1:] else table():
        print(line)
        sys.stdout.flush()
