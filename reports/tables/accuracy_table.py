"""The full table of accuracies for the terminal: models down, noises across, the interval under each figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from reports.stats.accuracies import CellAccuracy
from reports.stats.noise_doses import CLEAN, noise_order
from reports.tables.numbers_as_text import decimal

_LABELS = ("accuracy %", "95 % interval", "seed range", "degradation", "gain", "95 % of gain")
_LABEL_WIDTH = max(map(len, _LABELS))
_LONGEST_NAME = 14  # four noises then fit 80 columns; a longer name gets a line of its own
_MINIMUM_COLUMN = len("99.9-100.0")


def accuracy_table(rows: Sequence[CellAccuracy], width: int = 80) -> list[str]:
    """Return the lines of the table, one block per stage, at most `width` columns wide if the names allow it.

    Accuracies are in per cent and degradations in points. Noises that do not fit the width follow in another block.
    """
    lines: list[str] = []
    for stage, stage_rows in groupby(rows, key=lambda row: row.stage):
        lines += _stage_block(stage, list(stage_rows), width)
    return lines


def seed_table(seeds: Sequence[CellAccuracy], width: int = 80) -> list[str]:
    """Return the table of each training seed; no lines where no family has several."""
    if not seeds:
        return []
    return ["each training seed", *accuracy_table(seeds, width)]


def draws_text(rows: Sequence[CellAccuracy]) -> str:
    """Return how often the noise of each problem was drawn, in words; empty for once everywhere."""
    draws = [-(-row.n // max(1, row.problems * row.seeds)) for row in rows if row.noise != CLEAN]
    fewest, most = min(draws, default=1), max(draws, default=1)
    if most == 1:
        return ""
    return f"each noise drawn {most} times" if fewest == most else f"noises drawn {fewest} to {most} times"


def _stage_block(stage: str, rows: list[CellAccuracy], width: int) -> list[str]:
    models = list(dict.fromkeys(row.model for row in rows))
    noises = sorted(dict.fromkeys(row.noise for row in rows), key=noise_order)
    indent = min(max(map(len, models)), _LONGEST_NAME)
    column = max(_MINIMUM_COLUMN, *map(len, noises)) + 2
    per_block = max(1, (width - indent - 2 - _LABEL_WIDTH) // column)
    sizes = {row.problems for row in rows}
    draws = draws_text(rows)
    heading = [stage, f"{next(iter(sizes)):,} problems a cell" if len(sizes) == 1 else ""]
    lines = [", ".join(filter(None, [*heading, draws]))]
    for first in range(0, len(noises), per_block):
        block = noises[first : first + per_block]
        lines.append(" " * (indent + 2 + _LABEL_WIDTH) + "".join(f"{noise:>{column}}" for noise in block))
        for model in models:
            by_noise = {row.noise: row for row in rows if row.model == model}
            cells = [by_noise.get(noise) for noise in block]
            if any(cells):
                lines += _model_lines(model, cells, indent, column, show_n=len(sizes) > 1)
    return [*lines, ""]


def _model_lines(name: str, cells: Iterable[CellAccuracy | None], indent: int, column: int, show_n: bool) -> list[str]:
    figures = [_figures(cell) for cell in cells]
    labels = (*_LABELS, "problems" if show_n else "", "errors")
    lines = [name] if len(name) > indent else []
    for number, label in enumerate(labels):
        values = [column_figures[number] for column_figures in figures]
        if label and any(values):
            head = name if number == 0 and len(name) <= indent else ""
            lines.append(
                f"{head:<{indent}}  {label:<{_LABEL_WIDTH}}" + "".join(f"{value:>{column}}" for value in values)
            )
    return lines


def _figures(cell: CellAccuracy | None) -> tuple[str, ...]:
    if cell is None:
        return ("",) * (len(_LABELS) + 2)
    accuracy = "-" if cell.accuracy is None else f"{cell.accuracy:.1%}"[:-1]
    interval = "-" if cell.low is None or cell.high is None else f"{100 * cell.low:.1f}-{100 * cell.high:.1f}"
    degradation = "" if cell.degradation is None else f"{100 * cell.degradation:.1f}"
    gain = "" if cell.gain is None else f"{100 * cell.gain:+.1f}"
    bounds = (cell.gain_low, cell.gain_high)
    gain_interval = (
        "" if None in bounds else " to ".join(decimal(100 * bound, 0) for bound in bounds if bound is not None)
    )
    spread = "" if cell.lowest is None or cell.highest is None else f"{100 * cell.lowest:.1f}-{100 * cell.highest:.1f}"
    counts = f"{cell.problems:,}", f"{cell.errors:,}" if cell.errors else ""
    return accuracy, interval, spread, degradation, gain, gain_interval, *counts
