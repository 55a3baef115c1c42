"""The comparison of two runs as lines for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stages import measure_named
from reports.stats.compare_runs import RunComparison
from reports.stats.comparisons import ALPHA, Comparison
from reports.store.record_kinds import Measure
from reports.store.records import Cell
from reports.tables.comparison_figures import figure
from reports.tables.text_wrap import wrapped

_COLUMNS = ("first", "second", "change", "95 % interval", "p", "problems")


def compare_runs_table(comparison: RunComparison, width: int = 80) -> list[str]:
    """Return a table for each stage, the cells that changed, and what was left out."""
    lines: list[str] = []
    for stage, name in dict.fromkeys((row.stage, row.measure) for row in comparison.rows):
        measure = measure_named(name)
        rows = [row for row in comparison.rows if (row.stage, row.measure) == (stage, name)]
        cell_names = [f"{row.model}-{row.noise}" for row in rows]
        indent = max(map(len, cell_names))
        lines += [f"{stage}, {'accuracy %' if measure.unit == 'points' else measure.unit}"]
        lines.append(" " * indent + "".join(f"{column:>{_column_width(column)}}" for column in _COLUMNS))
        for cell_name, row in zip(cell_names, rows, strict=True):
            means = comparison.means.get(Cell(row.model, row.noise, row.stage), (None, None))
            values = ["-" if value is None else figure(name, value) for value in (*means, row.estimate)]
            bounds = (row.low, row.high)
            interval = "-" if None in bounds else f"[{', '.join(figure(name, bound) for bound in bounds)}]"
            texts = [*values, interval, _p(row.p_adjusted), f"{row.clusters:,}"]
            columns = (f"{text:>{_column_width(column)}}" for text, column in zip(texts, _COLUMNS, strict=True))
            lines.append(f"{cell_name:<{indent}}" + "".join(columns))
        lines += ["", *wrapped(_verdict(rows, measure), width, subsequent_indent=""), ""]
    for sentence in comparison.left_out:
        lines += wrapped(sentence, width)
    return lines


def _verdict(rows: Sequence[Comparison], measure: Measure) -> str:
    """Return sentences about the cells that changed, and about the change that the others could have shown."""
    significant = [row for row in rows if row.p_adjusted is not None and row.p_adjusted <= ALPHA]
    lower = [f"{row.model}-{row.noise}" for row in significant if (row.estimate or 0.0) < 0]
    higher = [f"{row.model}-{row.noise}" for row in significant if (row.estimate or 0.0) > 0]
    sentences = [f"{word}: {', '.join(names)}." for word, names in (("Lower", lower), ("Higher", higher)) if names]
    others = [row for row in rows if row not in significant]
    if others:
        detectable = [row.detectable for row in others if row.detectable is not None]
        sizes = [f"{measure.scale * effect:.{measure.digits}f}" for effect in detectable]
        least, most = min(sizes, key=float, default=""), max(sizes, key=float, default="")
        size = f"{least if least == most else f'{least} to {most}'} {measure.unit}"
        power = f"which could have shown {size} in 80 % of runs" if sizes else "with too few problems to show any"
        which = f"{len(others)} of {len(rows)} cells" if significant else "any cell"
        sentences.append(f"No evidence of a change in {which}, {power}.")
    family = f" p is adjusted over {len(rows)} cells, and each interval is of its cell alone." if len(rows) > 1 else ""
    return " ".join(sentences) + family


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _column_width(column: str) -> int:
    return 16 if column == "95 % interval" else 9
