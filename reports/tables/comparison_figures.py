"""The figures of a comparison as text: its estimate, its interval, and what the run could have shown."""

from __future__ import annotations

from reports.stages import measure_named
from reports.stats.comparison_rows import Comparison
from reports.stats.paired_tests import ALPHA
from reports.tables.numbers_as_text import decimal


def is_significant(row: Comparison) -> bool:
    return row.p_adjusted is not None and row.p_adjusted <= ALPHA


def power_text(row: Comparison, size: str) -> str:
    """Return what this number of problems could have shown, and how many would show the estimate, if that is not 0."""
    unit = measure_named(row.measure).unit
    if row.detectable is None:
        return f"{row.clusters:,} problem{'s are' if row.clusters != 1 else ' is'} too few to show any difference"
    shown = f"{row.clusters:,} problems could have shown {figure(row.measure, row.detectable)} {unit}"
    if row.needed is None or not float(size):
        return shown
    return f"{shown}, and about {_two_digits(row.needed):,} problems are needed to detect {size}"


def _two_digits(number: int) -> int:
    """Return a number rounded up to two significant digits."""
    power = 10 ** max(0, len(str(number)) - 2)
    return -(-number // power) * power


def figure(measure_name: str, value: float | None) -> str:
    """Return a value of a measure in its unit, as text."""
    measure = measure_named(measure_name)
    if value is None:
        return "?"
    return decimal(measure.scale * value, measure.digits)


def interval_text(row: Comparison, negated: bool = False) -> str:
    if row.low is None or row.high is None:
        return "[no interval]"
    low, high = (-row.high, -row.low) if negated else (row.low, row.high)
    return f"[{figure(row.measure, low)}, {figure(row.measure, high)}]"
