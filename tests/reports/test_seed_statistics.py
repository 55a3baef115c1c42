"""Statistics with the training seed as the unit, against scipy, enumeration and statsmodels."""

from __future__ import annotations

import warnings

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_1samp

from reports.stats.crossed_intervals import seed_matrix
from reports.stats.retained_accuracy import PairValues
from reports.stats.seed_statistics import (
    crossed_mean,
    detectable_over_seeds,
    seed_interval,
    seed_p_value,
    sign_flip_p_value,
)

pytestmark = pytest.mark.quick
VALUES = numpy.array([0.02, 0.05, -0.01, 0.04, 0.03, 0.06, 0.01, 0.05])
few_values = st.lists(st.integers(-20, 20), min_size=2, max_size=9).map(lambda numbers: numpy.array(numbers) / 100)


def test_the_interval_and_p_are_students() -> None:
    theirs = ttest_1samp(VALUES, 0.0)
    assert seed_interval(VALUES) == pytest.approx(theirs.confidence_interval(0.95))
    assert seed_p_value(VALUES) == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize("values", [numpy.array([0.1]), numpy.array([0.1, 0.1, 0.1])], ids=["one", "equal"])
def test_seeds_that_do_not_vary_have_no_interval(values: numpy.ndarray) -> None:
    assert seed_interval(values) is None
    assert seed_p_value(values) is None
    assert detectable_over_seeds(values) is None


@pytest.mark.parametrize(("n", "smallest"), [(3, 2 / 8), (5, 2 / 32), (8, 1 / 128)])
def test_n_seeds_of_one_sign_have_the_smallest_p_that_sign_flips_can_give(n: int, smallest: float) -> None:
    assert sign_flip_p_value(numpy.linspace(0.01, 0.03, n)) == smallest


@given(few_values)
def test_sign_flips_do_not_care_for_the_sign_or_the_order(values: numpy.ndarray) -> None:
    p = sign_flip_p_value(values)
    assert 2 / 2 ** len(values) <= p <= 1
    assert sign_flip_p_value(-values) == p
    assert sign_flip_p_value(values[::-1]) == pytest.approx(p)


@given(few_values)
def test_sign_flips_are_counted_one_by_one(values: numpy.ndarray) -> None:
    """By hand: the share of all choices of signs whose sum is as far from 0."""
    sums = [0.0]
    for value in values:
        sums = [total + sign * value for total in sums for sign in (1, -1)]
    as_far = [total for total in sums if abs(total) >= abs(values.sum()) - 1e-9]
    assert sign_flip_p_value(values) == pytest.approx(len(as_far) / len(sums))


def test_many_seeds_are_flipped_at_random_and_come_near_the_normal_p() -> None:
    values = numpy.random.default_rng(0).normal(0.3, 1.0, size=60)
    assert sign_flip_p_value(values) == pytest.approx(float(ttest_1samp(values, 0.0).pvalue), abs=0.01)


def test_the_detectable_mean_is_so_many_standard_errors() -> None:
    quantiles = float(t.ppf(0.975, 7) + t.ppf(0.8, 7))
    assert detectable_over_seeds(VALUES) == pytest.approx(quantiles * VALUES.std(ddof=1) / 8**0.5)


def crossed(seed_sd: float, problem_sd: float, seeds: int = 6, problems: int = 40) -> numpy.ndarray:
    generator = numpy.random.default_rng(3)
    return (
        0.5
        + generator.normal(0, seed_sd, (seeds, 1))
        + generator.normal(0, problem_sd, (1, problems))
        + generator.normal(0, 0.4, (seeds, problems))
    )


def test_the_crossed_components_are_those_of_statsmodels_mixed_model() -> None:
    """REML of a model with a random effect of the seed and one of the problem, in one group."""
    values = crossed(0.3, 0.5)
    ours = crossed_mean(values)
    assert ours is not None
    seeds, problems = (numpy.repeat(numpy.arange(n), k) for n, k in ((6, 40), (40, 1)))
    problems = numpy.tile(problems, 6)
    indicators = [
        (labels[:, None] == numpy.arange(labels.max() + 1)[None, :]).astype(float) for labels in (seeds, problems)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels imports what pandas calls deprecated
        from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    spec = VCSpec(["seed", "problem"], [[["s"] * i.shape[1]] for i in indicators], [[i] for i in indicators])
    theirs = MixedLM(values.ravel(), numpy.ones((values.size, 1)), groups=numpy.ones(values.size), exog_vc=spec).fit(
        reml=True
    )
    variances = [ours.seed_sd**2, ours.problem_sd**2]
    assert variances == pytest.approx([float(v) for v in theirs.vcomp], rel=0.02)
    assert ours.rest_sd**2 == pytest.approx(float(theirs.scale), rel=0.01)
    half = (ours.high - ours.low) / 2
    assert half > 1.9 * float(theirs.bse_fe[0]), "Student's quantile is above the normal one"


def test_a_component_is_never_negative() -> None:
    for seed_sd, problem_sd in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5)):
        found = crossed_mean(crossed(seed_sd, problem_sd))
        assert found is not None
        assert min(found.seed_sd, found.problem_sd, found.rest_sd) >= 0
        assert found.low < found.high


def test_one_seed_or_one_problem_has_no_crossed_interval() -> None:
    assert crossed_mean(numpy.ones((1, 9))) is None
    assert crossed_mean(numpy.array([[1.0], [0.0]])) is None


def pair_values(problems: str, values: list[float], counts: list[bool]) -> PairValues:
    return PairValues(numpy.array(list(problems), dtype=object), numpy.array(values), numpy.array(counts))


def test_the_mean_of_a_row_is_that_of_the_problems_that_count() -> None:
    pairs = [
        pair_values("abcd", [1.0, 0.0, 1.0, -1.0], [True, True, True, False]),
        pair_values("abcd", [0.0, 0.0, 1.0, 1.0], [True, False, True, False]),
    ]
    matrix = seed_matrix(pairs)
    assert matrix.shape == (2, 4)
    assert matrix.mean(axis=1) == pytest.approx([2 / 3, 1 / 2])


def test_only_problems_that_every_seed_has_are_crossed() -> None:
    pairs = [pair_values("abc", [1, 2, 3], [True] * 3), pair_values("bcd", [5, 6, 7], [True] * 3)]
    assert seed_matrix(pairs).tolist() == [[2, 3], [5, 6]]
