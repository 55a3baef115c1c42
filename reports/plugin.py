"""The pytest plugin: hooks that hand an experiment's facts to `reports`, and do nothing in a run without one.

The root conftest calls `announce(config, Experiment(...))` in its `pytest_configure`, in every process of a run. A case
asks for the fixture `experiment` and works within `experiment.cell(...)`. Under xdist the workers write predictions
and the controller, which the cases' reports reach, writes everything else.

PYTEST_DONT_REWRITE: there is no assertion here, and the conftest that names this plugin imports it first.
"""

from __future__ import annotations

import shutil
import traceback
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from reports.experiment import Experiment
from reports.gate.baseline_plugin import BaselineReporting
from reports.gate.regression_gate import Gate
from reports.page import NAME as PAGE
from reports.progress_bars import Bar, Progress, bar, silence
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, shown
from reports.store.records import CellRun
from reports.tables.text_wrap import wrapped
from reports.write_reports import report_files

EXPERIMENT = pytest.StashKey[Experiment]()
_USED = pytest.StashKey[bool]()
_HANDED_OVER = "cell_runs"  # an attribute of a case's reports
_STATUS = {0: "finished", 1: "failed", 2: "interrupted"}


def announce(
    config: pytest.Config,
    experiment: Experiment,
    fresh: bool = False,
    gate: Gate | None = None,
    save_baseline: Path | None = None,
) -> None:
    """Makes `experiment` the one that cases record to. `fresh` sets earlier predictions aside before the first case;
    `gate` is what accuracies are held against, and `save_baseline` a file to keep them in."""
    config.stash[EXPERIMENT] = experiment
    config.pluginmanager.register(_Recording(experiment, bool(config.getoption("xmlpath", None))))
    if not hasattr(config, "workerinput"):  # which xdist gives to its workers
        config.pluginmanager.register(_Reporting(experiment, fresh))
        if gate is not None or save_baseline is not None:
            config.pluginmanager.register(BaselineReporting(experiment, gate, save_baseline))


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> Experiment:
    """The experiment of this run; its progress bars are seen although pytest captures output."""
    announced = request.config.stash.get(EXPERIMENT, None)
    if announced is None:
        raise pytest.UsageError("no experiment: call reports.plugin.announce in the root conftest's pytest_configure")
    announced.progress = progress_of(request.config)
    request.node.stash[_USED] = True
    return announced


class _Recording:
    """In every process: puts what a case has recorded on its reports."""

    def __init__(self, experiment: Experiment, for_xml: bool) -> None:
        self._experiment, self._for_xml = experiment, for_xml

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Plain values only, which xdist can carry.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtest_makereport
        """
        report = yield
        if item.stash.get(_USED, False):
            runs = self._experiment.hand_over()
            report.__dict__[_HANDED_OVER] = [asdict(run) for run in runs]
            for run in runs:  # for --junitxml, which takes them from the item's last report
                item.user_properties += run.outcomes.items()
                if self._for_xml:
                    with suppress(ResultsFolderError, ResultsDamaged):  # which the end of the run says
                        item.user_properties += self._experiment.figures(run).items()
        return report


class _Reporting:
    """In the process that talks to the user: collects from the reports, and writes and prints at the end."""

    def __init__(self, experiment: Experiment, fresh: bool) -> None:
        self._experiment, self._fresh = experiment, fresh
        self._warnings: list[str] = []
        experiment.warnings = self._warnings
        self._aside: Path | None = None
        self._used = False
        self._runs: list[CellRun] = []
        self._files: list[Path] = []
        self._lines: list[str] = []
        self._failure: str | None = None
        self._interrupted = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Before xdist starts its workers, so that only one process moves anything.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionstart
        """
        if session.config.pluginmanager.has_plugin("dsession"):
            self._set_aside(session)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers only here, where a run that is refused has been refused.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
        """
        if not session.config.pluginmanager.has_plugin("dsession"):
            self._set_aside(session)

    def _set_aside(self, session: pytest.Session) -> None:
        if self._fresh and not session.config.option.collectonly:
            try:
                self._aside = self._experiment.results.set_aside(report_files())
            except ResultsFolderError as error:
                raise pytest.UsageError(str(error)) from error

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtest_logreport"""
        if hasattr(report, _HANDED_OVER):
            self._used = True
            self._runs += [CellRun.from_dict(facts) for facts in getattr(report, _HANDED_OVER)]

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_warning_recorded"""
        said = f"{warning_message.category.__name__}: {warning_message.message}"
        self._warnings.append(f"{nodeid or 'before the first case'}: {said}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """After xdist's own, when no worker writes any more.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionfinish
        """
        if not self._used:
            return
        self._interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        self._experiment.runs = [*self._runs, *self._experiment.hand_over()]  # the last of an interrupted case
        try:
            # A worker that was killed in its first cell has handed nothing over, but may have made predictions.
            self._used = bool(self._experiment.runs or self._experiment.results.cells())
            if self._used:
                findings = self._experiment.findings()
                verbose = session.config.get_verbosity() > 0
                self._lines = self._experiment.summary(shutil.get_terminal_size().columns, findings, verbose)
                for path in self._experiment.writing(_STATUS.get(int(exitstatus), "failed"), findings):
                    self._files.append(path)
        except (ResultsFolderError, ResultsDamaged) as error:
            self._failure = str(error)
        except Exception as error:  # a fault of ours: it is said, and what was measured is printed all the same
            place = traceback.extract_tb(error.__traceback__)[-1]
            self._failure = f"{type(error).__name__}: {error} ({shown(Path(place.filename))}, line {place.lineno})"
        if self._failure:
            session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_terminal_summary"""
        if not self._used:
            return
        terminalreporter.write_sep("=", "experiment")
        page = [path for path in self._files if path.name == PAGE]
        others = [path for path in self._files if path not in page]
        said = [f"files: {', '.join(map(shown, others))}"] if others else []
        if self._interrupted:
            said.insert(0, "interrupted: what was made is kept, and the same command goes on from there")
        if self._aside:
            said.append(f"earlier predictions are in {shown(self._aside)}")
        said += [f"page: {shown(path)}" for path in page]
        for line in self._lines:
            terminalreporter.write_line(line)
        for sentence in said:
            for line in wrapped(sentence, shutil.get_terminal_size().columns):
                terminalreporter.write_line(line)
        if self._failure:
            for line in wrapped(f"the reports are not complete: {self._failure}", shutil.get_terminal_size().columns):
                terminalreporter.write_line(line, red=True)


def progress_of(config: pytest.Config) -> Progress:
    """Bars on pytest's own terminal. A worker has none, and who asks for quiet gets it."""
    if not config.pluginmanager.has_plugin("terminalreporter") or config.get_verbosity() < 0:
        return silence
    writer = config.get_terminal_writer()
    stream = writer._file  # pytest has no public name for it
    capture = config.pluginmanager.get_plugin("capturemanager")
    screen = capture.global_and_fixture_disabled if capture else nullcontext

    @contextmanager
    def below_the_case(title: str, total: int, done: int) -> Iterator[Bar]:
        """A bar on a line of its own; the cursor goes back to where pytest is about to write the case's result."""
        column = writer.width_of_current_line % writer.fullwidth
        with screen():
            watched = stream.isatty()
            stream.write("\n" if watched else "")
        try:
            with bar(title, total, done, stream, screen) as drawn:
                yield drawn
        finally:
            with screen():
                up, right = "\x1b[A", f"\x1b[{column}C"
                stream.write((up + right * (column > 0)) * watched)
                stream.flush()

    return below_the_case
