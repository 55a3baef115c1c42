"""Statistics of paired differences: they equal published values, and are always defined."""

from __future__ import annotations

import warnings
from itertools import product
from operator import mul

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, ttest_1samp
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from reports.stats.paired_tests import Array, Differences, holm, interval, p_value, sum_distribution
from reports.stats.power import detectable_effect, needed_problems, power
from reports.stats.proportions import relative_drop, wilson

pytestmark = pytest.mark.quick


def flips(up: int, down: int, same: int) -> Differences:
    """Return differences of binary pairs: `up` gained, `down` lost, `same` unchanged."""
    return Differences(numpy.array([1.0] * up + [-1.0] * down + [0.0] * same))


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_for_binary_pairs_the_test_is_mcnemar_s(up: int, down: int, same: int) -> None:
    expected = mcnemar([[same, up], [down, 0]], exact=True).pvalue
    p = p_value(flips(up, down, same))
    assert p == pytest.approx(expected, rel=1e-9) if up + down + same else p is None


def test_mcnemar_s_exact_p_is_that_of_r_s_exact2x2() -> None:
    """Fay's vignette "Exact McNemar's Test" of that package: mcnemar.exact(matrix(c(21, 9, 2, 12), 2, 2))."""
    assert p_value(flips(9, 2, 33)) == pytest.approx(0.06543, abs=5e-6)


def test_holm_s_adjusted_p_values_are_those_of_pingouin_s_manual() -> None:
    adjusted = holm([0.50, 0.003, 0.32, 0.054, 0.0003])
    assert adjusted == pytest.approx([0.64, 0.012, 0.64, 0.162, 0.0015])


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_s_interval_is_that_of_newcombe_s_table(correct: int, n: int, low: float, high: float) -> None:
    """R. G. Newcombe, Stat. Med. 17, 1998, p. 861, table I, method 3."""
    assert wilson(correct, n) == pytest.approx((low, high), abs=5e-5)


def test_a_difference_of_two_counts_twice() -> None:
    """The sums of ±1 ±2 are −3, −1, 1 and 3; one of the four is as high as 3."""
    values = Differences(numpy.array([1.0, 2.0, 0.0]), bound=2.0)
    assert p_value(values) == pytest.approx(0.5)
    assert p_value(values, "greater") == pytest.approx(0.25)
    assert p_value(Differences(-values.values, 2.0), "greater") == pytest.approx(1.0)


def test_many_differences_of_several_sizes_are_tested_as_if_normal() -> None:
    few = numpy.array([1.0] * 110 + [-1.0] * 90 + [2.0] * 30 + [-2.0] * 20)
    exact, approximate = p_value(Differences(few, 2.0)), p_value(Differences(numpy.tile(few, 5), 2.0))
    assert exact is not None
    assert approximate is not None
    for p, times in ((exact, 1), (approximate, 5)):
        z = (few.sum() * times - 1) / numpy.sqrt((few**2).sum() * times)
        assert p == pytest.approx(2 * (1 - normal(z)), rel=0.01)


def normal(z: float) -> float:
    from scipy.stats import norm

    return float(norm.cdf(z))


def test_the_interval_is_that_of_bonett_and_price() -> None:
    """Their formula, with p12 = (b + 1) / (n + 2) and p21 = (c + 1) / (n + 2)."""
    b, c, n = 25, 40, 115
    p12, p21 = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = 1.959964 * ((p12 + p21 - (p12 - p21) ** 2) / (n + 2)) ** 0.5
    assert interval(flips(b, c, 50)) == pytest.approx((p12 - p21 - half, p12 - p21 + half))


@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0]), min_size=1, max_size=30))
def test_an_interval_is_never_empty_and_stays_within_its_bounds(values: list[float]) -> None:
    bounds = interval(Differences(numpy.array(values), bound=2.0))
    assert bounds is not None
    assert -2 <= bounds[0] < bounds[1] <= 2


