"""The pytest plugin of baselines: what `--baseline` came to, over all cases, and the file of `--save-baseline`.

It lives in the process that talks to the user. Whether a case fails is for the case itself (`regression_gate`); its
facts come here with its report, under xdist too. PYTEST_DONT_REWRITE: there is no assertion here.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reports.experiment import Experiment
from reports.gate.baseline_file import BaselineError, write_baseline
from reports.gate.regression_gate import Gate, write_flips
from reports.stages import has_predictions
from reports.stats.problem_scores import all_scores
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, shown
from reports.store.records import Cell
from reports.tables.text_wrap import wrapped


class BaselineReporting:
    """Counts the cells that were held against `gate`, and saves what the run got to `saved`."""

    def __init__(self, experiment: Experiment, gate: Gate | None, saved: Path | None) -> None:
        self._experiment, self._gate, self._saved = experiment, gate, saved
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
        """A run in which nothing was held against its baseline has not passed.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionfinish
        """
        if session.config.option.collectonly or exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        held = [] if self._gate is None else [partial(self._hold, self._gate)]
        saved = [] if self._saved is None else [partial(self._save, self._saved)]
        for step in (*held, *saved):
            try:
                step()
            except (BaselineError, ResultsFolderError, ResultsDamaged) as error:
                self._failures.append(str(error))
        if self._failures:
            session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_terminal_summary"""
        width = shutil.get_terminal_size().columns
        for line in self._lines:
            first = line[: len(line) - len(line.lstrip())]
            for part in wrapped(line.strip(), width, first, f"{first}  "):
                terminalreporter.write_line(part)
        for failure in self._failures:
            terminalreporter.write_line(failure, red=True)

    def _hold(self, gate: Gate) -> None:
        """Says what the comparison came to, and writes the file of what changed."""
        name = shown(gate.path)
        if not self._compared:
            raise BaselineError(f"baseline {name}: no case was compared with it, so this run says nothing")
        lower = sum(facts["baseline_verdict"] == "lower" for facts in self._compared)
        words = f"{lower:,} significantly lower" if lower else "none significantly lower"
        self._lines.append(f"baseline {name}: {len(self._compared):,} cells compared, {words}")
        seen = [100 * facts["baseline_detectable"] for facts in self._compared if "baseline_detectable" in facts]
        if seen:
            sizes = f"{min(seen):.1f}" if max(seen) - min(seen) < 0.05 else f"{min(seen):.1f} to {max(seen):.1f}"
            self._lines.append(f"  a cell that loses {sizes} points is found in 80 % of runs")
        if gate.tolerance:
            self._lines.append("  what loss would be found is not computed with --tolerance")
        elif len(seen) < len(self._compared):
            blind = len(self._compared) - len(seen)
            self._lines.append(f"  in {blind:,} cells the baseline is too low for a loss to be found in 80 % of runs")
        runs = [run for run in self._experiment.runs if run.cell in self._asked()]
        read, asked = sum(run.read for run in runs), sum(len(run.asked) for run in runs)
        folder = self._experiment.results.folder
        if read:
            self._lines.append(f"  {read:,} of {asked:,} answers were read from {shown(folder)}; --fresh asks again")
        changed = write_flips(folder / "baseline.csv", gate, all_scores(self._experiment.results, self._asked()))
        self._lines.append(f"  {changed:,} answers differ from it: {shown(folder / 'baseline.csv')}")

    def _save(self, path: Path) -> None:
        """Keeps the cells of this run that are whole, and says which are not."""
        asked, name = self._asked(), shown(path)
        if not asked:
            raise BaselineError(f"baseline {name} was not written: no case has an accuracy (stages zero_shot and sft)")
        scores = all_scores(self._experiment.results, asked)
        whole = [one for one in scores if one.draws.sum() == len(asked[one.cell])]
        if not whole:
            raise BaselineError(f"baseline {name} was not written: no case of this run answered all its problems")
        larger = write_baseline(path, whole)
        self._lines.append(f"baseline: {len(whole) - len(larger):,} cells of this run are in {name}")
        for cell in sorted(asked.keys() - {one.cell for one in whole}, key=str):
            self._lines.append(f"  not {cell.id}: not all of its problems were answered")
        if larger:
            raise BaselineError(
                f"{', '.join(cell.id for cell in larger)} stayed as in {name}, which has problems there that this run"
                " did not ask: ask as many, or name another file"
            )

    def _asked(self) -> dict[Cell, tuple[str, ...]]:
        """The cells of this run that have an accuracy, and the ids they asked for."""
        return {run.cell: run.asked for run in self._experiment.runs if has_predictions(run.cell.stage)}
