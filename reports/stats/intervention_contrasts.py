"""What cutting attention to the noise changes: each condition, the parts of what noise costs, and the faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy

from reports.stats.attention_stats import MeasuredCell
from reports.stats.comparison_rows import cell_row, row_of_differences, untested_row
from reports.stats.comparisons import adjusted
from reports.stats.flip_prediction import flip_predictions
from reports.stats.intervention_rows import (
    COST,
    EFFECT,
    FAULT,
    PART,
    PART_DIFFERENCE,
    PARTS,
    SHARE,
    TOTAL,
    InterventionRow,
    about,
)
from reports.stats.intervention_scores import MEASURES, NOISY, InterventionCell, is_without_noise
from reports.stats.noise_doses import CLEAN
from reports.stats.paired_tests import Array, Differences
from reports.stats.problem_scores import (
    ACCURACY,
    Scores,
    aligned_values,
    pairs_with_different_tokenization,
)
from reports.stats.proportions import wilson_by_problem
from reports.store.records import Settings, problem_of
from reports.store.replicates import compared_pairs, model_order

#: The conditions that the parts are differences of.
_DECOMPOSED = (CLEAN, NOISY, "everywhere", "moved")
#: A row, and what its p value is computed from; None for a row without a test.
Tested = tuple[InterventionRow, Differences | None]


def intervention_rows(
    cells: Sequence[InterventionCell], attention: Sequence[MeasuredCell] = ()
) -> list[InterventionRow]:
    """Return the rows of all cells: levels and contrasts of each measure, then faults, then predictions of flips.

    `attention` are the readings of the same models, from which the lift of the noise is taken.
    """
    rows: list[InterventionRow] = []
    for measure in MEASURES:
        rows += [row for cell in cells for row in _levels(cell, measure)]
        tested = [row for cell in cells for row in (*_effects(cell, measure), *_parts(cell, measure))]
        rows += adjusted([*tested, *_differences(cells, measure)], tested=(PART_DIFFERENCE,))
    rows += [row for cell in cells for row in _faults(cell)]
    return [*rows, *flip_predictions(cells, attention)]


def parts_of(clean: Array, noisy: Array, everywhere: Array, moved: Array) -> dict[str, Array]:
    """Return what noise costs each problem, and the three parts that it is the sum of.

    `reading` comes back where the noise cannot be read, `displacement` where later words also have the positions that
    they have without it; `rest` is what neither brings back.
    """
    values = (clean - noisy, everywhere - noisy, moved - everywhere, clean - moved)
    return dict(zip((TOTAL, *PARTS), values, strict=True))


def _levels(cell: InterventionCell, measure: str) -> Iterator[InterventionRow]:
    for condition in cell.conditions:
        if (measure, condition) in cell.scores:
            yield about(cell_row(cell.scores[measure, condition]), condition)


def _effects(cell: InterventionCell, measure: str) -> Iterator[Tested]:
    """Yield what each condition changes: against `noisy`, or against `clean` where its text has no noise."""
    for condition in cell.conditions:
        is_cost = is_without_noise(condition)
        reference = cell.scores.get((measure, CLEAN if is_cost else NOISY))
        scores = cell.scores.get((measure, condition))
        if condition == NOISY or scores is None or reference is None:
            continue
        (before, after), draws = aligned_values([reference, scores], [(0, 1)])
        change = before - after if is_cost else after - before
        row, differences = row_of_differences(COST if is_cost else EFFECT, scores, "", change, draws)
        yield about(row, condition), differences


def _parts(cell: InterventionCell, measure: str) -> Iterator[Tested]:
    """Yield what noise costs and its parts, over the problems that all four conditions have."""
    four = _decomposed(cell, measure)
    if four is None:
        return
    values, draws = aligned_values(four, [(0, other) for other in range(1, len(four))])
    for part, differences in parts_of(*values).items():
        row, tested = row_of_differences(PART, four[0], "", differences, draws)
        yield about(row, part), tested


def _differences(cells: Sequence[InterventionCell], measure: str) -> Iterator[Tested]:
    """Yield for each pair of models and each part by how much more the second loses by it."""
    pairs = set(compared_pairs({cell.cell.model for cell in cells}))
    for left, right in combinations(sorted(cells, key=lambda cell: model_order(cell.cell.model)), 2):
        first, second = _decomposed(left, measure), _decomposed(right, measure)
        if left.cell.noise != right.cell.noise or first is None or second is None:
            continue
        if (left.cell.model, right.cell.model) not in pairs or not _are_comparable(left, right):
            continue
        if pairs_with_different_tokenization([first[0], second[0]]):
            continue
        eight = [*first, *second]
        values, draws = aligned_values(eight, [(0, other) for other in range(1, len(eight))])
        own, others = parts_of(*values[:4]), parts_of(*values[4:])
        for part in own:
            extra = others[part] - own[part]
            row, tested = row_of_differences(PART_DIFFERENCE, first[0], right.cell.model, extra, draws, bound=2.0)
            yield about(row, part), tested


def _decomposed(cell: InterventionCell, measure: str) -> list[Scores] | None:
    """Return the scores of the conditions that the parts are differences of; None if one was not measured."""
    scores = [cell.scores.get((measure, condition)) for condition in _DECOMPOSED]
    known = [of_condition for of_condition in scores if of_condition is not None]
    return known if len(known) == len(scores) else None


def _are_comparable(left: InterventionCell, right: InterventionCell) -> bool:
    """Whether two models were asked under the same settings but for the weights."""
    return _asked_alike(left.settings) == _asked_alike(right.settings)


def _asked_alike(settings: Settings) -> Settings:
    """Return the settings without those that are the model's own: the layers and heads of a cut are its own as well."""
    return replace(settings, weights="", rendered="", base="", attention="")


def _faults(cell: InterventionCell) -> Iterator[InterventionRow]:
    """Yield for each condition the share of its wrong answers that has each fault of the cell."""
    wrong = [record for record in cell.records if record.outcome not in ("correct", "measured")]
    faults = sorted({record.fault or record.outcome for record in wrong})
    for condition in cell.conditions:
        scores = cell.scores.get((ACCURACY, condition))
        by_problem: dict[str, list[str]] = {}
        for record in wrong:
            if record.condition == condition:
                by_problem.setdefault(problem_of(record.problem), []).append(record.fault or record.outcome)
        if scores is None or not by_problem:
            continue
        answers = numpy.array([len(of_problem) for of_problem in by_problem.values()])
        for fault in faults:
            counts = numpy.array([of_problem.count(fault) for of_problem in by_problem.values()])
            low, high = wilson_by_problem(counts / answers, answers)
            share, noise = float(counts.sum() / answers.sum()), cell.cell.noise
            row = untested_row(FAULT, scores, noise, share, low, high, answers, "Wilson")
            yield about(replace(row, measure=SHARE), condition, fault, int(counts.sum()))
