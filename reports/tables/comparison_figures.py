"""The figures of a comparison as text: its estimate, its interval, and what the run could have shown."""

from __future__ import annotations

from reports.stages import measure_named
from reports.stats.comparison_rows import Comparison
from reports.stats.paired_tests import ALPHA
from reports.tables.numbers_as_text import decimal


def is_significant(row: Comparison) -> bool:
    return row.p_adjusted is not None and row.p_adjusted <= ALPHA


def sample_text(row: Comparison) -> str:
    """Return how much a row is about: `200 problems`, or `8 seeds × 200 problems`; where seeds have unequally many
    problems, `8 seeds × 190 problems or more`."""
    problems = f"{row.clusters:,} problem{'s' * (row.clusters != 1)}"
    if row.seeds == 1:
        return problems
    are_equal = not row.clusters or row.n % (row.clusters * row.seeds) == 0
    return f"{seeds_text(row)} seeds × {problems}{'' if are_equal else ' or more'}"


def seeds_text(row: Comparison) -> str:
    """Return how many seeds a mean is over: `8`, or `7 of 8` where a seed has no such figure."""
    return str(row.seeds) if row.seeds == row.all_seeds else f"{row.seeds} of {row.all_seeds}"


def crossed_text(row: Comparison) -> str:
    """Return the interval with both seeds and problems as random, to follow another figure; empty where there is
    none."""
    if row.crossed_low is None or row.crossed_high is None:
        return ""
    low, high = row.crossed_low, row.crossed_high
    bounds = (-high, -low) if row.estimate is not None and row.estimate < 0 else (low, high)
    return f"; over seeds and problems: [{', '.join(figure(row.measure, bound) for bound in bounds)}]"


def power_text(row: Comparison, size: str) -> str:
    """Return what this number of problems, or of training seeds, could have shown, and how many problems would show the
    estimate, if that is not 0."""
    unit = measure_named(row.measure).unit
    if row.seeds > 1:
        if row.detectable is None:
            return f"all {seeds_text(row)} seeds say the same"
        return f"{seeds_text(row)} seeds could have shown {figure(row.measure, row.detectable)} {unit}"
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
