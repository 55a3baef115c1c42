"""The comparisons of a family's replicates as one row of the family: their mean, with the seed as the unit.

Every contrast is computed for each replicate first, or for each pair of replicates of one number. What a row of a
family says is how the figures of those rows vary.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy

from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons import TESTED
from reports.stats.intervention_rows import FAULT, InterventionRow
from reports.stats.paired_tests import ALPHA, Array, holm
from reports.stats.replicates_by_family import Excluded, replicate_numbers, rows_by_subject
from reports.stats.retained_accuracy import RETAINED_LEVELS
from reports.stats.seed_statistics import (
    detectable_over_seeds,
    seed_interval,
    seed_p_value,
    sign_flip_p_value,
)
from reports.store.record_kinds import ACCURACY
from reports.store.replicates import display_name, family_label, replicated_families, split_replicate

Row = TypeVar("Row", bound=Comparison)
#: Shares of right answers, whose intervals stay between 0 and 1.
_LEVELS = (ACCURACY, "macro_accuracy", *RETAINED_LEVELS)
#: The fields of a row that say what it is about, but for the models; the fault last.
_ABOUT = ("stage", "measure", "contrast", "noise", "of", "fault")


def comparisons_over_seeds(rows: Sequence[Row], tested: Collection[str] = TESTED, excluded: Excluded = ()) -> list[Row]:
    """Return the rows of each family that has several replicates, in the order of its first rows.

    The estimate is the mean over replicates, with Student's interval and p; `p_sign_flips` is the exact one. Rows about
    a single replicate, those of models without replicates, and replicates that are `excluded` are not among them.
    Holm's p is over the rows of one contrast, stage and measure. Those in `tested` get what they could have shown.
    """
    by_test: dict[tuple[str, str, str], list[tuple[Row, Array]]] = {}
    families = replicated_families(row.model for row in rows)
    numbers = replicate_numbers((row.stage, row.model) for row in rows)
    kept = [row for row in rows if not {(row.stage, row.model), (row.stage, row.against)} & set(excluded)]
    for group in rows_by_subject(kept, comparison_key).values():
        estimates = [row.estimate for row in group if row.estimate is not None]
        if group[0].contrast == FAULT:  # a seed without the fault has a share of 0, if any of its answers is wrong
            wrong = {row.model for row in kept if _has_wrong_answers_of(row, group[0])}
            estimates += [0.0] * (len(wrong) - len(estimates))
        if len(estimates) > 1:
            values, first = numpy.array(estimates), group[0]
            test = first.stage, first.measure, first.contrast
            mean = _mean([row for row in group if row.estimate is not None], values, families)
            if isinstance(mean, InterventionRow) and mean.count is not None:
                mean = replace(mean, count=sum(getattr(row, "count", 0) or 0 for row in group))
            all_seeds = numbers[first.stage, split_replicate(first.model)[0]]
            by_test.setdefault(test, []).append((replace(mean, all_seeds=len(all_seeds)), values))
    return [row for group in by_test.values() for row in _adjusted(group, tested)]


def _has_wrong_answers_of(row: Comparison, other: Comparison) -> bool:
    """Whether two rows are about faults of one family under one condition, whichever the fault and the replicate."""
    return row.contrast == other.contrast and comparison_key(row)[:-1] == comparison_key(other)[:-1]


def comparison_key(row: Comparison) -> tuple[Any, ...]:
    """Return what a comparison is about, whichever replicate it is of."""
    others = tuple(getattr(row, name, "") for name in _ABOUT)
    return split_replicate(display_name(row.model))[0], split_replicate(display_name(row.against))[0], *others


def _mean(rows: Sequence[Row], values: Array, families: Collection[str]) -> Row:
    first = rows[0]
    low, high = seed_interval(values) or (None, None)
    if first.contrast in _LEVELS and low is not None and high is not None:
        low, high = max(0.0, low), min(1.0, high)
    is_tested = first.p is not None
    return replace(
        first,
        model=family_label(split_replicate(first.model)[0]),
        against=family_label(split_replicate(first.against)[0]) if _is_of(first.against, families) else first.against,
        estimate=float(values.mean()),
        low=low,
        high=high,
        p=seed_p_value(values) if is_tested else None,
        p_sign_flips=sign_flip_p_value(values) if is_tested else None,
        p_adjusted=None,
        n=sum(row.n for row in rows),
        clusters=min(row.clusters for row in rows),
        method="Student over seeds",
        detectable=None,
        needed=None,
        seeds=len(values),
    )


def _is_of(model: str, families: Collection[str]) -> bool:
    return split_replicate(model)[0] in families


def _adjusted(group: Sequence[tuple[Row, Array]], tested: Collection[str]) -> list[Row]:
    adjusted = holm([row.p for row, _ in group])
    alpha = ALPHA / max(1, sum(row.p is not None for row, _ in group))
    return [
        replace(
            row,
            p_adjusted=p_adjusted,
            detectable=detectable_over_seeds(values, alpha) if row.contrast in tested else None,
        )
        for (row, values), p_adjusted in zip(group, adjusted, strict=True)
    ]
