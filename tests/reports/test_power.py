"""Power, and what follows from it, is that of the test itself: counted, simulated, or of another package."""

from __future__ import annotations

import numpy
import pytest
from scipy.stats import binom, multinomial
from statsmodels.stats.power import TTestPower

from reports.stats.paired_tests import Array, Differences, p_value
from reports.stats.power import detectable_effect, needed_problems, power

pytestmark = pytest.mark.quick


def binary(up: int, down: int, same: int) -> Differences:
    return Differences(numpy.array([1.0] * up + [-1.0] * down + [0.0] * same))


def measured(mean: float, n: int, spread: float = 1.0) -> Differences:
    """Return unbounded differences with a standard deviation of `spread`."""
    values = numpy.linspace(-1, 1, n) ** 3
    return Differences((values - values.mean()) / values.std(ddof=1) * spread + mean, numpy.inf)


@pytest.mark.parametrize(("effect", "n"), [(0.5, 30), (0.4, 60), (0.25, 200), (2.0, 12), (30.0, 12), (9.0, 2)])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
@pytest.mark.parametrize("spread", [1.0, 0.02])
def test_the_power_over_measurements_is_that_of_the_t_test(effect: float, n: int, alpha: float, spread: float) -> None:
    expected = TTestPower().power(effect_size=effect, nobs=n, alpha=alpha, alternative="two-sided")
    pilot = measured(0.1, 50, spread)
    assert power(pilot, effect * spread, n, alpha) == pytest.approx(expected, abs=1e-3)
    assert power(pilot, -effect * spread, n, alpha) == pytest.approx(expected, abs=1e-3)


def tilted_shares(pilot: Differences, tilt: float) -> tuple[Array, Array]:
    """Return the values of `pilot` and one of +1 and one of −1, and their shares, times exp(`tilt` · value)."""
    values, counts = numpy.unique([*pilot.values, 1.0, -1.0], return_counts=True)
    shares = counts * numpy.exp(tilt * values)
    return values, shares / shares.sum()


@pytest.mark.parametrize("tilt", [0.0, 0.3])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize(
    ("up", "down", "same", "n", "error"),
    [
        (14, 5, 19, 40, 1e-4),
        (6, 6, 20, 40, 1e-4),
        (9, 1, 388, 400, 1e-4),
        (15, 5, 1, 105, 0.01),
        (60, 40, 100, 400, 0.01),
    ],
)
def test_the_power_over_binary_pairs_is_counted(
    up: int, down: int, same: int, n: int, error: float, alpha: float, tilt: float
) -> None:
    """Over all numbers of gains and losses that `n` problems can have. From 100 on, their number is taken as normal."""
    pilot = binary(up, down, same)
    _, (lost, _, gained) = tilted_shares(pilot, tilt)
    changes, gains = numpy.meshgrid(numpy.arange(n + 1), numpy.arange(n + 1))
    rejected = 2 * binom.sf(numpy.maximum(gains, changes - gains) - 1, changes, 0.5) <= alpha
    probabilities = binom.pmf(changes, n, lost + gained) * binom.pmf(gains, changes, gained / (lost + gained))
    expected = float(probabilities[rejected & (gains <= changes)].sum())
    assert power(pilot, float(gained - lost), n, alpha) == pytest.approx(expected, abs=error)


def distribution(counts: tuple[int, ...], positive: tuple[float, ...]) -> Array:
    """Return the probability of each sum of `counts[0]` differences of ±1, `counts[1]` of ±2, and so on."""
    result = numpy.ones(1)
    for size, (count, share) in enumerate(zip(counts, positive, strict=True), start=1):
        own = numpy.zeros(2 * size * count + 1)
        own[:: 2 * size] = binom.pmf(numpy.arange(count + 1), count, share)
        result = numpy.convolve(result, own)
    return result


@pytest.mark.parametrize(
    ("pilot", "n", "alpha", "tilt"),
    [
        ([2] * 6 + [-2] * 2 + [1] * 6 + [-1] * 3 + [0] * 4, 25, 0.05, 0.0),
        ([2] * 6 + [-2] * 2 + [1] * 6 + [-1] * 3 + [0] * 4, 25, 0.01, 0.4),
        ([2] * 12 + [-2] + [1] * 10 + [-1] * 2 + [0] * 50, 40, 0.05, 0.0),
        ([2] * 8 + [-2] * 4 + [1] * 3 + [-1] * 2, 20, 0.05, 0.2),
        ([2] * 4 + [-2] * 4 + [1] * 6 + [-1] * 6 + [0] * 9, 30, 0.05, 0.0),
        ([2] * 4 + [-2] + [1] * 6 + [-1] * 2 + [0] * 290, 300, 0.05, 0.1),
    ],
)
def test_the_power_over_two_sizes_is_counted(pilot: list[int], n: int, alpha: float, tilt: float) -> None:
    """Over all numbers of differences of each size that `n` problems can have."""
    differences = Differences(numpy.array(pilot, float), 2.0)
    values, shares = tilted_shares(differences, tilt)
    share = dict(zip(values, shares, strict=True))
    nonzero = [share[size] + share[-size] for size in (1, 2)]
    positive = share[1] / nonzero[0], share[2] / nonzero[1]
    expected = 0.0
    pairs = numpy.array([(small, large, n - small - large) for small in range(n + 1) for large in range(n + 1 - small)])
    chances = multinomial.pmf(pairs, n, [*nonzero, 1 - sum(nonzero)])
    for counts, chance in zip(pairs[chances > 1e-7, :2].tolist(), chances[chances > 1e-7], strict=True):
        under_null, under_mean = distribution(counts, (0.5, 0.5)), distribution(counts, positive)
        tails = numpy.cumsum(under_null[::-1])[::-1]
        rejected = 2 * numpy.minimum(tails, tails[::-1]) <= alpha
        expected += float(chance * under_mean[rejected].sum())
    assert power(differences, float(shares @ values), n, alpha) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("scale", [1, 1 / 3])
