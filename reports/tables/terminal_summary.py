"""What a run prints at its end: one screen, or with `verbose` every table.

The screen holds the answer, one table of accuracies, one of attention, what the run cost, and the caveat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports.findings import Findings
from reports.stages import REPORTED_STAGES, has_predictions
from reports.stats.accuracies_over_seeds import replicate_rows
from reports.store.atomic_io import display_path
from reports.store.records import CellRun
from reports.store.results_folder import Results
from reports.store.tuning_logs import tuning_summary
from reports.tables.accuracy_remarks import accuracy_remarks
from reports.tables.accuracy_table import accuracy_table, seed_table
from reports.tables.attention_narrative import attention_answer
from reports.tables.attention_table import retrieval_table, table_of_cells
from reports.tables.compact_tables import compact_accuracy, compact_attention, compact_scores
from reports.tables.intervention_tables import intervention_answer, intervention_tables
from reports.tables.narrative import answer, narrative
from reports.tables.score_tables import are_compared, not_compared, score_tables
from reports.tables.single_seed_table import single_seed_lines
from reports.tables.text_wrap import wrapped

_ERRORS_SHOWN = 5

Section = Callable[[Findings, int, bool], list[str]]
"""One part of the summary: (findings of the run, width in columns, verbose) -> lines, none if it has nothing to say."""


def answer_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return what noise costs in words: over all noises, or with `verbose` for each noise too."""
    return narrative(findings.comparisons, width) if verbose else answer(findings.comparisons, width)


def accuracy_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return the table of accuracies."""
    rows = findings.accuracies
    remarks = [line for remark in (*accuracy_remarks(rows), *findings.seed_remarks) for line in wrapped(remark, width)]
    if not verbose:
        return [*compact_accuracy(rows, width), *remarks]
    lines = accuracy_table(rows, width)
    if findings.family_accuracies:
        lines.append("seed range: the lowest and the highest accuracy of a training seed")
    lines += seed_table(replicate_rows(findings.cell_accuracies), width)
    if any(row.degradation is not None for row in rows):
        lines.append("degradation: points of accuracy lost against clean, over the same problems")
    if any(row.gain is not None for row in rows):
        lines.append("gain: points of accuracy won by tuning, against zero_shot over the same problems")
    return [*lines, *remarks]


def reason_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return whether the attention to the noise differs between models, in words."""
    return attention_answer(findings.attention_comparisons, width, verbose)


def cause_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return what comes back without attention to the noise, or with `verbose` every table of interventions."""
    rows = findings.interventions
    return intervention_tables(rows, width) if verbose else intervention_answer(rows, width)


def seed_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return with `verbose` what one training seed would have said."""
    return single_seed_lines(findings.single_seed_claims, width) if verbose else []


def score_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return the tables of other scores, such as likelihoods, and which models are not compared by them."""
    rows, pairs_with_different_tokenization = findings.comparisons, findings.pairs_with_different_tokenization
    if verbose:
        return score_tables(rows, width, pairs_with_different_tokenization)
    remarks = [
        line for sentence in not_compared(pairs_with_different_tokenization) for line in wrapped(sentence, width)
    ]
    return [*compact_scores(rows, width), *remarks]


def attention_section(findings: Findings, width: int, verbose: bool) -> list[str]:
    """Return the lift of the noise, or with `verbose` every table of attention.

    Without a cell with noise it is the retrieval test, and without that the lift of every segment.
    """
    cells = findings.attention_cells
    if verbose:
        return table_of_cells(cells, width)
    return compact_attention(cells, width) or retrieval_table(cells, width) or table_of_cells(cells, width)


#: The sections of the summary, in order; the lines of `ReportedStage.terminal` follow them.
SECTIONS: list[Section] = [
    answer_section,
    seed_section,
    reason_section,
    cause_section,
    accuracy_section,
    score_section,
    attention_section,
]


def summary(
    findings: Findings, runs: Sequence[CellRun], caveat: str | None, width: int, verbose: bool = False
) -> list[str]:
    """Return the lines to print at the end of a run: the sections, what `runs` read and made, errors, the caveat.

    `findings` are those of the run's cells and problems. Raises `ResultsDamaged` and `ResultsFolderError`.
    """
    run_stages = {run.cell.stage for run in runs}
    stage_lines = [stage.terminal for name, stage in REPORTED_STAGES.items() if stage.terminal and name in run_stages]
    blocks = [section(findings, width, verbose) for section in SECTIONS]
    blocks += [list(terminal(findings, width)) for terminal in stage_lines]
    lines: list[str] = []
    for block in blocks:
        while block and not block[-1]:
            block.pop()
        lines += [*block, ""] if block else []
    results = findings.results
    closing = [*tuning_summary(results.folder, runs), *_costs(runs), *_errors(results, runs)]
    if not verbose:
        closing += _more(findings)
    if caveat:
        closing.append(f"note: {caveat}")
    return [*lines, *(part for line in closing for part in wrapped(line, width))]


def _costs(runs: Sequence[CellRun]) -> list[str]:
    """Return a line for the predictions and one for each kind of reading."""
    if not runs:
        return ["no case has ended"]
    predictions = [run for run in runs if has_predictions(run.cell.stage)]
    readings = [run for run in runs if not has_predictions(run.cell.stage)]
    lines = []
    if predictions:
        read, made, seconds = _totals(predictions)
        speed = f" in {seconds:,.1f} s, {made / seconds:,.1f} problems/s" if made and seconds else ""
        again = sum(run.graded_again for run in predictions)
        graded = f" ({again:,} graded again)" if again else ""
        lines.append(f"predictions: {read:,} read{graded}, {made:,} made{speed}")
    for stage in dict.fromkeys(run.cell.stage for run in readings):
        read, made, seconds = _totals([run for run in readings if run.cell.stage == stage])
        timed = f" in {seconds:,.1f} s" if made else ""
        lines.append(f"readings of {stage}: {read:,} read, {made:,} made{timed}")
    return lines


def _totals(runs: Sequence[CellRun]) -> tuple[int, int, float]:
    return sum(run.read for run in runs), sum(run.made for run in runs), sum(run.seconds for run in runs)


def _errors(results: Results, runs: Sequence[CellRun]) -> list[str]:
    """Return a line for each of the first errors, with the last line of its traceback and the file it is in."""
    lines, total = [], 0
    for run in runs:
        if not run.outcomes.get("error"):
            continue
        records = results.newest_records(run.cell)
        for id in run.asked:
            if id in records and records[id].outcome == "error":
                total += 1
                trace = (records[id].error or "no traceback was kept").strip()
                if total <= _ERRORS_SHOWN:
                    lines.append(f"error in {run.cell.id}, problem {id}: {trace.splitlines()[-1]}")
                    lines[-1] += f"; its traceback is in {display_path(results.path(run.cell))}"
    if total > _ERRORS_SHOWN:
        lines.append(f"{total - _ERRORS_SHOWN:,} more errors; each has its traceback in its cell's file")
    return lines


def _more(findings: Findings) -> list[str]:
    """Return a line that names the commands with the full tables, if there are any."""
    tables = {
        "accuracy": bool(findings.accuracies),
        "comparisons": are_compared(findings.comparisons),
        "attention": bool(findings.attention_cells),
        "interventions": bool(findings.interventions),
    }
    commands = "|".join(name for name, there in tables.items() if there)
    return [f"full tables: python -m reports {commands} {display_path(findings.results.folder)}"] if commands else []
