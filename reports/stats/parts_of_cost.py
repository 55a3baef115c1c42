"""What noise costs a model as the sum of its parts, and the measure in which it is worth telling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.stats.comparison_rows import has_few_right
from reports.stats.intervention_rows import PART, PART_DIFFERENCE, PARTS, TOTAL, InterventionRow
from reports.stats.noise_doses import CLEAN
from reports.store.record_kinds import ACCURACY, LIKELIHOOD


@dataclass(frozen=True)
class Decomposition:
    """What a noise costs a model, `total`, and the `parts` that it is the sum of, in the order of `PARTS`."""

    total: InterventionRow
    parts: tuple[InterventionRow, ...]

    @property
    def cell(self) -> tuple[str, str]:
        """The model and the noise."""
        return self.total.model, self.total.noise


def decompositions(rows: Sequence[InterventionRow], measure: str) -> list[Decomposition]:
    """Return the decomposition of each model and noise that has one in this measure, in the order of the rows."""
    by_cell: dict[tuple[str, str], dict[str, InterventionRow]] = {}
    for row in rows:
        if (row.contrast, row.measure) == (PART, measure) and row.estimate is not None:
            by_cell.setdefault((row.model, row.noise), {})[row.of] = row
    return [Decomposition(by_part[TOTAL], tuple(by_part[part] for part in PARTS)) for by_part in by_cell.values()]


def shown_decompositions(rows: Sequence[InterventionRow]) -> list[Decomposition]:
    """Return the decomposition of each model and noise in accuracy, or in likelihood where that has nothing to lose."""
    at_floor = {(row.model, row.noise) for row in rows_at_floor(rows)}
    by_measure = {measure: decompositions(rows, measure) for measure in (ACCURACY, LIKELIHOOD)}
    in_accuracy = [of_cell for of_cell in by_measure[ACCURACY] if of_cell.cell not in at_floor]
    shown = {of_cell.cell for of_cell in in_accuracy}
    return [*in_accuracy, *(of_cell for of_cell in by_measure[LIKELIHOOD] if of_cell.cell not in shown)]


def shown_differences(rows: Sequence[InterventionRow]) -> list[InterventionRow]:
    """Return the differences of parts between models in accuracy, or in likelihood where one has nothing to lose."""
    at_floor = {(row.model, row.noise) for row in rows_at_floor(rows)}
    differences = [row for row in rows if row.contrast == PART_DIFFERENCE and row.estimate is not None]
    in_accuracy = [
        row
        for row in differences
        if row.measure == ACCURACY and not at_floor & {(row.model, row.noise), (row.against, row.noise)}
    ]
    shown = {(row.model, row.against, row.noise) for row in in_accuracy}
    others = [row for row in differences if (row.model, row.against, row.noise) not in shown]
    return [*in_accuracy, *(row for row in others if row.measure == LIKELIHOOD)]


def rows_at_floor(rows: Sequence[InterventionRow]) -> list[InterventionRow]:
    """Return the clean accuracies with so few right answers that losing all of them would show nothing."""
    return [row for row in rows if row.contrast == row.measure == ACCURACY and row.of == CLEAN and has_few_right(row)]
