"""The rows of `comparisons.csv`: one contrast each, with its estimate, interval and test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy

from reports.stats.paired_tests import Differences, interval, p_value
from reports.stats.problem_scores import ACCURACY, Array, Scores
from reports.stats.proportions import relative_drop, wilson_by_problem

#: Six right answers, all lost, are the fewest that McNemar's exact test calls significant: p = 2 / 2⁶ = 0.03.
_FEWEST_RIGHT = 6


@dataclass(frozen=True)
class Comparison:
    """One contrast: its estimate, 95 % interval, test and power. docs/statistics.md has the formulas.

    Estimates of the measure `accuracy` are fractions, of `likelihood` nats per token. `model` is compared with
    `against`, which is empty if the row is about one model. A positive difference in differences means that `against`
    loses more than `model`. `p_adjusted` is Holm's over all rows of one contrast, stage and measure. `detectable` is
    the smallest estimate that this number of problems shows in 80 % of runs, and `needed` the number of problems that
    would show this estimate, both at 5 % over the whole family. `n` counts predictions, `clusters` problems. Values are
    None if there is nothing to divide by or to test.

    A row of a family, `diffllama:*`, is the mean over `seeds` training seeds of the `all_seeds` that it has records of
    (`reports.stats.comparisons_over_seeds`): interval and p are Student's with the seed as the unit, `p_sign_flips` is
    exact, `needed` counts seeds, `clusters` are the problems of the seed with the fewest, and the interval from
    `crossed_low` to `crossed_high` takes both seeds and problems as random.
    """

    stage: str
    measure: str
    contrast: str
    model: str
    against: str
    noise: str
    estimate: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    n: int
    clusters: int
    method: str
    detectable: float | None = None
    needed: int | None = None
    seeds: int = 1
    all_seeds: int = 1
    p_sign_flips: float | None = None
    crossed_low: float | None = None
    crossed_high: float | None = None


def row_of_differences(
    contrast: str, scores: Scores, against: str, values: Array, draws: Array, bound: float = 1.0
) -> tuple[Comparison, Differences]:
    """Return a row with a p value, and the differences that `adjusted` computes its power from."""
    differences = Differences(values, bound if scores.measure == ACCURACY else numpy.inf)
    low, high = (interval(differences) if differences.n else None) or (None, None)
    binary_pairs = differences.step == 1 and bound == 1.0
    test = "McNemar exact" if binary_pairs else "sign flips" if differences.step else "Student"
    row = untested_row(
        contrast,
        scores,
        scores.cell.noise,
        differences.mean if differences.n else None,
        low,
        high,
        draws,
        f"{'adjusted Wald' if differences.step else 'Student'}; {test}",
    )
    row = replace(row, against=against, p=p_value(differences))
    return row, differences


def cell_row(scores: Scores) -> Comparison:
    """Return the measure of one cell."""
    low: float | None
    high: float | None
    if scores.measure == ACCURACY:
        estimate = float((scores.values * scores.draws).sum() / scores.draws.sum())
        low, high = wilson_by_problem(scores.values, scores.draws)
        return untested_row(ACCURACY, scores, scores.cell.noise, estimate, low, high, scores.draws, "Wilson")
    values = Differences(scores.values, numpy.inf)
    low, high = interval(values) or (None, None)
    return untested_row(scores.measure, scores, scores.cell.noise, values.mean, low, high, scores.draws, "Student")


def relative_drop_row(scores: Scores, before: Array, after: Array, draws: Array) -> Comparison:
    """Return 1 − noisy / clean accuracy (PDR of Li et al., GSM-Plus, arXiv 2402.19255)."""
    estimate, low, high = relative_drop(before, after) or (None, None, None)
    method = "log ratio" if estimate is not None else "ratio of no right answers"
    return untested_row("relative_drop", scores, scores.cell.noise, estimate, low, high, draws, method)


def macro_accuracy_row(scores: Scores, correct: Array, noises: str) -> Comparison:
    """Return the share of problems that are correct with every noise and draw (macro accuracy of Shi et al., GSM-IC,
    arXiv 2302.00093)."""
    draws = numpy.ones(len(correct), dtype=int)
    low, high = wilson_by_problem(correct.astype(float), draws)
    return untested_row("macro_accuracy", scores, noises, float(correct.mean()), low, high, draws, "Wilson")


def untested_row(
    contrast: str,
    scores: Scores,
    noise: str,
    estimate: float | None,
    low: float | None,
    high: float | None,
    draws: Array,
    method: str,
) -> Comparison:
    """Return a row without a p value."""
    return Comparison(
        stage=scores.cell.stage,
        measure=scores.measure,
        contrast=contrast,
        model=scores.cell.model,
        against="",
        noise=noise,
        estimate=estimate,
        low=low,
        high=high,
        p=None,
        p_adjusted=None,
        n=int(draws.sum()),
        clusters=len(draws),
        method=method,
    )


def has_few_right(row: Comparison) -> bool:
    """Return whether an accuracy is of so few right answers that losing all of them would show nothing."""
    return row.estimate is not None and round(row.estimate * row.n / row.seeds) < _FEWEST_RIGHT
