"""Confidence intervals of an accuracy, and of a relative drop in accuracy."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray


def wilson(correct: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a proportion after Wilson (JASA 22, 1927, pp. 209-212), as two fractions.

    Unlike the Wald interval, it stays within 0 and 1 and is not empty at 0 % or 100 %. Raises `ValueError` unless
    0 <= correct <= n and n > 0.
    """
    from statsmodels.stats.proportion import proportion_confint  # takes a second to import, needed only at the end

    if not 0 <= correct <= n or not n > 0:
        raise ValueError(f"expected 0 <= correct <= n and n > 0, got correct={correct} and n={n}")
    low, high = proportion_confint(correct, n, alpha=0.05, method="wilson")
    return float(low) if correct else 0.0, float(high) if correct < n else 1.0


def wilson_by_problem(shares: NDArray[Any], draws: NDArray[Any]) -> tuple[float, float]:
    """Return `wilson` for problems asked several times: `shares[i]` of the `draws[i]` answers to problem i are correct.

    Answers to one problem are correlated, so the interval is that of a smaller effective sample: the one that gives the
    observed variance between problems (the design effect of Kish, Survey Sampling, 1965, ch. 5), at least one answer
    per problem and at most all of them. Raises `ValueError` if there is no answer.
    """
    total, problems = int(draws.sum()), len(draws)
    if not total:
        raise ValueError("expected at least one answer, got none")
    share = float((shares * draws).sum() / total)
    if total == problems:
        return wilson(round(share * total), total)
    variance = float((draws**2 * (shares - share) ** 2).sum()) / total**2 * problems / max(1, problems - 1)
    effective = min(max(share * (1 - share) / variance, problems), total) if variance else problems
    return wilson(share * effective, effective)


def relative_drop(before: NDArray[Any], after: NDArray[Any]) -> tuple[float, float, float] | None:
    """Return 1 − (mean of `after`) / (mean of `before`) and its 95 % interval; None if no answer was correct before.

    `before[i]` and `after[i]` are the shares of correct answers to problem i. The interval is that of the logarithm of
    the ratio (delta method, with the problem as the unit). Half a correct answer is added to both, as if to two further
    problems, so that the interval is defined, and not too narrow, for few correct answers.
    """
    from scipy.stats import norm

    if not before.sum():
        return None
    n, clean, noisy = len(before), before.sum() + 0.5, after.sum() + 0.5
    influences = numpy.append(after / noisy - before / clean, [0.5 / noisy, -0.5 / clean])
    half = norm.ppf(0.975) * numpy.sqrt((influences**2).sum() * n / max(1, n - 1))
    low, high = (float(1 - noisy / clean * numpy.exp(sign * half)) for sign in (1, -1))
    estimate = float(1 - after.sum() / before.sum())
    return estimate, min(low, estimate), max(high, estimate)
