"""Statistics of one number a problem: its mean, an interval and an exact test. No torch.

Every comparison is a mean over problems of a *difference*: clean minus noisy of one model, one model minus another, or
one such difference minus another. Several draws of a problem's noise are averaged within it first, so that the problem
is the unit everywhere: the cluster of a cluster-robust interval. One interval and one test serve them all, and one
power (`reports.stats.power`); docs/statistics.md has the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

Array = NDArray[Any]

LEVEL, ALPHA = 0.95, 0.05
_FINEST = 60  # a mean over up to five draws, some missing, is a multiple of 1/60
_MANY = 1_000  # from this many differences of several sizes on, their sum is taken as normal


@dataclass(frozen=True, eq=False)
class Differences:
    """One number a problem, between −`bound` and `bound`, which is infinite for measurements.

    Where every number is a multiple of one part, as the difference of two right-or-wrong is of 1, tests are exact.
    """

    values: Array
    bound: float = 1.0

    @property
    def n(self) -> int:
        """How many problems."""
        return len(self.values)

    @cached_property
    def mean(self) -> float:
        """Their mean; nought for none."""
        return float(self.values.mean()) if self.n else 0.0

    @cached_property
    def part(self) -> float:
        """The number that all are multiples of, 1/k for the smallest whole k; nought where there is none, as of numbers
        without a bound."""
        if not numpy.isfinite(self.bound):
            return 0.0
        for parts in range(1, _FINEST + 1):
            whole = self.values * parts
            if numpy.abs(whole - numpy.rint(whole)).max(initial=0.0) < 1e-6:
                return 1 / parts
        return 0.0

    @cached_property
    def counts(self) -> tuple[Array, Array]:
        """The values that there are, and how often each is."""
        values, counts = numpy.unique(self.values, return_counts=True)
        return values, counts


def interval(differences: Differences, level: float = LEVEL) -> tuple[float, float] | None:
    """The interval of the mean, as two numbers within the bounds; None where there is nothing to say.

    For multiples of a part, an adjusted Wald interval: one difference of +1 and one of −1 are added to what was
    observed (Bonett & Price, J. Educ. Behav. Stat. 37, 2012, p. 479, for pairs of right-or-wrong), so that it is never
    empty. For other numbers Student's.
    """
    from scipy.stats import norm, t

    if differences.part:
        n, total, squares = differences.n + 2, differences.values.sum(), (differences.values**2).sum() + 2
        mean = float(total / n)
        half = float(norm.ppf((1 + level) / 2) * numpy.sqrt((squares / n - mean**2) / n))
    elif differences.n > 1 and differences.values.std():
        mean = differences.mean
        half = float(t.ppf((1 + level) / 2, differences.n - 1) * differences.values.std(ddof=1) / differences.n**0.5)
    else:
        return None
    return max(-differences.bound, mean - half), min(differences.bound, mean + half)


def p_value(differences: Differences, alternative: str = "two-sided") -> float | None:
    """How probable so large a mean (in size, or with `greater` above nought) is where each difference could as well
    have the other sign; None where there is nothing to test.

    For multiples of a part the test is exact: the sum of the differences with random signs has a distribution that can
    be written down. For pairs of right-or-wrong that is McNemar's exact test. Where thousands of differences are of
    several sizes their sum is taken as normal; for other numbers the test is Student's.
    """
    from scipy.stats import norm, ttest_1samp

    sizes, counts = _sizes(differences)
    one_sided = alternative == "greater"
    if not differences.part:
        if differences.n < 2 or not differences.values.std():
            return None
        return float(ttest_1samp(differences.values, 0.0, alternative=alternative).pvalue)
    if not len(sizes):
        return 1.0 if differences.n else None
    total = round(float(differences.values.sum()) / differences.part)
    if len(sizes) > 1 and counts.sum() > _MANY:
        spread = float(numpy.sqrt((sizes.astype(float) ** 2 * counts).sum()))
        beyond = (total if one_sided else max(abs(total), 1)) - 1  # the sum moves in steps of two parts
        return float(norm.sf(beyond / spread) * (1 if one_sided else 2))
    tails = tails_of(sizes, counts)
    middle = len(tails) // 2
    return float(tails[middle + total] if one_sided else min(1.0, 2 * tails[middle + abs(total)]))


def holm(p_values: list[float | None]) -> list[float | None]:
    """The p values adjusted so that the chance of any false alarm among them stays at the level (Holm, Scand. J. Stat.
    6, 1979, pp. 65-70); what has none is no part of the family."""
    from statsmodels.stats.multitest import multipletests

    known = [p for p in p_values if p is not None]
    adjusted = iter(multipletests(known, method="holm")[1]) if known else iter(())
    return [None if p is None else float(next(adjusted)) for p in p_values]


def _sizes(differences: Differences) -> tuple[Array, Array]:
    """The sizes of the differences that are not nought, in parts, and how many there are of each."""
    if not differences.part:
        return numpy.empty(0, int), numpy.empty(0, int)
    whole = numpy.rint(numpy.abs(differences.values) / differences.part).astype(int)
    sizes, counts = numpy.unique(whole[whole > 0], return_counts=True)
    return sizes, counts


def sums(sizes: Array, counts: Array, chances: Array) -> Array:
    """The probabilities of every sum, from the lowest to the highest, of `counts` numbers of each of `sizes`, each with
    its chance to be positive, and negative otherwise."""
    from scipy.signal import fftconvolve
    from scipy.stats import binom

    found: Array = numpy.ones(1)
    for size, count, chance in zip(sizes, counts, chances, strict=True):
        one = numpy.zeros(2 * size * count + 1)
        one[:: 2 * size] = binom.pmf(numpy.arange(count + 1), count, chance)
        small = min(len(found), len(one)) < 500
        found = numpy.convolve(found, one) if small else numpy.clip(fftconvolve(found, one), 0, None)
    return found


def tails_of(sizes: Array, counts: Array) -> Array:
    """For each sum with random signs, how probable it or a higher one is."""
    tails: Array = numpy.minimum(1.0, numpy.cumsum(sums(sizes, counts, numpy.full(len(sizes), 0.5))[::-1])[::-1])
    return tails
