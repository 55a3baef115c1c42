"""One run over the grid: it resumes from the results folder, appends to it, and writes the reports."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy

from reports.findings import Findings
from reports.progress_bars import Progress, progress_bar
from reports.stats.accuracies import CellAccuracy
from reports.stats.problem_scores import ACCURACY, all_scores
from reports.stats.proportions import wilson_by_problem
from reports.store.atomic_io import display_path
from reports.store.records import (
    AttentionReading,
    Cell,
    CellRun,
    Intervention,
    Likelihood,
    Prediction,
    Record,
    Settings,
)
from reports.store.report_stamp import stamp, stamped_reports
from reports.store.results_folder import Results
from reports.store.run_json import add_run
from reports.tables.narrative import headline
from reports.tables.terminal_summary import summary
from reports.write_reports import REPORTS

Caveat = Callable[[Sequence[Cell]], str | None]
"""Returns a one-sentence caveat about a table of these cells, or None."""


class CellRecorder:
    """Records one cell while it runs.

    `records` are the newest by id: those on disk when the cell was opened, and all appended since, errors included.
    Their type depends on the stage, which only the caller knows.
    """

    def __init__(self, records: Mapping[str, Record], write: Callable[[Sequence[Record], bool], None]) -> None:
        self.records: dict[str, Any] = dict(records)
        self.appended = self.replaced = 0
        self._write = write

    def append(
        self,
        batch: Sequence[Prediction] | Sequence[AttentionReading] | Sequence[Likelihood] | Sequence[Intervention],
    ) -> None:
        """Write a batch to disk and advance the progress bar. Raises `ResultsFolderError` if it cannot be written."""
        self._write(batch, True)
        self.records |= {record.id: record for record in batch}
        self.appended += len(batch)

    def replace(self, batch: Sequence[Prediction]) -> None:
        """Write new verdicts on texts that were on disk, of this run's problems or others of the cell. Raises
        `ResultsFolderError` if they cannot be written."""
        if not batch:
            return
        self._write(batch, False)
        self.records |= {record.id: record for record in batch if record.id in self.records}
        self.replaced += len(batch)


class Experiment:
    """One run: the cells it ran, the warnings during it (None if nobody recorded any), the lines of problem files that
    it left out, a sentence each, what the lengths of placebos were counted in (None without one), its reports, notes
    about their files, and how many of its cases did not end.

    `seed` (None if noise comes from files) and `options` (JSON values by name) go to `run.json`. The sentence that
    `caveat` returns is printed below the table and stored in `run.json`. Nothing is created on disk before the first
    record.
    """

    def __init__(
        self,
        results: Results,
        *,
        seed: int | None = 0,
        options: Mapping[str, object] | None = None,
        caveat: Caveat = lambda cells: None,
        progress: Progress = progress_bar,
    ) -> None:
        self.results = results
        self.progress = progress
        self.runs: list[CellRun] = []
        self.warnings: list[str] | None = None
        self.bad_lines: list[str] = []
        self.placebo_length: str | None = None
        self.notes: list[str] = []
        #: What is known of each paired set of the run, by dataset: its file, and which of its lines are not used.
        self.paired_sets: dict[str, dict[str, Any]] = {}
        self.unfinished = 0
        self._seed, self._options, self._caveat = seed, dict(options or {}), caveat
        self._started = datetime.now(UTC)

    @contextmanager
    def cell(self, cell: Cell, settings: Settings, text_by_id: Mapping[str, str]) -> Iterator[CellRecorder]:
        """Open a cell for the problems of `text_by_id` (record id -> the record's `asked`), and yield its recorder.

        When the block ends, by an interruption too, what was done is added to `runs`. Raises what
        `Results.read_for_resume` raises, and `ResultsInUse` if another run writes to the folder; then nothing is added.
        """
        self.results.lock.acquire()
        stored = self.results.read_for_resume(cell, settings, text_by_id)
        started = time.perf_counter()
        with self.progress(cell.id, len(text_by_id), len(stored)) as bar:

            def write_batch(batch: Sequence[Record], new: bool) -> None:
                self.results.lock.acquire(create=True)
                self.results.append(cell, settings, batch)
                if new:
                    bar.update(len(batch))

            recorder = CellRecorder(stored, write_batch)
            try:
                yield recorder
            finally:
                self.runs.append(
                    CellRun(
                        cell=cell,
                        settings=settings,
                        asked=tuple(text_by_id),
                        read=len(stored),
                        made=recorder.appended,
                        graded_again=recorder.replaced,
                        seconds=round(time.perf_counter() - started, 3) if recorder.appended else 0.0,
                        outcomes=dict(Counter(record.outcome for record in recorder.records.values())),
                    )
                )

    def take_runs(self) -> list[CellRun]:
        """Return the runs so far and forget them, so that another process can report them."""
        taken, self.runs = self.runs, []
        return taken

    def accuracies(self) -> list[CellAccuracy]:
        """Return the accuracy of each cell of this run, over the problems that it asked."""
        return self._of_this_run(self.findings()).cell_accuracies

    def run_accuracy(self, run: CellRun) -> dict[str, float]:
        """Return the accuracy of a cell over the problems that `run` asked, and its interval, `low` to `high`; an empty
        dict if it has none. Raises `ResultsDamaged`."""
        for scores in all_scores(self.results, only={run.cell: run.asked}):
            if scores.measure == ACCURACY and scores.draws.sum():
                low, high = wilson_by_problem(scores.values, scores.draws)
                return {"accuracy": float(numpy.average(scores.values, weights=scores.draws)), "low": low, "high": high}
        return {}

    def findings(self) -> Findings:
        """Return the findings of the folder as it is now. `write` and `summary` accept them, to compute them once."""
        return Findings(self.results, progress=self.progress)

    def write(self, status: str = "finished", findings: Findings | None = None) -> list[Path]:
        """Write all reports and return their paths: see `write_each`."""
        return list(self.write_each(status, findings))

    def write_each(self, status: str = "finished", findings: Findings | None = None) -> Iterator[Path]:
        """Write `run.json`, and all reports over the whole folder. Yield each path when it is written: the attention
        maps as their folder, the page last.

        After a run that made nothing, reports that are still those of the records are left as they are. `status` says
        how the run ended. Raises `ResultsFolderError` if a file cannot be written, and `ResultsDamaged` if a file on
        disk is damaged.
        """
        values = {
            "started": self._started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": status,
            "seed": self._seed,
            "options": self._options,
            "caveat": self._caveat([run.cell for run in self.runs]),
            "bad_lines": self.bad_lines,
            "paired_sets": self.paired_sets,
            "placebo_length": self.placebo_length,
            "warnings": None if self.warnings is None else list(dict.fromkeys(self.warnings)),
        }
        run_json = self.results.folder / "run.json"
        damaged = add_run(run_json, values, self.runs)
        if damaged is not None:
            self.notes.append(f"run.json was damaged and is kept as {display_path(damaged)}")
        findings = findings or self.findings()
        yield run_json
        made_nothing = bool(self.runs) and not any(run.made or run.graded_again for run in self.runs)
        paths = stamped_reports(self.results.folder) if made_nothing else None
        if paths is not None:
            yield from paths
            return
        paths = []
        for report in list(REPORTS.values()):
            for path in report.write(findings):
                paths.append(path)
                yield path
        stamp(self.results.folder, paths)

    def summary(self, width: int = 80, findings: Findings | None = None, verbose: bool = False) -> list[str]:
        """Return the lines to print at the end of this run: one screen, or with `verbose` every table."""
        caveat = self._caveat([run.cell for run in self.runs])
        return summary(self._of_this_run(findings or self.findings()), self.runs, caveat, width, verbose)

    def headline(self, findings: Findings | None = None) -> str | None:
        """Return the answer of this run in one sentence; None if it compares nothing."""
        return headline(self._of_this_run(findings or self.findings()).comparisons)

    def _of_this_run(self, findings: Findings) -> Findings:
        return findings.restricted_to({run.cell: run.asked for run in self.runs})
