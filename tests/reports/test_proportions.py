"""Intervals of an accuracy and of a relative drop: their formulas, term by term, and what they refuse."""

from __future__ import annotations

import math

import numpy
import pytest

from reports.stats.proportions import relative_drop, wilson, wilson_by_problem

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(("correct", "n"), [(5, 4), (-1, 4), (0, 0), (0, -1)])
def test_what_is_no_proportion_is_refused_with_both_numbers(correct: int, n: int) -> None:
    with pytest.raises(ValueError, match=rf"got correct={correct} and n={n}$"):
        wilson(correct, n)


def test_no_answer_has_no_interval() -> None:
    with pytest.raises(ValueError, match="expected at least one answer"):
        wilson_by_problem(numpy.array([]), numpy.array([], dtype=int))
    with pytest.raises(ValueError, match="expected at least one answer"):
        wilson_by_problem(numpy.array([0.0]), numpy.array([0]))


def test_answers_asked_once_are_counted_one_by_one() -> None:
    shares = numpy.array([1.0, 0.0, 1.0, 1.0])
    assert wilson_by_problem(shares, numpy.ones(4, dtype=int)) == wilson(3, 4)
    assert wilson_by_problem(numpy.array([1.0]), numpy.array([1])) == wilson(1, 1)


def test_correlated_answers_count_as_the_effective_sample_that_has_their_variance() -> None:
    """Kish's design effect: the variance of the ratio estimator over problems, and the sample that would have it."""
    shares, draws = numpy.array([1.0, 0.5, 0.5, 0.0, 0.75, 0.25]), numpy.array([2, 4, 2, 2, 4, 4])
    correct = [2, 2, 1, 0, 3, 1]
    share = sum(correct) / sum(draws)
    squares = sum((right - share * asked) ** 2 for right, asked in zip(correct, draws, strict=True))
    variance = squares / sum(draws) ** 2 * 6 / 5
    effective = share * (1 - share) / variance
    assert 6 < effective < 18
    assert wilson_by_problem(shares, draws) == pytest.approx(wilson(share * effective, effective))


def test_the_effective_sample_is_at_least_the_problems_and_at_most_the_answers() -> None:
    draws = numpy.full(4, 5)
    assert wilson_by_problem(numpy.array([1.0, 1.0, 0.0, 0.0]), draws) == pytest.approx(wilson(2, 4))
    assert wilson_by_problem(numpy.array([0.4, 0.6, 0.4, 0.6]), draws) == pytest.approx(wilson(10, 20))
    assert wilson_by_problem(numpy.ones(4), draws) == wilson(4, 4), "no variance tells of no correlation"


def test_the_interval_of_a_relative_drop_is_that_of_the_log_ratio() -> None:
    """The delta method, problem by problem; two further problems of half a correct answer each."""
    before, after = [1.0, 1.0, 1.0, 1.0, 0.5, 0.0], [1.0, 0.5, 0.0, 0.0, 0.5, 0.5]
    clean, noisy = sum(before) + 0.5, sum(after) + 0.5
    terms = [a / noisy - b / clean for a, b in zip(after, before, strict=True)] + [0.5 / noisy, -0.5 / clean]
    half = 1.959964 * math.sqrt(sum(term**2 for term in terms) * 6 / 5)
    expected = (1 - 2.5 / 4.5, 1 - noisy / clean * math.exp(half), 1 - noisy / clean * math.exp(-half))
    assert relative_drop(numpy.array(before), numpy.array(after)) == pytest.approx(expected)


@pytest.mark.parametrize(("correct_before", "correct_after"), [(6, 0), (10, 0), (1, 0), (1, 10), (10, 10)])
def test_a_relative_drop_is_in_its_interval(correct_before: int, correct_after: int) -> None:
    """Of 6 correct answers all are lost: a drop of 100 %, which half an answer more would put at 92 %."""
    before, after = (numpy.arange(10) < correct for correct in (correct_before, correct_after))
    drop = relative_drop(before.astype(float), after.astype(float))
    assert drop is not None
    assert drop[1] <= drop[0] <= drop[2] <= 1


def test_one_problem_has_a_relative_drop() -> None:
    drop = relative_drop(numpy.array([1.0]), numpy.array([1.0]))
    assert drop is not None
    assert drop[0] == 0
    assert drop[1] < 0 < drop[2] <= 1