@pytest.mark.parametrize(
    ("values", "p"),
    [([], None), ([0.0], 1.0), ([1.0], 1.0), ([0.0] * 200, 1.0), ([1.0] * 200, 0.0), ([0.1234567], None)],
)
def test_degenerate_differences_have_defined_statistics_and_no_warning(values: list[float], p: float | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        differences = Differences(numpy.array(values))
        assert p_value(differences) == (None if p is None else pytest.approx(p, abs=1e-12))
        for statistic in (interval(differences), detectable_effect(differences), needed_problems(differences)):
            assert statistic is None or numpy.isfinite(statistic).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(list(p_values)) == list(multipletests(p_values, method="holm")[1])


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    """By hand: 0.01 × 4, 0.02 × 3, max(0.06, 0.03 × 2), max(0.06, 0.5)."""
    assert holm([0.03, None, 0.01, 0.5, 0.02]) == [
        pytest.approx(0.06),
        None,
        pytest.approx(0.04),
        pytest.approx(0.5),
        pytest.approx(0.06),
    ]
    assert holm([None]) == [None]


@pytest.mark.parametrize("n", [50, 200])
def test_a_detectable_effect_is_detected_in_four_of_five_runs(n: int) -> None:
    """The test itself, over runs whose differences have the mean that `detectable_effect` returns."""
    generator = numpy.random.default_rng(0)
    pilot = Differences(generator.choice([-1.0, 0.0, 1.0], size=n, p=[0.1, 0.75, 0.15]))
    mean = detectable_effect(pilot)
    assert mean is not None
    chances = tilted(pilot.values, mean)
    runs = [Differences(generator.choice([-1.0, 0.0, 1.0], size=n, p=chances)) for _ in range(2_000)]
    detected = float(numpy.mean([(p_value(run) or 0.0) <= 0.05 for run in runs]))
    assert detected == pytest.approx(0.8, abs=0.03)


def tilted(values: Array, mean: float) -> list[float]:
    """Return the probabilities of −1, 0 and 1, with one more of each sign than observed, in closed form."""
    down, same, up = ((values == value).sum() + (value != 0) for value in (-1, 0, 1))
    # up·e − down/e over up·e + same + down/e is the mean: a quadratic in e.
    a, b, c = up * (1 - mean), -mean * same, -down * (1 + mean)
    e = (-b + (b * b - 4 * a * c) ** 0.5) / (2 * a)
    total = up * e + same + down / e
    return [down / e / total, same / total, up * e / total]


def test_the_needed_problems_have_the_power() -> None:
    differences = flips(30, 15, 155)
    n = needed_problems(differences)
    assert n is not None
    assert power(differences, differences.mean, n) == pytest.approx(0.8, abs=0.02)
    assert needed_problems(flips(15, 30, 155)) == n


def test_a_relative_drop_is_defined_if_any_answer_was_correct() -> None:
    nothing, all_correct = numpy.zeros(20), numpy.ones(20)
    assert relative_drop(nothing, all_correct) is None
    for before, after, expected in (
        (all_correct, all_correct, 0.0),
        (all_correct, nothing, 1.0),
        (numpy.eye(20)[0], all_correct, -19),
    ):
        drop = relative_drop(before, after)
        assert drop is not None
        assert drop[0] == pytest.approx(expected)
        assert drop[1] < drop[2] <= 1


@given(st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=8))
def test_the_exact_test_counts_the_signs_that_could_have_been(values: list[float]) -> None:
    differences, total = Differences(numpy.array(values), 2.0), sum(values)
    sums = [sum(map(mul, values, signs)) for signs in product((1, -1), repeat=len(values))]
    assert p_value(differences, "greater") == pytest.approx(numpy.mean([s >= total for s in sums]))
    assert p_value(differences) == pytest.approx(numpy.mean([abs(s) >= abs(total) for s in sums]))


