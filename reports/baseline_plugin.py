"""The pytest plugin of baselines: what `--baseline` came to, over all cases, and the file of `--save-baseline`.

It lives in the process that talks to the user. Whether a case fails is for the case itself (`reports.gate`); its facts
come here with its report, under xdist too. PYTEST_DONT_REWRITE: there is no assertion here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.baseline import BaselineError, write_baseline
from reports.disk import ResultsDamaged, ResultsFolderError, shown
from reports.experiment import Experiment
from reports.gate import Gate, write_flips
from reports.records import Cell, Prediction, record_of
from reports.scores import all_scores


class BaselineReporting:
    """Counts the cells that were held against `gate`, and saves what the run got to `saved`."""

    def __init__(self, experiment: Experiment, gate: Gate | None, saved: Path | None) -> None:
        self._experiment, self._gate, self._saved = experiment, gate, saved
        self._compared: list[dict[str, object]] = []
        self._lines: list[str] = []
        self._failure: str | None = None

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
        try:
            if self._gate is not None:
                self._lines += self._held(self._gate)
            if self._saved is not None:
                self._lines += self._save(self._saved)
        except (BaselineError, ResultsFolderError, ResultsDamaged) as error:
            self._failure = str(error)
        if self._failure:
            session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_terminal_summary"""
        for line in self._lines:
            terminalreporter.write_line(line)
        if self._failure:
            terminalreporter.write_line(self._failure, red=True)

    def _held(self, gate: Gate) -> list[str]:
        """What the comparison came to, and the file of what changed."""
        if not self._compared:
            self._failure = f"baseline {shown(gate.path)}: no case was compared with it, so this run says nothing"
            return []
        lower = sum(facts["baseline_verdict"] == "lower" for facts in self._compared)
        words = f"{lower:,} significantly lower" if lower else "none significantly lower"
        lines = [f"baseline {shown(gate.path)}: {len(self._compared):,} cells compared, {words}"]
        seen = [100 * float(str(f["baseline_detectable"])) for f in self._compared if f["baseline_detectable"]]
        if seen:
            sizes = f"{min(seen):.1f}" if max(seen) - min(seen) < 0.05 else f"{min(seen):.1f} to {max(seen):.1f}"
            lines.append(f"  a cell that loses {sizes} points is found in 80 % of runs")
        path = self._experiment.results.folder / "baseline.csv"
        changed = write_flips(path, gate, all_scores(self._experiment.results, self._asked()))
        return [*lines, f"  {changed:,} answers differ from it: {shown(path)}"]

    def _save(self, path: Path) -> list[str]:
        """Keeps the cells of this run that are whole, and says which are not."""
        asked = self._asked()
        scores = all_scores(self._experiment.results, asked)
        whole = [one for one in scores if one.draws.sum() == len(asked[one.cell])]
        if not whole:
            self._failure = f"baseline {shown(path)} was not written: no case of this run answered all its problems"
            return []
        write_baseline(path, whole)
        broken = asked.keys() - {one.cell for one in whole}
        return [
            f"baseline: {len(whole):,} cells of this run are in {shown(path)}",
            *(f"  not {cell.id}: not all of its problems were answered" for cell in sorted(broken, key=str)),
        ]

    def _asked(self) -> dict[Cell, tuple[str, ...]]:
        """The cells of this run that have an accuracy, and the ids they asked for."""
        return {run.cell: run.asked for run in self._experiment.runs if record_of(run.cell.stage) is Prediction}
