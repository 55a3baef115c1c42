"""One run over the grid: it resumes from the results folder, feeds it, and leaves the reports behind."""

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
from reports.progress_bars import Bar, Progress, bar
from reports.stats.accuracies import CellAccuracy
from reports.stats.problem_scores import ACCURACY, all_scores
from reports.stats.proportions import wilson_by_problem
from reports.store.records import AttentionReading, Cell, CellRun, Likelihood, Prediction, Record, Settings
from reports.store.results_folder import Results
from reports.store.run_json import add_run
from reports.tables.terminal_summary import summary
from reports.write_reports import REPORTS

Caveat = Callable[[Sequence[Cell]], str | None]
"""What must be said beside a table of these cells, in one sentence, if anything."""


class OpenCell:
    """A cell while it is worked on. `predictions` are the newest for each problem asked, by id: the answers that were
    on disk when the cell was opened, and whatever was appended since, errors included. In some stages they are
    readings; the type leaves that open, as only the caller knows the stage."""

    def __init__(self, found: Mapping[str, Record], write: Callable[[Sequence[Record]], None]) -> None:
        self.predictions: dict[str, Any] = dict(found)
        self.made = 0
        self._write = write

    def append(self, batch: Sequence[Prediction] | Sequence[AttentionReading] | Sequence[Likelihood]) -> None:
        """Puts a batch on disk and moves the progress bar. Raises `ResultsFolderError` when it cannot be written."""
        self._write(batch)
        self.predictions |= {record.id: record for record in batch}
        self.made += len(batch)


class Experiment:
    """Guards one run: the cells it worked on, the warnings that others saw meanwhile (None where nobody looks), and
    what is written and said about them at its end.

    `seed` (None where noise comes from files) and `options` (JSON values by name) are for `run.json`. `caveat` is asked
    for a sentence to print under the table and to keep in `run.json`. Nothing is created on disk before the first
    prediction.
    """

    def __init__(
        self,
        results: Results,
        *,
        seed: int | None = 0,
        options: Mapping[str, object] | None = None,
        caveat: Caveat = lambda cells: None,
        progress: Progress = bar,
    ) -> None:
        self.results = results
        self.progress = progress
        self.runs: list[CellRun] = []
        self.warnings: list[str] | None = None
        self._seed, self._options, self._caveat = seed, dict(options or {}), caveat
        self._started = datetime.now(UTC)

    @contextmanager
    def cell(self, cell: Cell, settings: Settings, asked: Mapping[str, str]) -> Iterator[OpenCell]:
        """Opens a cell for the problems `asked` (id -> the text the model will be asked).

        What has been done when the block is left, if only by an interruption, is counted in `runs`. Raises what
        `Results.read` raises, and then counts nothing.
        """
        found = self.results.read(cell, settings, asked)
        started = time.perf_counter()
        with self.progress(cell.id, len(asked), len(found)) as drawn:
            opened = OpenCell(found, lambda batch: self._append(cell, settings, batch, drawn))
            try:
                yield opened
            finally:
                self.runs.append(
                    CellRun(
                        cell=cell,
                        settings=settings,
                        asked=tuple(asked),
                        read=len(found),
                        made=opened.made,
                        seconds=round(time.perf_counter() - started, 3) if opened.made else 0.0,
                        outcomes=dict(Counter(record.outcome for record in opened.predictions.values())),
                    )
                )

    def hand_over(self) -> list[CellRun]:
        """Takes the runs counted so far out of here; whoever adds them to another experiment's `runs` reports them."""
        handed, self.runs = self.runs, []
        return handed

    def accuracies(self) -> list[CellAccuracy]:
        """The rows of this run: its cells, each over the problems that this run asked for."""
        return self._part(self.findings()).accuracies

    def figures(self, run: CellRun) -> dict[str, float]:
        """The accuracy of a run's cell over the problems it asked for, and its interval, `low` to `high`; empty where
        there is none. Raises `ResultsDamaged`."""
        for scores in all_scores(self.results, only={run.cell: run.asked}):
            if scores.measure == ACCURACY and scores.draws.sum():
                low, high = wilson_by_problem(scores.values, scores.draws)
                return {"accuracy": float(numpy.average(scores.values, weights=scores.draws)), "low": low, "high": high}
        return {}

    def findings(self) -> Findings:
        """All that the folder comes to now. `write` and `summary` take them so that they are computed once."""
        return Findings(self.results)

    def write(self, status: str = "finished", findings: Findings | None = None) -> list[Path]:
        """The same as `writing`, all at once."""
        return list(self.writing(status, findings))

    def writing(self, status: str = "finished", findings: Findings | None = None) -> Iterator[Path]:
        """Writes `run.json`, and the tables, the pictures and the page over all that is in the folder; gives each file
        once it is written, the attention maps as their folder, the page last.

        `status` says how the run ended. Raises `ResultsFolderError` when a file cannot be written, and
        `ResultsDamaged` when something on disk is.
        """
        facts = {
            "started": self._started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": status,
            "seed": self._seed,
            "options": self._options,
            "caveat": self._caveat([run.cell for run in self.runs]),
            "warnings": None if self.warnings is None else list(dict.fromkeys(self.warnings)),
        }
        record = self.results.folder / "run.json"
        add_run(record, facts, self.runs)
        found = findings or self.findings()
        yield record
        for report in list(REPORTS.values()):
            yield from report.write(found)

    def summary(self, width: int = 80, findings: Findings | None = None, verbose: bool = False) -> list[str]:
        """Return the lines to print at the end of this run: one screen, or with `verbose` every table."""
        caveat = self._caveat([run.cell for run in self.runs])
        return summary(self._part(findings or self.findings()), self.runs, caveat, width, verbose)

    def _part(self, whole: Findings) -> Findings:
        """What this run worked on."""
        return whole.of({run.cell: run.asked for run in self.runs})

    def _append(self, cell: Cell, settings: Settings, batch: Sequence[Record], drawn: Bar) -> None:
        self.results.append(cell, settings, batch)
        drawn.update(len(batch))
