"""The tables of interventions for the terminal: the parts of what noise costs, each condition, and the faults."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stages import measure_named
from reports.stats.intervention_rows import COST, EFFECT, FAULT, TOTAL, InterventionRow
from reports.stats.intervention_scores import NOISY
from reports.stats.noise_doses import CLEAN
from reports.stats.parts_of_cost import shown_decompositions
from reports.store.record_kinds import ACCURACY
from reports.tables.compact_tables import grid, problems_text
from reports.tables.comparison_figures import figure
from reports.tables.intervention_narrative import (
    LIMIT,
    decomposition_sentences,
    difference_sentences,
    first_sentences,
    flip_sentences,
    floor_sentences,
)
from reports.tables.numbers_as_text import decimal
from reports.tables.score_tables import half_interval
from reports.tables.text_wrap import wrapped

#: What the parts are called in tables and figures.
PART_NAMES = {TOTAL: "cost", "reading": "reading", "displacement": "displacement", "rest": "neither"}
_ROWS_SHOWN = 6
FAULTS_SHOWN = (NOISY, "everywhere")


def intervention_answer(rows: Sequence[InterventionRow], width: int = 80) -> list[str]:
    """Return the table of the parts and two sentences as lines for the terminal; where no condition gives parts, what
    each condition changes. No lines without a row."""
    if not rows:
        return []
    lines = parts_table(rows, width, _ROWS_SHOWN) or conditions_table(rows, width)
    sentences = first_sentences(rows) or floor_sentences(rows)[:1]
    return [*lines, *(line for sentence in sentences for line in wrapped(sentence, width, "  ", "    "))]


def intervention_tables(rows: Sequence[InterventionRow], width: int = 80) -> list[str]:
    """Return every table and sentence as lines; none without a row."""
    if not rows:
        return []
    sentences = [
        *floor_sentences(rows),
        *decomposition_sentences(rows),
        *difference_sentences(rows),
        *flip_sentences(rows),
        LIMIT,
    ]
    text = [line for sentence in sentences for line in wrapped(sentence, width, "  ", "    ")]
    blocks = [[*parts_table(rows, width), *text], conditions_table(rows, width), faults_table(rows, width)]
    return [line for block in blocks if block for line in (*block, "")]


def parts_table(rows: Sequence[InterventionRow], width: int = 80, most: int | None = None) -> list[str]:
    """Return what noise costs each model and its parts; rows after the first `most` are counted, not shown."""
    shown, lines = shown_decompositions(rows), []
    for measure in dict.fromkeys(of_cell.total.measure for of_cell in shown[:most]):
        of_measure = [of_cell for of_cell in shown[:most] if of_cell.total.measure == measure]
        values = {
            (_label(row), PART_NAMES[row.of]): part_text(row)
            for of_cell in of_measure
            for row in (of_cell.total, *of_cell.parts)
        }
        unit, size = measure_named(measure).unit, problems_text([of_cell.total.clusters for of_cell in of_measure])
        interval = "[95 % interval]" if measure == ACCURACY else "± half the 95 % interval"
        lines += wrapped(f"parts of the cost, {unit} {interval}, {size}", width)
        lines += grid([_label(of_cell.total) for of_cell in of_measure], list(PART_NAMES.values()), values, width)
    hidden = len(shown) - len(shown[:most])
    return [*lines, *([f"and {hidden:,} more row{'s' * (hidden > 1)}: -v"] if hidden else [])]


def conditions_table(rows: Sequence[InterventionRow], width: int = 80) -> list[str]:
    """Return the accuracy of each condition with what it changes; the likelihood where no accuracy was measured."""
    measures = {row.measure for row in rows}
    measure = ACCURACY if ACCURACY in measures else "likelihood"
    of_measure = [row for row in rows if row.measure == measure and row.estimate is not None]
    levels = {(_label(row), row.of): row for row in of_measure if row.contrast == measure}
    changed = {(_label(row), row.of): row for row in of_measure if row.contrast in (EFFECT, COST)}
    values = {
        key: figure(measure, row.estimate) + (change_text(changed[key]) if key in changed and key[1] != CLEAN else "")
        for key, row in levels.items()
    }
    if not values:
        return []
    labels, conditions = (list(dict.fromkeys(names)) for names in zip(*levels, strict=True))
    reference = ", without noise from clean" if any(row.contrast == COST for row in changed.values()) else ""
    unit = measure_named(measure).unit
    heading = f"{measure_named(measure).label} by condition, {unit}; change from noisy{reference}"
    return [*wrapped(heading, width), *grid(labels, conditions, values, width)]


def faults_table(rows: Sequence[InterventionRow], width: int = 80) -> list[str]:
    """Return what is wrong with the wrong answers, with the noise and where it cannot be read: per cent and count."""
    faults = [row for row in rows if row.contrast == FAULT and row.of in FAULTS_SHOWN]
    if not faults:
        return []
    values = {(f"{_label(row)}, {row.of}", row.fault.replace("_", " ")): fault_text(row) for row in faults}
    labels, names = (list(dict.fromkeys(names_of)) for names_of in zip(*values, strict=True))
    return [*wrapped("faults: % of the wrong answers (how many)", width), *grid(labels, names, values, width)]


def part_text(row: InterventionRow) -> str:
    if row.measure != ACCURACY:
        return f"{figure(row.measure, row.estimate)} {half_interval(row)}"
    if row.low is None or row.high is None:
        return f"{figure(row.measure, row.estimate)} [-]"
    return f"{figure(row.measure, row.estimate)} [{decimal(100 * row.low, 0)}, {decimal(100 * row.high, 0)}]"


def change_text(row: InterventionRow) -> str:
    """Return what a condition adds, as ` +24.0`; a cost is taken off."""
    scale, digits = measure_named(row.measure).scale, measure_named(row.measure).digits
    change = (row.estimate or 0.0) * (-1 if row.contrast == COST else 1)
    return f" {decimal(scale * change, digits, '+')}"


def fault_text(row: InterventionRow) -> str:
    return f"{100 * (row.estimate or 0.0):.0f} ({row.count:,})"


def _label(row: InterventionRow) -> str:
    return f"{row.model}, {row.noise}"
