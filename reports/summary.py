"""What a run says at its end, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from reports.accuracy import CellAccuracy
from reports.accuracy_table import table
from reports.disk import shown
from reports.records import CellRun
from reports.store import Results

_ERRORS_SHOWN = 5


def summary(
    results: Results, runs: Sequence[CellRun], rows: Sequence[CellAccuracy], caveat: str | None, width: int
) -> list[str]:
    """The table of `rows`, what `runs` read and made, their errors, the caveat, and where the files are."""
    lines = table(rows, width)
    if any(row.degradation is not None for row in rows):
        lines += ["degradation: points of accuracy lost against clean, over the same problems", ""]
    lines += [_counted(runs), *_errors(results, runs)]
    if caveat:
        lines.append(f"note: {caveat}")
    return lines


def _counted(runs: Sequence[CellRun]) -> str:
    read, made, seconds = sum(run.read for run in runs), sum(run.made for run in runs), sum(run.seconds for run in runs)
    speed = f" in {seconds:,.1f} s, {made / seconds:,.1f} problems/s" if made and seconds else ""
    return f"predictions: {read:,} read, {made:,} made{speed}"


def _errors(results: Results, runs: Sequence[CellRun]) -> list[str]:
    lines, total = [], 0
    for run in runs:
        if not run.outcomes.get("error"):
            continue
        predictions = results.predictions(run.cell)
        for id in run.asked:
            if id in predictions and predictions[id].outcome == "error":
                total += 1
                trace = (predictions[id].error or "no traceback was kept").strip()
                if total <= _ERRORS_SHOWN:
                    lines.append(f"error in {run.cell.id}, problem {id}: {trace.splitlines()[-1]}")
                    lines.append(f"  its traceback is in {shown(results.path(run.cell))}")
    if total > _ERRORS_SHOWN:
        lines.append(f"{total - _ERRORS_SHOWN:,} more errors; each has its traceback in its cell's file")
    return lines
