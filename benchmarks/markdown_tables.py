"""Rows of reports as tables in Markdown, for documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.findings import Findings
from reports.stats.accuracies import CellAccuracy
from reports.stats.comparison_rows import Comparison
from reports.stats.noise_doses import noise_order
from reports.tables.comparison_figures import figure, interval_text
from reports.tables.numbers_as_text import p_figure


def markdown_table(title: str, columns: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    """Return the lines of a table under a title, with an empty line behind it."""
    lines = [title, "", f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def figures_text(row: Comparison) -> str:
    """Return an estimate with its interval, in the unit of its measure."""
    return f"{figure(row.measure, row.estimate)} {interval_text(row)}"


def accuracy_text(row: CellAccuracy) -> str:
    """Return a mean over seeds in per cent, with its interval and the lowest and the highest seed."""
    low, high, lowest, highest = map(percent_text, (row.low, row.high, row.lowest, row.highest))
    return f"{percent_text(row.accuracy)} [{low}, {high}], {lowest} to {highest}"


def percent_text(share: float | None) -> str:
    """Return a share in per cent."""
    return "–" if share is None else f"{100 * share:.1f}"


def p_text(value: float | None) -> str:
    """Return a p value without its name; nothing for None."""
    return "" if value is None else p_figure(value).removeprefix("p = ").removeprefix("p ")


def rows_between_families(findings: Findings, contrasts: Sequence[str]) -> list[Comparison]:
    """Return the rows of these contrasts over seeds, contrast by contrast and noise by noise."""
    rows = [row for row in findings.family_comparisons if row.contrast in contrasts]
    return sorted(rows, key=lambda row: (contrasts.index(row.contrast), noise_order(row.noise)))
