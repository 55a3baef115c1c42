"""The pytest plugin of baselines: the outcome of the comparison over all cases, and the saving of a new baseline.

It runs in the process that talks to the user. Each case decides by itself whether it fails (`regression_gate`); its
facts arrive here with its report, under xdist too. PYTEST_DONT_REWRITE: there is no assertion here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reports.experiment import Experiment
from reports.gate.baseline_file import BaselineError, BaselineLarger, NothingToCompare, write_baseline
from reports.gate.regression_gate import CHANGES_FILE, Gate, write_changes
from reports.stages import has_predictions
from reports.stats.problem_scores import all_scores
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, display_path
from reports.store.records import Cell
from reports.tables.printable_text import printable
from reports.tables.text_wrap import wrapped


class BaselineReporting:
    """Counts the cells that were compared with `gate`, and saves the run's scores to `save_path`."""

    def __init__(
        self,
        experiment: Experiment,
        gate: Gate | None,
        save_path: Path | None,
        explain: Callable[[Exception], str | None] = str,
    ) -> None:
        self._experiment, self._gate, self._save_path, self._explain = experiment, gate, save_path, explain
        self._compared: list[dict[str, Any]] = []
        self._lines: list[str] = []
        self._failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtest_logreport"""
        facts = dict(report.user_properties)
        if report.when == "call" and "baseline_verdict" in facts:
            self._compared.append(facts)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a run in which nothing was compared with its baseline.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionfinish
        """
        if session.config.option.collectonly or exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        steps = []
        if self._gate is not None:
            steps.append(partial(self._report_comparison, self._gate))
        if self._save_path is not None:
            steps.append(partial(self._save, self._save_path))
        for step in steps:
            try:
                step()
            except (BaselineError, ResultsFolderError, ResultsDamaged) as error:
                self._failures.append(self._explain(error) or str(error))
        if self._failures:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_terminal_summary"""
        width = shutil.get_terminal_size().columns
        for line in self._lines:
            indent = line[: len(line) - len(line.lstrip())]
            for part in wrapped(line.strip(), width, indent, f"{indent}  "):
                terminalreporter.write_line(printable(part))
        for failure in self._failures:
            terminalreporter.write_line(printable(failure), red=True)

    def _report_comparison(self, gate: Gate) -> None:
        """Note the lines about the comparison, and write the table of answers that changed."""
        name = display_path(gate.path)
        if not self._compared:
            message = f"baseline {name}: no case was compared with it, so this run says nothing"
            raise NothingToCompare(gate.path, message)
        lower = sum(facts["baseline_verdict"] == "lower" for facts in self._compared)
        verdict = f"{lower:,} significantly lower" if lower else "none significantly lower"
        compared, known = len(self._compared), len(gate.baseline)
        of_its = f" of its {known:,}" if compared < known else ""
        self._lines.append(f"baseline {name}: {compared:,}{of_its} cell{'s' * (known != 1)} compared, {verdict}")
        losses = [100 * facts["baseline_detectable"] for facts in self._compared if "baseline_detectable" in facts]
        if losses:
            low, high = min(losses), max(losses)
            size = f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"
            self._lines.append(f"  a cell that loses {size} points is found in 80 % of runs")
        if gate.tolerance:
            self._lines.append("  the detectable loss is not computed with a tolerance")
        elif len(losses) < len(self._compared):
            blind = len(self._compared) - len(losses)
            self._lines.append(f"  in {blind:,} cells the baseline is too low for a loss to be found in 80 % of runs")
        runs = [run for run in self._experiment.runs if run.cell in self._asked()]
        read, asked = sum(run.read for run in runs), sum(len(run.asked) for run in runs)
        folder = self._experiment.results.folder
        if read:
            self._lines.append(
                f"  {read:,} of {asked:,} answers were read from {display_path(folder)}, not generated by this run"
            )
        changed = write_changes(folder / CHANGES_FILE, gate, all_scores(self._experiment.results, self._asked()))
        self._lines.append(f"  {changed:,} answers differ from it: {display_path(folder / CHANGES_FILE)}")

    def _save(self, path: Path) -> None:
        """Save the complete cells of this run, and note which are not complete."""
        asked, name, unfinished = self._asked(), display_path(path), self._experiment.unfinished
        if unfinished:
            message = f"baseline {name} was not written: {unfinished:,} of the selected cases did not end"
            raise NothingToCompare(path, message)
        if not asked:
            message = f"baseline {name} was not written: no case has an accuracy (stages zero_shot and sft)"
            raise NothingToCompare(path, message)
        scores = all_scores(self._experiment.results, asked)
        whole = [of_cell for of_cell in scores if of_cell.draws.sum() == len(asked[of_cell.cell])]
        if not whole:
            message = f"baseline {name} was not written: no case of this run answered all its problems"
            raise NothingToCompare(path, message)
        larger = write_baseline(path, whole)
        self._lines.append(f"baseline: {len(whole) - len(larger):,} cells of this run are in {name}")
        for cell in sorted(asked.keys() - {of_cell.cell for of_cell in whole}, key=str):
            self._lines.append(f"  not {cell.id}: not all of its problems were answered")
        if larger:
            raise BaselineLarger(
                path,
                f"{', '.join(cell.id for cell in larger)} stayed as in {name}, which has problems there that this run"
                " did not ask: ask as many, or name another file",
            )

    def _asked(self) -> dict[Cell, tuple[str, ...]]:
        """Return the cells of this run that have an accuracy, and the record ids that they asked for."""
        return {run.cell: run.asked for run in self._experiment.runs if has_predictions(run.cell.stage)}
