"""Tables of one screen: a line or two per model, noises across. The full tables are in the modules next to this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reports.stages import SFT, ZERO_SHOT
from reports.stats.accuracies import CellAccuracy
from reports.stats.attention_stats import AttentionRow, MeasuredCell, needle_depth, rows_of_cells
from reports.stats.comparisons import Comparison
from reports.stats.noise_doses import noise_order
from reports.stats.placebo_labels import is_placebo
from reports.store.stage_and_file_names import TUNED_SUFFIX
from reports.tables.accuracy_table import draws_text
from reports.tables.comparison_figures import figure
from reports.tables.score_tables import half_interval, score_levels, score_measures
from reports.tables.text_wrap import wrapped

Values = Mapping[tuple[str, str], str]
"""Cells of a table as text, by label and column."""

_LABEL_WIDTH = 14  # at least; a longer label gets a line of its own where the columns need the room
#: What a reading is taken over unless something else was asked for (`Settings.attention`); not worth a line.
_USUAL_READING = "queries answer; layers all; heads all"


def compact_accuracy(rows: Sequence[CellAccuracy], width: int = 80) -> list[str]:
    """Return accuracies in per cent with their intervals, of each model and noise; no lines if there is no row.

    If the width allows it, the change from clean is next to them, in points. A tuned model is a row of its own, after
    the untuned ones. Below the mean over training seeds are the lowest and the highest accuracy of a seed.
    """
    if not rows:
        return []
    labels = list(dict.fromkeys(map(_label, rows)))
    noises = sorted(dict.fromkeys(row.noise for row in rows), key=noise_order)
    draws = draws_text(rows)
    values = {(_label(row), row.noise): _accuracy(row) for row in rows}
    changed = {(_label(row), row.noise): f"{_accuracy(row)}{_change(row)}" for row in rows}
    means = [row.seeds for row in rows if row.seeds > 1]
    counted = "" if not means else f"{min(means)} to {max(means)}" if min(means) < max(means) else str(max(means))
    figures = f"accuracy, %, mean of {counted} seeds" if means else "accuracy, %"
    heading = f"{figures} [95 % interval]"
    if changed != values and _one_block(labels, noises, changed, width):
        values, heading = changed, f"{heading}, change from clean"
    elif not _one_block(labels, noises, values, width) and any(map(is_placebo, noises)):
        short = {key: text.partition(" ")[0] for key, text in values.items()}
        if _one_block(labels, noises, short, width, gap=1):
            values, heading = short, f"{figures} (intervals: -v)"
    heading += f", {problems_text([row.problems for row in rows])}"
    heading += f", {draws}" if draws else ""
    errors = sum(row.errors for row in rows)
    heading += f", {errors:,} error{'s' * (errors != 1)} left out" if errors else ""
    spreads = {(f"  {_label(row)} range", row.noise): _spread(row) for row in rows if row.seeds > 1}
    spread_labels = {label for label, _ in spreads}
    labels = [
        text for label in labels for text in (label, f"  {label} range") if text == label or text in spread_labels
    ]
    return [*wrapped(heading, width), *grid(labels, noises, {**values, **spreads}, width)]


def compact_scores(rows: Sequence[Comparison], width: int = 80) -> list[str]:
    """Return the mean score with half its interval of each model and noise, for each measure other than accuracy."""
    lines = []
    for measure in score_measures(rows):
        levels = [row for row in score_levels(rows) if row.measure == measure.name and row.estimate is not None]
        if not levels:
            continue
        noises = sorted(dict.fromkeys(row.noise for row in levels), key=noise_order)
        values = {(row.model, row.noise): f"{figure(row.measure, row.estimate)} {half_interval(row)}" for row in levels}
        size = problems_text([row.clusters for row in levels])
        heading = f"{measure.label}, {measure.unit} ± half the 95 % interval, {size}"
        lines += [*wrapped(heading, width), *grid(_untuned_first(row.model for row in levels), noises, values, width)]
    return lines


def compact_attention(cells: Sequence[MeasuredCell], width: int = 80) -> list[str]:
    """Return the lift of the noise of each model and noise, and the range of λ over layers of differential models.

    No lines if no cell outside the retrieval test has noise.
    """
    outside_retrieval = [cell for cell in cells if needle_depth(cell.cell.noise) is None]
    overall = [row for row in rows_of_cells(outside_retrieval) if row.head is None]
    lifts = [row for row in overall if (row.measure, row.segment) == ("lift", "ni")]
    if not lifts:
        return []
    models, noises = _untuned_first(row.model for row in lifts), list(dict.fromkeys(row.noise for row in lifts))
    values = {(row.model, row.noise): _lift(row) for row in lifts}
    spread = "mean ± std"
    if not _one_block(models, noises, values, width) and any(map(is_placebo, noises)):
        short = {key: text.partition(" ")[0] for key, text in values.items()}
        if _one_block(models, noises, short, width, gap=1):
            values, spread = short, "mean"
    size = problems_text([row.n for row in lifts])
    measured = [over for over in dict.fromkeys(cell.scope for cell in outside_retrieval) if over]
    heading = f"attention: lift of the noise (1 = token share), {spread}, {size}"
    lines = wrapped("; ".join([heading, *(measured if measured != [_USUAL_READING] else [])]), width)
    return [*lines, *grid(models, noises, values, width), *_lambda_ranges(overall, width)]


def _lambda_ranges(rows: Sequence[AttentionRow], width: int) -> list[str]:
    by_model: dict[str, list[float]] = {}
    for row in rows:
        if row.measure == "lambda":
            by_model.setdefault(row.model, []).append(row.mean)
    ranges = []
    for model in _untuned_first(by_model):
        low, high = f"{min(by_model[model]):.2f}", f"{max(by_model[model]):.2f}"
        ranges.append(f"{model} {low}" + (f" to {high}" if low != high else ""))
    return wrapped(f"λ by layer: {', '.join(ranges)}", width) if ranges else []


def grid(labels: Sequence[str], columns: Sequence[str], values: Values, width: int) -> list[str]:
    """Return a table of `values` by label and column; columns that do not fit the width follow in another block."""
    cell_width, indent = _widths(labels, columns, values, width)
    gap = 2 if _one_block(labels, columns, values, width) else 1
    per_block = max(1, (width - indent) // (cell_width + gap))
    lines = []
    for first in range(0, len(columns), per_block):
        block = columns[first : first + per_block]
        lines.append(" " * indent + "".join(f"{column:>{cell_width + gap}}" for column in block))
        for label in labels:
            cells = [values.get((label, column), "") for column in block]
            if any(cells):
                lines += [label] if len(label) > indent else []
                text = "".join(f"{cell:>{cell_width + gap}}" for cell in cells)
                lines.append(f"{label if len(label) <= indent else '':<{indent}}{text}".rstrip())
    return lines


def _one_block(labels: Sequence[str], columns: Sequence[str], values: Values, width: int, gap: int = 2) -> bool:
    """Return whether all columns fit the width with `gap` spaces between them."""
    cell_width, indent = _widths(labels, columns, values, width)
    return indent + len(columns) * (cell_width + gap) <= width


def _widths(labels: Sequence[str], columns: Sequence[str], values: Values, width: int) -> tuple[int, int]:
    """Return the width of a cell and that of the labels' column."""
    return max(map(len, [*columns, *values.values()])), min(max(map(len, labels)), max(_LABEL_WIDTH, width // 4))


def _label(row: CellAccuracy) -> str:
    if row.stage == SFT:
        return row.model if row.model.endswith(TUNED_SUFFIX) else f"{row.model}{TUNED_SUFFIX}"
    return row.model if row.stage == ZERO_SHOT else f"{row.model}, {row.stage}"


def _accuracy(row: CellAccuracy) -> str:
    if row.accuracy is None:
        return "-"
    if row.low is None or row.high is None:  # seeds that do not differ have no interval
        return f"{100 * row.accuracy:.1f}"
    return f"{100 * row.accuracy:.1f} [{100 * row.low:.0f}, {100 * row.high:.0f}]"


def _spread(row: CellAccuracy) -> str:
    return "" if row.lowest is None or row.highest is None else f"{100 * row.lowest:.1f} to {100 * row.highest:.1f}"


def _change(row: CellAccuracy) -> str:
    return "" if row.degradation is None else f" {0.0 - 100 * row.degradation:+.1f}"


def _lift(row: AttentionRow) -> str:
    return f"{row.mean:.2f} ± {'-' if row.std is None else f'{row.std:.2f}'}"


def _untuned_first(models: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(models), key=lambda name: name.endswith(TUNED_SUFFIX))


def problems_text(counts: Sequence[int]) -> str:
    fewest, most = min(counts), max(counts)
    counted = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return f"{counted} problem{'s' * (most != 1)} a cell"
