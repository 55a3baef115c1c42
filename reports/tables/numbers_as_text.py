"""Numbers as text: p values, and decimals without a minus before nothing."""

from __future__ import annotations

from reports.stats.comparisons import Comparison
from reports.stats.paired_tests import ALPHA


def decimal(value: float, digits: int, sign: str = "") -> str:
    """Return a number with that many decimals, and never as -0.0; with `sign` "+", positive ones with a plus."""
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def p_text(row: Comparison) -> str:
    """Return the adjusted p value, which decides significance; where the interval, which is not adjusted, says another
    thing than the verdict, the p value alone too.
    """
    if row.p is None or row.p_adjusted is None:
        return "nothing to test"
    significant = row.p_adjusted <= ALPHA
    excludes_zero = row.low is not None and row.high is not None and not row.low <= 0 <= row.high
    if excludes_zero and not significant:
        if row.p <= ALPHA:
            return f"{p_figure(row.p)} alone, but {p_figure(row.p_adjusted).removeprefix('p = ')} after Holm"
        return f"{p_figure(row.p)} in the exact test alone, which the interval only approximates"
    if significant and not excludes_zero and row.low is not None:
        return f"{p_figure(row.p_adjusted)} in the exact test, which the interval only approximates"
    return p_figure(row.p_adjusted)


def p_figure(value: float) -> str:
    """Return a p value as it stands in a sentence."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
