"""What a run says at its end, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings import Findings
from reports.stages import has_predictions
from reports.store.atomic_io import shown
from reports.store.records import CellRun
from reports.store.results_folder import Results
from reports.store.tuning_logs import tuned_lines
from reports.tables.accuracy_table import table
from reports.tables.attention_table import table_of
from reports.tables.likelihood_table import likelihood_table
from reports.tables.narrative import verdicts
from reports.tables.text_wrap import wrapped

_ERRORS_SHOWN = 5


def summary(findings: Findings, runs: Sequence[CellRun], caveat: str | None, width: int) -> list[str]:
    """The table of accuracies, what the comparisons come to in words, the tables of attention, what `runs` read and
    made, their errors, and the caveat."""
    rows, compared, results = findings.accuracies, findings.comparisons, findings.results
    lines = table(rows, width)
    if any(row.degradation is not None for row in rows):
        lines += ["degradation: points of accuracy lost against clean, over the same problems", ""]
    if any(row.gain is not None for row in rows):
        lines[-1:] = ["gain: points of accuracy won by tuning, against zero_shot over the same problems", ""]
    lines += [*likelihood_table(compared, width, findings.other_tokens), *verdicts(compared, width)]
    lines += table_of(findings.measured, width)
    said = [*tuned_lines(results.folder, runs), *_counted(runs), *_errors(results, runs)]
    if caveat:
        said.append(f"note: {caveat}")
    return [*lines, *(part for line in said for part in wrapped(line, width))]


def _counted(runs: Sequence[CellRun]) -> list[str]:
    """A line for the predictions and one for each kind of reading, if there were any of them."""
    predictions = [run for run in runs if has_predictions(run.cell.stage)]
    others = [run for run in runs if not has_predictions(run.cell.stage)]
    lines = []
    if predictions or not others:
        read, made, seconds = _totals(predictions)
        speed = f" in {seconds:,.1f} s, {made / seconds:,.1f} problems/s" if made and seconds else ""
        lines.append(f"predictions: {read:,} read, {made:,} made{speed}")
    for stage in dict.fromkeys(run.cell.stage for run in others):
        read, made, seconds = _totals([run for run in others if run.cell.stage == stage])
        timed = f" in {seconds:,.1f} s" if made else ""
        lines.append(f"readings of {stage}: {read:,} read, {made:,} made{timed}")
    return lines


def _totals(runs: Sequence[CellRun]) -> tuple[int, int, float]:
    return sum(run.read for run in runs), sum(run.made for run in runs), sum(run.seconds for run in runs)


def _errors(results: Results, runs: Sequence[CellRun]) -> list[str]:
    lines, total = [], 0
    for run in runs:
        if not run.outcomes.get("error"):
            continue
        records = results.predictions(run.cell)
        for id in run.asked:
            if id in records and records[id].outcome == "error":
                total += 1
                trace = (records[id].error or "no traceback was kept").strip()
                if total <= _ERRORS_SHOWN:
                    lines.append(f"error in {run.cell.id}, problem {id}: {trace.splitlines()[-1]}")
                    lines[-1] += f"; its traceback is in {shown(results.path(run.cell))}"
    if total > _ERRORS_SHOWN:
        lines.append(f"{total - _ERRORS_SHOWN:,} more errors; each has its traceback in its cell's file")
    return lines
