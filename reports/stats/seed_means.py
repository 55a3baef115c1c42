"""Rows of a family's replicates as rows of the family: the mean over training seeds, with the seed as the unit.

Every contrast is computed for each replicate first, or for each pair of replicates of one number. What a row of a
family says is how the figures of those rows vary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar

import numpy

from reports.stats.accuracies import CellAccuracy
from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons import TESTED
from reports.stats.intervention_rows import FAULT, InterventionRow
from reports.stats.paired_tests import ALPHA, Array, holm
from reports.stats.retained_accuracy import RETAINED_LEVELS
from reports.stats.seed_statistics import (
    detectable_over_seeds,
    seed_interval,
    seed_p_value,
    sign_flip_p_value,
)
from reports.store.record_kinds import ACCURACY
from reports.store.replicates import display_name, family_label, replicate_label, replicated_families, split_replicate


class _OfModel(Protocol):
    @property
    def model(self) -> str: ...

    @property
    def stage(self) -> str: ...


Row = TypeVar("Row", bound=Comparison)
Named = TypeVar("Named", bound=_OfModel)
#: Shares of right answers, whose intervals stay between 0 and 1.
_LEVELS = (ACCURACY, "macro_accuracy", *RETAINED_LEVELS)
#: The fields of a row that say what it is about, but for the models; the fault last.
_ABOUT = ("stage", "measure", "contrast", "noise", "of", "fault")


#: Replicates, by stage, that are in no mean: they were asked otherwise than the first of their family.
Excluded = Collection[tuple[str, str]]


def comparisons_over_seeds(rows: Sequence[Row], tested: Collection[str] = TESTED, excluded: Excluded = ()) -> list[Row]:
    """Return the rows of each family that has several replicates, in the order of its first rows.

    The estimate is the mean over replicates, with Student's interval and p; `p_sign_flips` is the exact one. Rows about
    a single replicate, those of models without replicates, and replicates that are `excluded` are not among them.
    Holm's p is over the rows of one contrast, stage and measure. Those in `tested` get what they could have shown.
    """
    by_test: dict[tuple[str, str, str], list[tuple[Row, Array]]] = {}
    families = replicated_families(row.model for row in rows)
    numbers = _numbers((row.stage, row.model) for row in rows)
    kept = [row for row in rows if not {(row.stage, row.model), (row.stage, row.against)} & set(excluded)]
    for group in _replicated(kept, comparison_key).values():
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


def _numbers(models: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
    """Return the numbers of the replicates of each family, by stage."""
    numbers: dict[tuple[str, str], set[int]] = {}
    for stage, model in models:
        family, number = split_replicate(model)
        numbers.setdefault((stage, family), set()).add(number)
    return numbers


def _has_wrong_answers_of(row: Comparison, other: Comparison) -> bool:
    """Whether two rows are about faults of one family under one condition, whichever the fault and the replicate."""
    return row.contrast == other.contrast and comparison_key(row)[:-1] == comparison_key(other)[:-1]


def accuracies_over_seeds(rows: Sequence[CellAccuracy], excluded: Excluded = ()) -> list[CellAccuracy]:
    """Return the accuracy of each family that has several replicates: the mean of theirs, with the lowest and the
    highest. Counts are sums, and `degradation_p` is Student's over seeds."""
    numbers = _numbers((row.stage, row.model) for row in rows)
    kept = [row for row in rows if (row.stage, row.model) not in excluded and row.accuracy is not None]
    return [
        replace(_mean_accuracy(group), all_seeds=len(numbers[group[0].stage, split_replicate(group[0].model)[0]]))
        for group in _replicated(kept, accuracy_key).values()
    ]


def with_family_rows(
    rows: Iterable[Named],
    of_families: Iterable[Named],
    key: Callable[[Named], Hashable],
    excluded: Excluded = (),
) -> list[Named]:
    """Return the rows with that of a family in the place of its first replicate's, under the family's plain name.

    `key` gives what a row is about, whichever replicate it is of. Replicates that are in no mean keep a row of their
    own: the only one of a stage, and those that are `excluded`.
    """
    by_key = {key(row): row for row in of_families}
    taken: set[Hashable] = set()
    result = []
    for row in rows:
        about = key(row)
        if about not in by_key or (row.stage, row.model) in excluded:
            result.append(row)
        elif about not in taken:
            taken.add(about)
            result.append(_under_plain_name(by_key[about]))
    return result


def replicate_rows(rows: Sequence[CellAccuracy]) -> list[CellAccuracy]:
    """Return the accuracies of the replicates of families that have several."""
    return [row for group in _replicated(rows, accuracy_key).values() for row in group]


def numbered(row: Named, families: Collection[str]) -> Named:
    """Return a row with the numbers of its replicates, as `diffllama:0`, where their families are in `families`."""
    values: Any = row
    names = {
        field.name: replicate_label(getattr(row, field.name))
        for field in fields(values)
        if field.name in ("model", "against") and split_replicate(getattr(row, field.name))[0] in families
    }
    return replace(values, **names) if names else row


def comparison_key(row: Comparison) -> tuple[Any, ...]:
    """Return what a comparison is about, whichever replicate it is of."""
    others = tuple(getattr(row, name, "") for name in _ABOUT)
    return split_replicate(display_name(row.model))[0], split_replicate(display_name(row.against))[0], *others


def accuracy_key(row: CellAccuracy) -> tuple[str, str, str]:
    """Return the cell of an accuracy, whichever replicate it is of."""
    return split_replicate(display_name(row.model))[0], row.stage, row.noise


def _under_plain_name(row: Any) -> Any:
    names = {
        field.name: display_name(getattr(row, field.name))
        for field in fields(row)
        if field.name in ("model", "against")
    }
    return replace(row, **names)


def _replicated(rows: Sequence[Named], key: Callable[[Named], Hashable]) -> dict[Hashable, list[Named]]:
    """Return the rows about more than one replicate of a family, by what they are about."""
    families = replicated_families(row.model for row in rows)
    groups: dict[Hashable, list[Named]] = {}
    for row in rows:
        if split_replicate(row.model)[0] in families:
            groups.setdefault(key(row), []).append(row)
    return {about: group for about, group in groups.items() if len(group) > 1}


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
