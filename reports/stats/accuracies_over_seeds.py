"""The accuracies of a family's replicates as one row of the family: the mean over training seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy

from reports.stats.accuracies import CellAccuracy
from reports.stats.replicates_by_family import Excluded, replicate_numbers, rows_by_subject
from reports.stats.seed_statistics import seed_interval, seed_p_value
from reports.store.replicates import display_name, family_label, split_replicate


def accuracies_over_seeds(rows: Sequence[CellAccuracy], excluded: Excluded = ()) -> list[CellAccuracy]:
    """Return the accuracy of each family that has several replicates: the mean of theirs, with the lowest and the
    highest. Counts are sums, and `degradation_p` is Student's over seeds."""
    numbers = replicate_numbers((row.stage, row.model) for row in rows)
    kept = [row for row in rows if (row.stage, row.model) not in excluded and row.accuracy is not None]
    return [
        replace(_mean_accuracy(group), all_seeds=len(numbers[group[0].stage, split_replicate(group[0].model)[0]]))
        for group in rows_by_subject(kept, accuracy_key).values()
    ]


def replicate_rows(rows: Sequence[CellAccuracy]) -> list[CellAccuracy]:
    """Return the accuracies of the replicates of families that have several."""
    return [row for group in rows_by_subject(rows, accuracy_key).values() for row in group]


def accuracy_key(row: CellAccuracy) -> tuple[str, str, str]:
    """Return the cell of an accuracy, whichever replicate it is of."""
    return split_replicate(display_name(row.model))[0], row.stage, row.noise


def _mean_accuracy(rows: Sequence[CellAccuracy]) -> CellAccuracy:
    sums = ("n", "correct", "incorrect", "no_answer", "truncated", "errors")
    accuracy = numpy.array([row.accuracy for row in rows])
    low, high = seed_interval(accuracy) or (None, None)
    lost, lost_low, lost_high, lost_p = _mean_of([row.degradation for row in rows])
    won, won_low, won_high, _ = _mean_of([row.gain for row in rows])
    return replace(
        rows[0],
        model=family_label(split_replicate(rows[0].model)[0]),
        accuracy=float(accuracy.mean()),
        low=None if low is None else max(0.0, low),
        high=None if high is None else min(1.0, high),
        lowest=float(accuracy.min()),
        highest=float(accuracy.max()),
        seeds=len(rows),
        problems=min(row.problems for row in rows),
        degradation_n=_fewest([row.degradation_n for row in rows]),
        gain_n=_fewest([row.gain_n for row in rows]),
        degradation=lost,
        degradation_low=lost_low,
        degradation_high=lost_high,
        degradation_p=lost_p,
        gain=won,
        gain_low=won_low,
        gain_high=won_high,
        **{name: sum(getattr(row, name) for row in rows) for name in sums},
    )


def _fewest(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return min(known) if len(known) == len(counts) else None


def _mean_of(figures: Sequence[float | None]) -> tuple[float | None, float | None, float | None, float | None]:
    """Return the mean of figures, its interval and its p; None for each where a replicate has no figure."""
    if None in figures:
        return None, None, None, None
    values = numpy.array(figures)
    low, high = seed_interval(values) or (None, None)
    return float(values.mean()), low, high, seed_p_value(values)