def test_the_power_over_several_sizes_is_that_of_simulated_runs(scale: float) -> None:
    pilot = numpy.array([3.0] * 12 + [-3.0] * 4 + [1.0] * 10 + [-1.0] * 8 + [0.0] * 16) * scale
    differences = Differences(pilot, 3.0)
    values, counts = numpy.unique([*pilot, 1.0, -1.0], return_counts=True)
    shares = counts / counts.sum()
    generator = numpy.random.default_rng(0)
    runs = generator.choice(values, size=(200, 50), p=shares)
    detected = numpy.mean([(p_value(Differences(run, 3.0)) or 0.0) <= 0.05 for run in runs])
    assert power(differences, float(shares @ values), 50) == pytest.approx(float(detected), abs=0.08)


@pytest.mark.parametrize("sizes", [[1.0], [1.0, 2.0]])
def test_the_power_does_not_jump_where_sums_are_taken_as_normal(sizes: list[float]) -> None:
    """From 100 expected differences of one size, or an expected sum of 1,000, the normal distribution is used."""
    pilot = [sign * size for size in sizes for sign in (1, 1, 1, -1, -1)]
    differences = Differences(numpy.array(pilot * 20), 2.0)
    powers = [power(differences, 0.25 if len(sizes) == 1 else 0.07, n) for n in (96, 98, 102, 104, 640, 660, 680, 700)]
    first, last = powers[:4], powers[4:]
    assert max(numpy.abs(numpy.diff(first))) < 0.05
    assert max(numpy.abs(numpy.diff(last))) < 0.03
    assert first[0] <= first[-1] + 0.01 <= last[0] + 0.02


@pytest.mark.parametrize(
    "differences",
    [
        binary(6, 4, 30),
        binary(40, 30, 200),
        Differences(numpy.array([1.0, -1.0, 0.5, -0.5, 0.5] * 8 + [0.0] * 20)),
        Differences(numpy.array([2.0, -1.0, 1.0, -2.0] * 10), 2.0),
        measured(0.05, 60),
        Differences(numpy.array([5.0, 1.0, 2.0, -1.0] * 10), numpy.inf),
    ],
)
@pytest.mark.parametrize("alpha", [0.05, 0.0125])
def test_a_detectable_effect_has_the_power(differences: Differences, alpha: float) -> None:
    effect = detectable_effect(differences, alpha)
    assert effect is not None
    assert power(differences, effect, differences.n, alpha) == pytest.approx(0.8, abs=0.02)
    opposite = Differences(-differences.values, differences.bound)
    assert detectable_effect(opposite, alpha) == pytest.approx(effect, rel=0.02)


def test_with_too_few_problems_nothing_is_detectable() -> None:
    """Of five equal signs the p value is 2/32, of six 2/64."""
    assert detectable_effect(binary(3, 2, 0)) is None
    assert detectable_effect(binary(6, 0, 0), 0.03) is None
    assert detectable_effect(binary(6, 0, 0), 0.04) is not None
    assert detectable_effect(Differences(numpy.array([0.3]), numpy.inf)) is None
    assert detectable_effect(Differences(numpy.array([0.3, 0.3]), numpy.inf)) is None
    assert detectable_effect(Differences(numpy.array([0.3, 0.4]), numpy.inf)) is not None


@pytest.mark.parametrize("spread", [20.0, 0.02])
def test_a_detectable_effect_is_in_the_units_of_the_measurements(spread: float) -> None:
    effect = detectable_effect(measured(0.05, 60))
    assert effect is not None
    assert detectable_effect(measured(0.05 * spread, 60, spread)) == pytest.approx(effect * spread, rel=0.01)


def test_six_equal_signs_are_enough_to_show_that_every_problem_is_lost() -> None:
    assert needed_problems(binary(10, 0, 0)) == 6


def test_the_power_is_the_same_each_time() -> None:
    differences = Differences(numpy.array([2.0, -2.0, 1.0, 1.0, 0.0] * 9), 2.0)
    assert power(differences, 0.5, 40) == power(differences, 0.5, 40)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 30, 60, 200, 400])
@pytest.mark.parametrize("mean", [0.01, 0.5, 1.2, 1.8])
def test_the_power_is_a_probability(n: int, mean: float) -> None:
    assert 0 <= power(Differences(numpy.array([2.0, 2.0, 2.0, -2.0, 1.0, 1.0, -1.0] * 2), 2.0), mean, n) <= 1


@pytest.mark.parametrize("mean", [0.3, -0.3])
def test_as_many_measurements_are_needed_as_the_t_test_needs(mean: float) -> None:
    expected = TTestPower().solve_power(effect_size=0.3, alpha=0.01, power=0.8, alternative="two-sided")
    assert needed_problems(measured(mean, 40), 0.01) == pytest.approx(expected, rel=0.02)


def test_no_number_of_problems_shows_a_mean_of_zero_or_one_that_is_minute() -> None:
    assert needed_problems(binary(5, 5, 10)) is None
    assert needed_problems(measured(1e-6, 40)) is None
    assert needed_problems(measured(2e-3, 40)) == pytest.approx((1.96 + 0.8416) ** 2 / 4e-6, rel=0.01)
