"""Statistics over training seeds: the seed is the unit, and there are few of them.

`docs/statistics.md` has the formulas, and what they are worth with three, five and eight seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy

from reports.stats.paired_tests import ALPHA, LEVEL, Array

_POWER = 0.8
#: Above this many seeds, not every way to flip signs is tried, but so many.
_MOST_FLIPPED, _RANDOM_FLIPS = 16, 100_000


@dataclass(frozen=True)
class CrossedMean:
    """A mean over seeds and problems, both of them random: its 95 % interval, p, and the standard deviation that each
    contributes to a single value."""

    low: float
    high: float
    p: float
    seed_sd: float
    problem_sd: float
    rest_sd: float


def _vary(values: Array) -> bool:
    """Return whether there are several values, and they differ by more than rounding."""
    return values.size > 1 and float(numpy.ptp(values)) > 1e-12


def seed_interval(values: Array, level: float = LEVEL) -> tuple[float, float] | None:
    """Return Student's interval of the mean of one value per seed; None if they do not vary or there is only one."""
    from scipy.stats import t

    n = len(values)
    if not _vary(values):
        return None
    half = float(t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / n**0.5)
    return float(values.mean()) - half, float(values.mean()) + half


def seed_p_value(values: Array) -> float | None:
    """Return the p value of Student's test of a mean of 0; None if values do not vary or there is only one."""
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(values, 0.0).pvalue) if _vary(values) else None


def sign_flip_p_value(values: Array) -> float:
    """Return the p value of the hypothesis that each value is as likely to have the other sign, two-sided.

    It is exact for up to 16 seeds, for which every choice of signs is tried: with n seeds it is 2 / 2ⁿ at least.
    """
    n = len(values)
    if n <= _MOST_FLIPPED:
        signs = numpy.array(list(product((1.0, -1.0), repeat=n)))
    else:
        signs = numpy.random.default_rng(0).choice((1.0, -1.0), size=(_RANDOM_FLIPS, n))
        signs[0] = 1.0
    sums = numpy.abs(signs @ values)
    return float(numpy.mean(sums >= abs(values.sum()) - 1e-9))


def detectable_over_seeds(values: Array, alpha: float = ALPHA) -> float | None:
    """Return the smallest mean that as many seeds show in 80 % of runs, if seeds vary as these do."""
    n = len(values)
    return _factor(n, alpha) * float(values.std(ddof=1)) / n**0.5 if _vary(values) else None


def _factor(n: int, alpha: float) -> float:
    """Return how many standard errors a mean has to be for Student's test to show it in 80 % of runs."""
    from scipy.stats import t

    return float(t.ppf(1 - alpha / 2, n - 1) + t.ppf(_POWER, n - 1))


def crossed_mean(values: Array) -> CrossedMean | None:
    """Return the mean of (seeds, problems) with both as random effects; None for fewer than two of either.

    The variance components are those of the two-way analysis of variance without replication, none below 0, and the
    degrees of freedom Satterthwaite's (Searle, Casella & McCulloch, Variance Components, 1992, ch. 4). For balanced
    values such as these they are the estimates of a mixed model by REML.
    """
    from scipy.stats import t

    seeds, problems = values.shape
    if seeds < 2 or problems < 2 or not _vary(values):
        return None
    mean = float(values.mean())
    by_seed, by_problem = values.mean(axis=1), values.mean(axis=0)
    rest = values - by_seed[:, None] - by_problem[None, :] + mean
    squares = {
        "seed": problems * by_seed.var(ddof=1),
        "problem": seeds * by_problem.var(ddof=1),
        "rest": (rest**2).sum() / ((seeds - 1) * (problems - 1)),
    }
    of_seeds = max(0.0, squares["seed"] - squares["rest"])
    of_problems = max(0.0, squares["problem"] - squares["rest"])
    total = squares["rest"] + of_seeds + of_problems
    degrees = {"seed": seeds - 1, "problem": problems - 1, "rest": (seeds - 1) * (problems - 1)}
    kept = {"seed": of_seeds > 0, "problem": of_problems > 0}
    weights = {"seed": kept["seed"], "problem": kept["problem"], "rest": 1 - kept["seed"] - kept["problem"]}
    uncertainty = sum((weights[name] * squares[name]) ** 2 / degrees[name] for name in squares)
    freedom = total**2 / uncertainty
    error = float((total / (seeds * problems)) ** 0.5)
    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * error
    return CrossedMean(
        low=mean - half,
        high=mean + half,
        p=float(2 * t.sf(abs(mean) / error, freedom)),
        seed_sd=float((of_seeds / problems) ** 0.5),
        problem_sd=float((of_problems / seeds) ** 0.5),
        rest_sd=float(squares["rest"] ** 0.5),
    )
