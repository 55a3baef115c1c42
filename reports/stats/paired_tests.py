"""Statistics of paired differences, one per problem: mean, confidence interval and exact test.

Every comparison is a mean over problems of a *difference*: clean minus noisy of one model, one model minus another, or
one such difference minus another. Several draws of a problem's noise are averaged first, so that the problem is always
the unit: the cluster of a cluster-robust interval. All comparisons use the same interval, test and power
(`reports.stats.power`); docs/statistics.md has the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

Array = NDArray[Any]

LEVEL, ALPHA = 0.95, 0.05
_MAX_DENOMINATOR = 60  # a mean over up to five draws, some missing, is a multiple of 1/60
_MAX_EXACT = 1_000  # above this many differences of several sizes, their sum is approximated as normal
#: Nats a token and lifts that differ by less are equal: what float32 and six decimals on disk leave of equal models.
_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Differences:
    """One difference per problem, between −`bound` and `bound`, which is infinite for measurements.

    If all differences are multiples of one `step`, as those of two correct-or-incorrect answers are of 1, tests are
    exact.
    """

    values: Array
    bound: float = 1.0

    @property
    def n(self) -> int:
        """The number of problems."""
        return len(self.values)

    @cached_property
    def mean(self) -> float:
        """The mean difference; 0 if there is none."""
        return float(self.values.mean()) if self.n else 0.0

    @cached_property
    def step(self) -> float:
        """The step that all differences are multiples of: 1/k for the smallest integer k.

        It is 0 if there is none, or if the differences are unbounded.
        """
        if not numpy.isfinite(self.bound):
            return 0.0
        for denominator in range(1, _MAX_DENOMINATOR + 1):
            scaled = self.values * denominator
            if numpy.abs(scaled - numpy.rint(scaled)).max(initial=0.0) < 1e-6:
                return 1 / denominator
        return 0.0

    @cached_property
    def value_counts(self) -> tuple[Array, Array]:
        """The distinct differences, and the count of each."""
        values, counts = numpy.unique(self.values, return_counts=True)
        return values, counts


def interval(differences: Differences, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the confidence interval of the mean, within the bounds; None if there are too few differences.

    For multiples of a step it is an adjusted Wald interval: one difference of +1 and one of −1 are added to those
    observed (Bonett & Price, J. Educ. Behav. Stat. 37, 2012, p. 479, for binary pairs), so that it is never empty. For
    other differences it is Student's.
    """
    from scipy.stats import norm, t

    if differences.step:
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
    """Return the p value of the hypothesis that each difference is as likely to have the other sign; None if there is
    nothing to test. `alternative` is "two-sided", or "greater" for a mean above 0.

    For multiples of a step it is an exact sign-flip test, from the distribution of the sum with random signs; for
    binary pairs that is McNemar's exact test. The sum of more than a thousand differences of several sizes is
    approximated as normal. For other differences the test is Student's, and p is 1 where all of them are rounding.
    """
    from scipy.stats import norm, ttest_1samp

    if not differences.step:
        if differences.n < 2 or not differences.values.std():
            return None
        if numpy.abs(differences.values).max() <= _ROUNDING:
            return 1.0
        return float(ttest_1samp(differences.values, 0.0, alternative=alternative).pvalue)
    sizes, counts = _size_counts(differences)
    one_sided = alternative == "greater"
    if not len(sizes):
        return 1.0 if differences.n else None
    total = round(float(differences.values.sum()) / differences.step)
    if len(sizes) > 1 and counts.sum() > _MAX_EXACT:
        spread = float(numpy.sqrt((sizes.astype(float) ** 2 * counts).sum()))
        corrected = (total if one_sided else max(abs(total), 1)) - 1  # continuity: a flipped sign moves the sum by 2
        return float(norm.sf(corrected / spread) * (1 if one_sided else 2))
    tails = upper_tails(sizes, counts)
    middle = len(tails) // 2
    return float(tails[middle + total] if one_sided else min(1.0, 2 * tails[middle + abs(total)]))


def holm(p_values: list[float | None]) -> list[float | None]:
    """Return the p values adjusted so that the family-wise error rate stays at the level (Holm, Scand. J. Stat. 6,
    1979, pp. 65-70). None is not part of the family.

    Not statsmodels' function: it collects garbage at each call, a third of a second in a process that has torch.
    """
    adjusted = [None if p is None else 1.0 for p in p_values]
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    highest = 0.0
    for rank, (p, index) in enumerate(known):
        highest = max(highest, (len(known) - rank) * p)
        adjusted[index] = min(1.0, highest)
    return adjusted


def _size_counts(differences: Differences) -> tuple[Array, Array]:
    """Return the distinct sizes of the non-zero differences, in steps, and the count of each."""
    in_steps = numpy.rint(numpy.abs(differences.values) / differences.step).astype(int)
    sizes, counts = numpy.unique(in_steps[in_steps > 0], return_counts=True)
    return sizes, counts


def sum_distribution(sizes: Array, counts: Array, positive: Array) -> Array:
    """Return the probabilities of every sum, from the lowest to the highest, of `counts[i]` numbers of size `sizes[i]`.

    Each is positive with probability `positive[i]` and negative otherwise.
    """
    from scipy.signal import fftconvolve
    from scipy.stats import binom

    total: Array = numpy.ones(1)
    for size, count, probability in zip(sizes, counts, positive, strict=True):
        of_size = numpy.zeros(2 * size * count + 1)
        of_size[:: 2 * size] = binom.pmf(numpy.arange(count + 1), count, probability)
        small = min(len(total), len(of_size)) < 500
        total = numpy.convolve(total, of_size) if small else numpy.clip(fftconvolve(total, of_size), 0, None)
    return total


def upper_tails(sizes: Array, counts: Array) -> Array:
    """Return for each sum with random signs the probability of that sum or a higher one."""
    distribution = sum_distribution(sizes, counts, numpy.full(len(sizes), 0.5))
    tails: Array = numpy.minimum(1.0, numpy.cumsum(distribution[::-1])[::-1])
    return tails
