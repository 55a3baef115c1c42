"""Power of the paired test: the smallest detectable effect, and the sample size that an effect needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import exp, log

import numpy

from reports.stats.paired_tests import ALPHA, Array, Differences

POWER = 0.8
_NORMAL_FROM = 100  # from this expected number of non-zero differences of one size, their sum is taken as normal
_MAX_SIMULATED_SUM = 1_000  # up to this expected sum, in steps, the power over several sizes is simulated
_SAMPLES, _EXACT_SAMPLES = 2_000, 50  # samples of the count of each size, and how many of them have an exact power
_MAX_PROBLEMS = 10_000_000  # the largest sample size that is worth proposing


def power(differences: Differences, mean: float, n: int, alpha: float = ALPHA) -> float:
    """Return the probability of a two-sided p of at most `alpha` over `n` problems whose differences have this `mean`.

    The differences are distributed as those observed plus one of +1 and one of −1, exponentially tilted to the `mean`
    (Efron, Can. J. Stat. 9, 1981, pp. 139-172). Measurements are taken as normal, with the observed standard deviation.
    """
    from scipy.stats import nct, norm, t

    if not differences.step:
        noncentrality = abs(mean) * n**0.5 / differences.values.std(ddof=1)
        critical = t.ppf(1 - alpha / 2, n - 1)
        return float(nct.sf(critical, n - 1, noncentrality))
    values, weights = _tilted(differences, mean)
    second_moment = float(weights @ values**2)
    sizes = numpy.unique(numpy.abs(values[values != 0]))
    expected_sum = n * float(weights @ numpy.abs(values)) / differences.step
    if len(sizes) == 1 and n * weights[values != 0].sum() < _NORMAL_FROM:
        return _power_of_one_size(float(weights[values > 0].sum()), float(weights[values < 0].sum()), n, alpha)
    if len(sizes) > 1 and expected_sum < _MAX_SIMULATED_SUM:
        return _power_of_sizes(differences.step, values, weights, n, alpha)
    continuity = differences.step  # half of what the sum moves by if the smallest difference changes its sign
    margin = abs(mean) * n - continuity - norm.ppf(1 - alpha / 2) * numpy.sqrt(n * second_moment)
    return float(norm.cdf(margin / numpy.sqrt(n * max(second_moment - mean**2, 1e-12))))


def detectable_effect(differences: Differences, alpha: float = ALPHA) -> float | None:
    """Return the smallest mean that this number of problems shows with a power of 80 %, in the observed direction; None
    if no mean is large enough."""
    upward = _with_positive_mean(differences)
    top = 0.99 * _max_mean(upward)
    if not upward.n or not top:
        return None
    return _solve_for_power(lambda mean: power(upward, mean, upward.n, alpha), 1e-9, top)


def needed_problems(differences: Differences, alpha: float = ALPHA) -> int | None:
    """Return the number of problems that show the observed mean with a power of 80 %; None if the mean is 0, or if more
    than ten million would be needed."""
    upward = _with_positive_mean(differences)
    mean = min(upward.mean, 0.99 * _max_mean(upward))
    if not mean:
        return None
    n = _solve_for_power(lambda n: power(upward, mean, round(n), alpha), 2.0, float(_MAX_PROBLEMS))
    return None if n is None else round(n)


def _tilted(differences: Differences, mean: float) -> tuple[Array, Array]:
    """Return the values and their probabilities, exponentially tilted to the `mean`."""
    from scipy.optimize import brentq

    observed, observed_counts = differences.value_counts
    values = numpy.union1d(observed, [-1.0, 1.0])
    counts = numpy.isin(values, (-1.0, 1.0)).astype(int)
    counts[numpy.searchsorted(values, observed)] += observed_counts
    logarithms = numpy.log(counts)

    def weights(tilt: float) -> Array:
        exponents = logarithms + tilt * values
        unnormalised: Array = numpy.exp(exponents - exponents.max())
        return unnormalised / unnormalised.sum()

    return values, weights(brentq(lambda tilt: float(weights(tilt) @ values) - mean, -700, 700))


def _power_of_one_size(positive: float, negative: float, n: int, alpha: float) -> float:
    """Return the power of the exact test if all non-zero differences have one size, averaged over their number."""
    from scipy.stats import binom

    share = min(1.0, positive + negative)
    counts = numpy.arange(int(binom.ppf(1 - 1e-6, n, share)) + 1)
    fewest = numpy.array([_fewest_positive(int(count), alpha) for count in counts])
    of_nonzero = positive / (positive + negative)
    rejected = binom.sf(fewest - 1, counts, of_nonzero) + binom.cdf(counts - fewest, counts, of_nonzero)
    return float(binom.pmf(counts, n, share) @ rejected)


@functools.cache
def _fewest_positive(count: int, alpha: float) -> int:
    """Return the smallest number of positive signs among `count` that the two-sided sign test rejects at `alpha`, and
    `count + 1` where it rejects none."""
    from scipy.stats import binom

    possible = numpy.arange(count // 2 + 1, count + 2)
    rejected = 2 * binom.sf(possible - 1, count, 0.5) <= alpha
    return int(possible[numpy.argmax(rejected)])


def _power_of_sizes(step: float, values: Array, weights: Array, n: int, alpha: float) -> float:
    """Return the power of the exact test over differences of several sizes, averaged over the counts of each size.

    The counts are sampled with a fixed seed. The power of each sample is approximated with normal sums, and the mean is
    corrected by the exact power of some samples.
    """
    from scipy.stats import norm

    in_steps = numpy.rint(values / step).astype(int)
    sizes = numpy.unique(numpy.abs(in_steps[in_steps != 0]))
    up, down = (numpy.array([weights[in_steps == sign * size].sum() for size in sizes]) for sign in (1, -1))
    shares = [*up + down, 0.0]  # numpy takes the last share, that of no difference, as what is left
    counts = numpy.random.default_rng(0).multinomial(n, shares, size=_SAMPLES)[:, :-1]
    positive = up / (up + down)
    drift = sizes * (2 * positive - 1)
    margin = counts @ drift - 1 - norm.ppf(1 - alpha / 2) * numpy.sqrt(counts @ sizes**2)
    variance = counts @ (sizes**2 - drift**2)
    approximate = norm.cdf(margin / numpy.sqrt(numpy.maximum(variance, 1e-9)))
    exact = _exact_powers(sizes, counts[:_EXACT_SAMPLES], positive, alpha)
    return float(numpy.clip(approximate.mean() + (exact - approximate[:_EXACT_SAMPLES]).mean(), 0, 1))


def _exact_powers(sizes: Array, counts: Array, positive: Array, alpha: float) -> Array:
    """Return the power of the exact test for each row of `counts` (sample, size).

    The distributions of the sums are computed from their characteristic functions.
    """
    highest = int((counts @ sizes).max())
    angles = 1j * numpy.pi * numpy.arange(highest + 2) / (highest + 1)

    def distributions(positive: Array) -> Array:
        """Return for each row the probability of every sum, from −`highest`."""
        turns = numpy.exp(-angles * sizes[:, None])
        logarithms = numpy.log(positive[:, None] * turns + (1 - positive[:, None]) / turns + 1e-300)
        probabilities: Array = numpy.fft.irfft(numpy.exp(counts @ logarithms - angles * highest))
        return probabilities[:, :-1]

    under_null, under_mean = distributions(numpy.full(len(sizes), 0.5)), distributions(positive)
    rejected = 2 * numpy.cumsum(under_null, axis=1) <= alpha  # the lower tail; the upper one is its mirror image
    powers: Array = (under_mean * (rejected | rejected[:, ::-1])).sum(axis=1)
    return powers


def _with_positive_mean(differences: Differences) -> Differences:
    """Return the differences, negated if their mean is negative."""
    return Differences(-differences.values, differences.bound) if differences.mean < 0 else differences


def _max_mean(differences: Differences) -> float:
    """Return the largest mean to try: the largest possible over the observed values, or 100 standard deviations above
    the observed one; 0 if there is no spread."""
    if differences.step:
        return float(differences.values.max(initial=1.0))
    if differences.n < 2 or not differences.values.std():
        return 0.0
    return float(abs(differences.mean) + 100 * differences.values.std())


def _solve_for_power(power_at: Callable[[float], float], low: float, high: float) -> float | None:
    """Return where an increasing power reaches 80 %, to one part in five hundred; None if it does not up to `high`."""
    from scipy.optimize import brentq

    if power_at(high) < POWER:
        return None
    if power_at(low) >= POWER:
        return low
    return exp(brentq(lambda logarithm: power_at(exp(logarithm)) - POWER, log(low), log(high), xtol=0.002))
