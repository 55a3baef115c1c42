"""Statistics of one number a problem: its mean, an interval, an exact test, and what could have been seen. No torch.

Every comparison is a mean over problems of a *difference*: clean minus noisy of one model, one model minus another, or
one such difference minus another. Several draws of a problem's noise are averaged within it first, so that the problem
is the unit everywhere: the cluster of a cluster-robust interval. One interval, one test and one power serve them all,
and docs/statistics.md says how well they keep what they promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

Array = NDArray[Any]

LEVEL, ALPHA, POWER = 0.95, 0.05, 0.8
_FINEST = 60  # a mean over up to five draws, some missing, is a multiple of 1/60
_FEW = 100  # from this many differences that are not nought on, the normal distribution will do for a power
_MANY = 1_000  # and from this many on for a test whose differences are of several sizes
_MOST = 10_000_000  # problems that are worth proposing


@dataclass(frozen=True, eq=False)
class Differences:
    """One number a problem, between −`bound` and `bound`.

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
        """The number that all are multiples of, 1/k for the smallest whole k; nought where there is none."""
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
    elif differences.n > 1:
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
    tails = _tails(sizes, counts)
    middle = len(tails) // 2
    return float(tails[middle + total] if one_sided else min(1.0, 2 * tails[middle + abs(total)]))


def power(differences: Differences, mean: float, n: int, alpha: float = ALPHA) -> float:
    """How probable a two-sided p of at most `alpha` is over `n` problems whose differences have that `mean`.

    The differences are distributed as those observed, one of +1 and one of −1 added, tilted until their mean is `mean`
    (Efron, Can. J. Stat. 9, 1981, pp. 139-172).
    """
    from scipy.stats import norm

    values, weights = _tilted(differences, mean)
    second = float(weights @ values**2)
    if differences.part and n * weights[values != 0].sum() < _FEW:
        return _exact_power(differences.part, values, weights, n, alpha)
    step = differences.part  # half of what the sum moves by when one difference changes its sign
    beyond = abs(mean) * n - step - norm.ppf(1 - alpha / 2) * numpy.sqrt(n * second)
    return float(norm.cdf(beyond / numpy.sqrt(n * max(second - mean**2, 1e-12))))


def detectable(differences: Differences, alpha: float = ALPHA) -> float | None:
    """The smallest mean, in the direction of the one observed, that as many problems show with a power of 80 %; None
    where none is large enough."""
    upward = _upward(differences)
    top = 0.99 * _largest(upward)
    if not upward.n or not top or (upward.part and 0.5 ** (upward.n - 1) > alpha):
        return None  # no sign of so few is significant
    return _first(lambda mean: power(upward, mean, upward.n, alpha) >= POWER, 1e-9, top)


def needed(differences: Differences, alpha: float = ALPHA) -> int | None:
    """How many problems show the mean that was observed with a power of 80 %; None where that is nought, or would take
    more than ten million."""
    upward = _upward(differences)
    mean = min(upward.mean, 0.99 * _largest(upward))
    if not mean:
        return None
    found = _first(lambda n: power(upward, mean, round(n), alpha) >= POWER, 1.0, float(_MOST))
    return None if found is None else round(found)


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


def _sums(sizes: Array, counts: Array, chances: Array) -> Array:
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


def _tails(sizes: Array, counts: Array) -> Array:
    """For each sum with random signs, how probable it or a higher one is."""
    tails: Array = numpy.minimum(1.0, numpy.cumsum(_sums(sizes, counts, numpy.full(len(sizes), 0.5))[::-1])[::-1])
    return tails


def _tilted(differences: Differences, mean: float) -> tuple[Array, Array]:
    """Values and their probabilities, as near to the observed ones as their `mean` allows."""
    from scipy.optimize import brentq

    observed = numpy.append(differences.values, [-1.0, 1.0]) if differences.part else differences.values
    values, counts = numpy.unique(observed, return_counts=True)
    scale = numpy.abs(values).max(initial=0.0) or 1.0
    logarithms = numpy.log(counts / counts.sum())

    def weights(tilt: float) -> Array:
        exponents = logarithms + tilt * values / scale
        found: Array = numpy.exp(exponents - exponents.max())
        return found / found.sum()

    return values, weights(brentq(lambda tilt: float(weights(tilt) @ values) - mean, -700, 700))


def _exact_power(part: float, values: Array, weights: Array, n: int, alpha: float) -> float:
    """The power of the exact test, over how many of `n` differences are not nought; those in proportion."""
    from scipy.stats import binom

    whole = numpy.rint(values / part).astype(int)
    sizes = numpy.unique(numpy.abs(whole[whole != 0]))
    positive, negative = (numpy.array([weights[whole == sign * size].sum() for size in sizes]) for sign in (1, -1))
    both = positive + negative
    others = binom(n, min(1.0, both.sum()))
    numbers = numpy.unique(numpy.linspace(others.ppf(0.001), others.ppf(0.999), 15).astype(int))
    edges = numpy.concatenate([[-1], (numbers[1:] + numbers[:-1]) // 2, [n]])
    found = 0.0
    for number, chance in zip(numbers, numpy.diff(others.cdf(edges)), strict=True):
        counts = _apportioned(both / both.sum(), number)
        tails, alternative = _tails(sizes, counts), _sums(sizes, counts, positive / both)
        middle = len(tails) // 2
        significant = numpy.flatnonzero(2 * tails[middle:] <= alpha)
        if len(significant):
            first = significant[0]
            found += chance * float(alternative[middle + first :].sum() + alternative[: middle - first + 1].sum())
    return found


def _apportioned(shares: Array, number: int) -> Array:
    """`number` in whole parts after `shares`: the largest remainders are rounded up."""
    counts: Array = numpy.floor(shares * number).astype(int)
    counts[numpy.argsort(counts - shares * number, kind="stable")[: number - counts.sum()]] += 1
    return counts


def _upward(differences: Differences) -> Differences:
    """The differences, turned where their mean is below nought."""
    return Differences(-differences.values, differences.bound) if differences.mean < 0 else differences


def _largest(differences: Differences) -> float:
    """The largest mean that a distribution over the observed values can have; nought where they tell of none."""
    if not differences.part and (differences.n < 2 or not differences.values.std()):
        return 0.0
    return float(differences.values.max(initial=1.0 if differences.part else 0.0))


def _first(holds: Callable[[float], bool], low: float, high: float) -> float | None:
    """Where a condition that holds from somewhere on begins to hold, to one part in five hundred; None for nowhere."""
    if not holds(high):
        return None
    while high > low * 1.002:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