@pytest.mark.parametrize(
    ("values", "step"),
    [([1.0, -1.0], 1), ([0.5, 1.0], 1 / 2), ([1 / 3, -2 / 3], 1 / 3), ([1 / 3, 1 / 4], 1 / 12), ([1 / 60], 1 / 60),
     ([1 / 61], 0), ([0.1234567], 0), ([], 1)],
)  # fmt: skip
def test_the_step_is_what_all_differences_are_multiples_of(values: list[float], step: float) -> None:
    assert Differences(numpy.array(values)).step == step
    assert Differences(numpy.array(values), numpy.inf).step == 0


def test_measurements_have_student_s_test_and_interval() -> None:
    values = numpy.array([0.31, -0.12, 0.58, 0.44, 0.05, 0.27])
    measured, expected = Differences(values, numpy.inf), ttest_1samp(values, 0.0)
    assert (measured.n, measured.mean) == (6, pytest.approx(values.mean()))
    assert p_value(measured) == pytest.approx(expected.pvalue)
    assert p_value(measured, "greater") == pytest.approx(expected.pvalue / 2)
    assert interval(measured) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert interval(measured, 0.8) == pytest.approx(tuple(expected.confidence_interval(0.8)))
    for few in ([0.31], [0.31, 0.31]):
        assert interval(Differences(numpy.array(few), numpy.inf)) is None
        assert p_value(Differences(numpy.array(few), numpy.inf)) is None


def test_measurements_that_differ_by_rounding_alone_are_equal() -> None:
    """Rounding may have a sign of its own, which Student's test finds. One difference that is more counts in full."""
    rounding = 1e-7 * numpy.array([3.0, 4.0, 5.0, 4.0, 3.0, 4.0])
    assert ttest_1samp(rounding, 0).pvalue < 0.001
    assert p_value(Differences(rounding, numpy.inf)) == 1
    more = 1e5 * rounding
    assert p_value(Differences(more, numpy.inf)) == pytest.approx(ttest_1samp(more, 0).pvalue)


def test_an_interval_of_another_level_is_wider_or_narrower_as_the_normal_quantiles_are() -> None:
    low, high = interval(flips(25, 40, 50)) or (0.0, 0.0)
    wide_low, wide_high = interval(flips(25, 40, 50), 0.99) or (0.0, 0.0)
    assert (wide_high - wide_low) / (high - low) == pytest.approx(2.575829 / 1.959964)


def test_no_difference_has_no_mean_but_zero() -> None:
    nothing = Differences(numpy.array([]))
    assert (nothing.n, nothing.mean) == (0, 0.0)


def test_the_normal_approximation_of_one_side_is_half_of_that_of_both() -> None:
    values = numpy.array([1.0] * 700 + [-1.0] * 620 + [2.0] * 30)
    assert p_value(Differences(values, 2.0), "greater") == pytest.approx((p_value(Differences(values, 2.0)) or 0) / 2)
    upward, downward = (p_value(Differences(sign * values, 2.0), "greater") or 0.0 for sign in (1, -1))
    assert upward + downward == pytest.approx(1, abs=0.01)
    assert upward + downward > 1, "the sum itself counts on both sides"


@pytest.mark.parametrize("counts", [(3, 2), (600, 300)])
def test_the_distribution_of_a_sum_is_that_of_its_parts_however_many(counts: tuple[int, int]) -> None:
    """Of long parts it is computed with Fourier transforms, whose rounding must leave no probability below zero."""
    ones, twos = counts
    expected = numpy.zeros(2 * ones + 4 * twos + 1)
    of_ones, of_twos = (binom.pmf(numpy.arange(n + 1), n, p) for n, p in ((ones, 0.5), (twos, 0.4)))
    for up, probability in enumerate(of_twos):
        expected[4 * up : 4 * up + 2 * ones + 1 : 2] += probability * of_ones
    distribution = sum_distribution(numpy.array([1, 2]), numpy.array(counts), numpy.array([0.5, 0.4]))
    assert distribution == pytest.approx(expected, abs=1e-12)
    assert (distribution >= 0).all()
