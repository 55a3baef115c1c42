"""Sentences below the table of accuracies: what tuning changed, and which answers the token limit cut off."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stats.accuracies import CellAccuracy
from reports.stats.noise_doses import CLEAN
from reports.tables.numbers_as_text import decimal

#: The share of answers that end at the token limit from which on it is said.
_MANY_TRUNCATED = 0.05
_CELLS_SHOWN = 3


def accuracy_remarks(rows: Sequence[CellAccuracy]) -> list[str]:
    """Return the sentences that there is something to say in."""
    return [remark for remark in (_tuning(rows), _uneven(rows), _truncation(rows)) if remark is not None]


def _tuning(rows: Sequence[CellAccuracy]) -> str | None:
    """Return what tuning gains or costs each model on clean problems, as a sentence; None without tuned models."""
    gains = [row for row in rows if row.gain is not None and row.noise == CLEAN]
    parts = [f"{row.model} {'gains' if (row.gain or 0) >= 0 else 'loses'} {_points(row)}" for row in gains]
    return f"tuning, on clean problems: {', '.join(parts)}" if parts else None


def _uneven(rows: Sequence[CellAccuracy]) -> str | None:
    """Return which losses and gains are over fewer problems than their cell has, as a sentence; None if none are."""
    parts = [
        f"{what} of {row.cell.id} over {shared:,} of {row.problems:,}"
        for row in rows
        for what, shared in (("points lost", row.degradation_n), ("gain", row.gain_n))
        if shared is not None and shared < row.problems
    ]
    more = len(parts) - _CELLS_SHOWN
    if more > 0:
        parts = [*parts[:_CELLS_SHOWN], f"and {more:,} more"]
    return f"not over all problems, as the other cell lacks some or has others: {', '.join(parts)}" if parts else None


def _truncation(rows: Sequence[CellAccuracy]) -> str | None:
    """Return which cells have many answers that end at the token limit, as a sentence; None if there are none.

    Such an answer counts as wrong, whatever would have followed.
    """
    cut = sorted((row for row in rows if row.n and row.truncated > _MANY_TRUNCATED * row.n), key=_share, reverse=True)
    if not cut:
        return None
    cells = [f"{row.truncated:,} of {row.n:,} in {row.cell.id}" for row in cut[:_CELLS_SHOWN]]
    more = len(cut) - len(cells)
    cells += [f"and in {more:,} more cell{'s' * (more != 1)}"] if more else []
    return f"answers cut off by the token limit, which count as wrong: {', '.join(cells)}; raise --max-new-tokens"


def _points(row: CellAccuracy) -> str:
    gain = row.gain or 0.0
    if row.gain_low is None or row.gain_high is None:
        return f"{abs(100 * gain):.1f} points"
    low, high = sorted((bound if gain >= 0 else -bound) for bound in (row.gain_low, row.gain_high))
    return f"{abs(100 * gain):.1f} points [{decimal(100 * low, 1)}, {decimal(100 * high, 1)}]"


def _share(row: CellAccuracy) -> float:
    return row.truncated / row.n
