"""What a run could have seen, and how many problems would settle what it saw: the power of `reports.paired`'s test."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from reports.paired import ALPHA, Array, Differences, sums, tails_of

POWER = 0.8
_FEW = 100  # from this many differences that are not nought on, the normal distribution will do
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
    if n * weights[values != 0].sum() < _FEW:
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
    fewest = 1.0 if upward.part else 2.0
    found = _first(lambda n: power(upward, mean, round(n), alpha) >= POWER, fewest, float(_MOST))
    return None if found is None else round(found)


def _tilted(differences: Differences, mean: float) -> tuple[Array, Array]:
    """Values and their probabilities, as near to the observed ones as their `mean` allows."""
    from scipy.optimize import brentq

    observed = numpy.append(differences.values, [-1.0, 1.0])
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
        tails, alternative = tails_of(sizes, counts), sums(sizes, counts, positive / both)
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
    """The largest mean that a distribution over the observed values can have, or is worth trying; nought where they
    tell of none."""
    if differences.part:
        return float(differences.values.max(initial=1.0))
    if differences.n < 2 or not differences.values.std():
        return 0.0
    return float(abs(differences.mean) + 100 * differences.values.std())


def _first(holds: Callable[[float], bool], low: float, high: float) -> float | None:
    """Where a condition that holds from somewhere on begins to hold, to one part in five hundred; None for nowhere."""
    if not holds(high):
        return None
    while high > low * 1.002:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
