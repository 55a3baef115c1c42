"""The power of the paired test: the smallest effect a run can detect, and the sample size an effect needs."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log

import numpy

from reports.stats.paired_tests import ALPHA, Array, Differences, sums, tails_of

POWER = 0.8
_FEW = 100  # from this many differences that are not nought on, the normal distribution will do
_LARGEST = 1_000  # up to this sum, in parts, differences of several sizes have their power computed
_DRAWN, _EXACT = 2_000, 50  # how often the numbers of each size are drawn, and how many of these are exact
_MOST = 10_000_000  # problems that are worth proposing


def power(differences: Differences, mean: float, n: int, alpha: float = ALPHA) -> float:
    """How probable a two-sided p of at most `alpha` is over `n` problems whose differences have that `mean`.

    The differences are distributed as those observed, one of +1 and one of −1 added, tilted until their mean is `mean`
    (Efron, Can. J. Stat. 9, 1981, pp. 139-172); measurements as if normal, with the spread observed.
    """
    from scipy.stats import nct, norm, t

    if not differences.part:
        centre = abs(mean) * n**0.5 / differences.values.std(ddof=1)
        beyond = t.ppf(1 - alpha / 2, n - 1)
        return float(nct.sf(beyond, n - 1, centre)) if centre < beyond + 10 else 1.0
    values, weights = _tilted(differences, mean)
    second = float(weights @ values**2)
    sizes = numpy.unique(numpy.abs(values[values != 0]))
    largest = n * float(weights @ numpy.abs(values)) / differences.part
    if len(sizes) == 1 and n * weights[values != 0].sum() < _FEW:
        return _power_of_one_size(float(weights[values > 0].sum()), float(weights[values < 0].sum()), n, alpha)
    if len(sizes) > 1 and largest < _LARGEST:
        return _power_of_sizes(differences.part, values, weights, n, alpha)
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
    return _reached(lambda mean: power(upward, mean, upward.n, alpha), 1e-9, top)


def needed(differences: Differences, alpha: float = ALPHA) -> int | None:
    """How many problems show the mean that was observed with a power of 80 %; None where that is nought, or would take
    more than ten million."""
    upward = _upward(differences)
    mean = min(upward.mean, 0.99 * _largest(upward))
    if not mean:
        return None
    fewest = 1.0 if upward.part else 2.0
    found = _reached(lambda n: power(upward, mean, round(n), alpha), fewest, float(_MOST))
    return None if found is None else round(found)


def _tilted(differences: Differences, mean: float) -> tuple[Array, Array]:
    """Values and their probabilities, as near to the observed ones as their `mean` allows."""
    from scipy.optimize import brentq

    observed, times = differences.counts
    values = numpy.union1d(observed, [-1.0, 1.0])
    counts = numpy.isin(values, (-1.0, 1.0)).astype(int)
    counts[numpy.searchsorted(values, observed)] += times
    scale = numpy.abs(values).max(initial=0.0) or 1.0
    logarithms = numpy.log(counts / counts.sum())

    def weights(tilt: float) -> Array:
        exponents = logarithms + tilt * values / scale
        found: Array = numpy.exp(exponents - exponents.max())
        return found / found.sum()

    return values, weights(brentq(lambda tilt: float(weights(tilt) @ values) - mean, -700, 700))


def _power_of_one_size(positive: float, negative: float, n: int, alpha: float) -> float:
    """The power of the exact test where all differences that are not nought are as large, over how many there are."""
    from scipy.stats import binom

    others, one = binom(n, min(1.0, positive + negative)), numpy.ones(1, dtype=int)
    numbers = numpy.unique(numpy.linspace(others.ppf(0.001), others.ppf(0.999), 15).astype(int))
    edges = numpy.concatenate([[-1], (numbers[1:] + numbers[:-1]) // 2, [n]])
    found = 0.0
    for number, chance in zip(numbers, numpy.diff(others.cdf(edges)), strict=True):
        tails = tails_of(one, one * number)
        alternative = sums(one, one * number, one * positive / (positive + negative))
        middle = len(tails) // 2
        significant = numpy.flatnonzero(2 * tails[middle:] <= alpha)
        if len(significant):
            first = significant[0]
            found += chance * float(alternative[middle + first :].sum() + alternative[: middle - first + 1].sum())
    return found


def _power_of_sizes(part: float, values: Array, weights: Array, n: int, alpha: float) -> float:
    """The power of the exact test where differences are of several sizes: the mean over how many there may be of each.

    That is drawn (seeded) many times, and the power taken as if sums were normal, corrected by the exact power of some.
    """
    from scipy.stats import norm

    whole = numpy.rint(values / part).astype(int)
    sizes = numpy.unique(numpy.abs(whole[whole != 0]))
    positive, negative = (numpy.array([weights[whole == sign * size].sum() for size in sizes]) for sign in (1, -1))
    both = positive + negative
    rest = max(0.0, 1.0 - both.sum())
    counts = numpy.random.default_rng(0).multinomial(n, [*both / (both.sum() + rest), rest], size=_DRAWN)[:, :-1]
    chances = positive / both
    spread = numpy.sqrt(counts @ sizes**2)
    over = counts @ (sizes * (2 * chances - 1)) - 1 - norm.ppf(1 - alpha / 2) * spread
    rough = norm.cdf(over / numpy.sqrt(numpy.maximum(counts @ (4 * sizes**2 * chances * (1 - chances)), 1e-9)))
    exact = _exact_powers(sizes, counts[:_EXACT], chances, alpha)
    return float(numpy.clip(rough.mean() + (exact - rough[:_EXACT]).mean(), 0, 1))


def _exact_powers(sizes: Array, counts: Array, chances: Array, alpha: float) -> Array:
    """For each row of `counts`, (draw, size), the power of the exact test over as many differences of each size. The
    distributions of all sums come from their characteristic functions."""
    highest = int((counts @ sizes).max(initial=0))
    length = 1 << (2 * highest + 1).bit_length()
    angles = 2j * numpy.pi * numpy.arange(length // 2 + 1) / length

    def distributions(positive: Array) -> Array:
        """Of each row the chances of every sum, from −`highest` on."""
        turns = numpy.exp(-angles * sizes[:, None])
        logarithms = numpy.log(positive[:, None] * turns + (1 - positive[:, None]) / turns + 1e-300)
        shifted = numpy.exp(counts @ logarithms - angles * highest)
        found: Array = numpy.clip(numpy.fft.irfft(shifted, length, axis=1)[:, : 2 * highest + 1], 0, None)
        return found

    under_null, under_mean = distributions(numpy.full(len(sizes), 0.5)), distributions(chances)
    tails = numpy.cumsum(under_null[:, ::-1], axis=1)[:, ::-1]
    rejected = numpy.minimum(2 * tails, 1.0) <= alpha
    rejected[:, : highest + 1] = False
    powers: Array = (under_mean * (rejected | rejected[:, ::-1])).sum(axis=1)
    return powers


def _upward(differences: Differences) -> Differences:
    """The differences, turned where their mean is below nought."""
    return Differences(-differences.values, differences.bound) if differences.mean < 0 else differences


def _largest(differences: Differences) -> float:
    """The largest mean that a distribution over the observed values can have, or is worth trying; nought where they
    tell of none."""
    if differences.part:
        return float(differences.values.max(initial=1.0))
    if differences.n < 2 or not differences.values.std():
        return 0.0
    return float(abs(differences.mean) + 100 * differences.values.std())


def _reached(power_at: Callable[[float], float], low: float, high: float) -> float | None:
    """Where a power that grows reaches 80 %, to one part in five hundred; None for nowhere."""
    from scipy.optimize import brentq

    if power_at(high) < POWER:
        return None
    if power_at(low) >= POWER:
        return low
    found = brentq(lambda logarithm: power_at(exp(logarithm)) - POWER, log(low), log(high), xtol=0.002)
    return exp(found)
