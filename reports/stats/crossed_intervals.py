"""Intervals of what differs between two families with both the seeds and the problems as random."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy

from reports.stats.comparison_rows import Comparison
from reports.stats.noise_doses import CLEAN
from reports.stats.noise_means import NoiseMeans, mean_over_noises
from reports.stats.paired_tests import Array
from reports.stats.problem_scores import Scores, aligned_values
from reports.stats.retained_accuracy import MEAN_OVER_FILLER, PairValues, beyond_filler
from reports.stats.seed_statistics import crossed_mean
from reports.store.replicates import family_label, split_replicate

_MEAN_EXTRA_LOSS = "mean_difference_in_differences"
_ByNoise = Mapping[str, Scores]


def with_crossed_intervals(rows: Sequence[Comparison], scores: Iterable[Scores]) -> list[Comparison]:
    """Return the rows of families, those of means over noises with their crossed interval where all seeds have the same
    problems."""
    by_model: dict[tuple[str, str], dict[str, dict[str, Scores]]] = {}
    for cell_scores in scores:
        models = by_model.setdefault((cell_scores.cell.stage, cell_scores.measure), {})
        models.setdefault(cell_scores.cell.model, {})[cell_scores.cell.noise] = cell_scores
    return [_with_interval(row, by_model.get((row.stage, row.measure), {})) for row in rows]


def _with_interval(row: Comparison, by_model: Mapping[str, _ByNoise]) -> Comparison:
    if row.contrast not in (_MEAN_EXTRA_LOSS, MEAN_OVER_FILLER):
        return row
    means = NoiseMeans(by_model)
    values = []
    for model, against in _pairs(row, by_model):
        left, right = by_model[model], by_model[against]
        if row.contrast == MEAN_OVER_FILLER:
            if "+".join(means.filled_noises(model, against)) == row.noise:
                values.append(beyond_filler(left, right, means.filled_noises(model, against)))
        else:
            noisy = means.shared_cells(model, against)
            label = means.label(of_noise.cell.noise for of_noise in noisy[0])
            if CLEAN in left and CLEAN in right and noisy[0] and label == row.noise:
                values.append(_extra_loss([left[CLEAN], right[CLEAN], *(mean_over_noises(of, "") for of in noisy)]))
    are_whole = len(values) == row.seeds and len({tuple(pair.problems) for pair in values}) == 1
    crossed = crossed_mean(seed_matrix(values)) if are_whole else None
    return row if crossed is None else replace(row, crossed_low=crossed.low, crossed_high=crossed.high)


def _pairs(row: Comparison, by_model: Mapping[str, _ByNoise]) -> list[tuple[str, str]]:
    """Return the models of a row of two families that have the same number."""
    numbered = {split_replicate(model): model for model in by_model}
    families = {family_label(family): family for family, _ in numbered}
    first, second = families[row.model], families[row.against]
    numbers = sorted(number for family, number in numbered if family == first)
    return [(numbered[first, n], numbered[second, n]) for n in numbers if (second, n) in numbered]


def _extra_loss(four: Sequence[Scores]) -> PairValues:
    same_text = [(0, 1), (2, 3)]
    (first_clean, second_clean, first, second), _ = aligned_values(four, same_text)
    problems, _ = aligned_values([replace(scores, values=scores.problems) for scores in four], same_text)
    return PairValues(problems[0], (second_clean - second) - (first_clean - first), numpy.ones(len(first), dtype=bool))


def seed_matrix(pairs: Sequence[PairValues]) -> Array:
    """Return a value for each seed and problem, over the problems that every seed has.

    The mean of a row is that of the problems that count. Where not all of them count, a problem's value is the mean
    plus its influence on that ratio (the delta method), which is 0 for those that do not.
    """
    shared = reduce(numpy.intersect1d, [pair.problems for pair in pairs])
    rows = []
    for pair in pairs:
        at = numpy.searchsorted(pair.problems, shared)
        values, counts = pair.values[at], pair.counts[at]
        mean = values[counts].mean() if counts.any() else 0.0
        rows.append(mean + numpy.where(counts, (values - mean) / max(counts.mean(), 1e-9), 0.0))
    return numpy.array(rows)
