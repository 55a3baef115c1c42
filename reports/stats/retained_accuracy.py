"""What is retained of what both models solve: two models with other clean accuracies cannot lose alike in points.

Everything here is over the problems that both models of a pair solve without noise. Of these each solves 100 % by
definition, so that what is left with noise compares them from the same start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy

from reports.stats.comparison_rows import Comparison, row_of_differences, untested_row
from reports.stats.noise_doses import CLEAN
from reports.stats.noise_means import FILLER
from reports.stats.paired_tests import Array, Differences
from reports.stats.problem_scores import ACCURACY, Scores, aligned_values
from reports.stats.proportions import wilson_by_problem

#: The contrasts: of each model of a pair, between the two, between the two net of filler, and the mean of that.
RETAINED, BETWEEN = "retained", "retained_difference"
MEAN_RETAINED, MEAN_BETWEEN = "mean_retained", "mean_retained_difference"
OVER_FILLER, MEAN_OVER_FILLER = "retained_difference_over_filler", "mean_retained_difference_over_filler"
RETAINED_LEVELS = (RETAINED, MEAN_RETAINED)
TESTED_RETAINED = (BETWEEN, MEAN_BETWEEN, OVER_FILLER, MEAN_OVER_FILLER)


@dataclass(frozen=True)
class PairValues:
    """A value per problem of a pair of models, and which problems count."""

    problems: Array
    values: Array
    counts: Array

    @property
    def kept(self) -> Array:
        return self.values[self.counts]


def retained_rows(
    left: Mapping[str, Scores],
    right: Mapping[str, Scores],
    means: tuple[Scores, Scores] | None = None,
    filled: Sequence[str] = (),
) -> Iterator[tuple[Comparison, Differences | None]]:
    """Yield the rows of a pair of models, by noise; nothing without clean cells, or for measures other than accuracy.

    `means` are the scores of both models as means over noises, and `filled` the noises with filler of the same length.
    """
    if CLEAN not in left or CLEAN not in right or left[CLEAN].measure != ACCURACY:
        return
    for noise in left:
        if noise != CLEAN and noise in right and _are_comparable(_cells(left, right, [noise])):
            yield from _retained([left[CLEAN], right[CLEAN], left[noise], right[noise]], RETAINED, BETWEEN)
    if means is not None:
        yield from _retained([left[CLEAN], right[CLEAN], *means], MEAN_RETAINED, MEAN_BETWEEN)
    comparable = [noise for noise in filled if _are_comparable(_cells(left, right, [noise, f"{FILLER}:{noise}"]))]
    for noise in comparable:
        yield _row(OVER_FILLER, f"{noise}-{FILLER}:{noise}", left, right, [noise])
    if len(comparable) > 1:
        yield _row(MEAN_OVER_FILLER, "+".join(comparable), left, right, comparable)


def beyond_filler(left: Mapping[str, Scores], right: Mapping[str, Scores], noises: Sequence[str]) -> PairValues:
    """Return by how much more of its right answers the first model retains, noise against filler, mean over noises."""
    names = [name for noise in noises for name in (noise, f"{FILLER}:{noise}")]
    cells = _cells(left, right, names)
    same_text = [(index, index + 1) for index in range(0, len(cells), 2)]
    (first_clean, second_clean, *values), _ = aligned_values(cells, same_text)
    problems, _ = aligned_values([_numbered(cell) for cell in cells], same_text)
    extra = [
        (values[index] - values[index + 2]) - (values[index + 1] - values[index + 3])
        for index in range(0, len(values), 4)
    ]
    return PairValues(problems[0], numpy.mean(extra, axis=0), (first_clean == 1) & (second_clean == 1))


def _retained(four: Sequence[Scores], level: str, between: str) -> Iterator[tuple[Comparison, Differences | None]]:
    """Yield what each model retains, and the difference. `four` are both clean, then both noisy."""
    (first_clean, second_clean, *noisy), draws = aligned_values(four, [(0, 1), (2, 3)])
    solved = (first_clean == 1) & (second_clean == 1)
    first, second = (values[solved] for values in noisy)
    if not solved.any():
        return
    for scores, other, values in ((four[2], four[3], first), (four[3], four[2], second)):
        yield _level(level, scores, other.cell.model, values, draws[solved]), None
    yield row_of_differences(between, four[2], four[3].cell.model, first - second, draws[solved])


def _numbered(scores: Scores) -> Scores:
    """Return scores whose values are the ids of the problems, to be aligned as the values are."""
    return replace(scores, values=scores.problems)


def _cells(left: Mapping[str, Scores], right: Mapping[str, Scores], names: Sequence[str]) -> list[Scores]:
    return [by_noise[name] for name in (CLEAN, *names) for by_noise in (left, right)]


def _are_comparable(cells: Sequence[Scores]) -> bool:
    return all(cell.comparable_settings == cells[0].comparable_settings for cell in cells)


def _level(contrast: str, scores: Scores, against: str, values: Array, draws: Array) -> Comparison:
    low, high = wilson_by_problem(values, draws)
    share = float((values * draws).sum() / draws.sum())
    row = untested_row(contrast, scores, scores.cell.noise, share, low, high, draws, "Wilson")
    return replace(row, against=against)


def _row(
    contrast: str, label: str, left: Mapping[str, Scores], right: Mapping[str, Scores], noises: Sequence[str]
) -> tuple[Comparison, Differences]:
    retained = beyond_filler(left, right, noises)
    scores = left[noises[0]]
    labelled = replace(scores, cell=replace(scores.cell, noise=label))
    draws = numpy.ones(len(retained.kept), dtype=int)
    against = right[CLEAN].cell.model
    return row_of_differences(contrast, labelled, against, retained.kept, draws, bound=2.0)
