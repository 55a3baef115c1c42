"""The pytest plugin: hooks that collect what an experiment did. They do nothing in a run without an experiment.

The root conftest calls `announce(config, Experiment(...))` in its `pytest_configure`, in every process of a run. A case
requests the fixture `experiment` and works inside `experiment.cell(...)`. With xdist, the workers write predictions,
and the controller, which receives the reports of all cases, writes everything else.

PYTEST_DONT_REWRITE: this module has no assertions, and the conftest imports it before pytest could rewrite it.
"""

from __future__ import annotations

import shutil
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reports.experiment import Experiment
from reports.gate.baseline_plugin import BaselineReporting
from reports.gate.regression_gate import Gate
from reports.page import NAME as PAGE
from reports.progress_bars import Progress, ProgressBar, no_progress_bar, progress_bar
from reports.stop_signals import StopSignals
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, display_path
from reports.store.records import CellRun
from reports.store.remote_folder import RemoteFolder
from reports.sync_plugin import ResultsSync
from reports.tables.printable_text import printable
from reports.tables.text_wrap import wrapped
from reports.upstream_pytest import cursor_column, starts_workers, suspended_capture, terminal_stream
from reports.write_reports import report_files

EXPERIMENT = pytest.StashKey[Experiment]()
_USED = pytest.StashKey[bool]()
_CELL_RUNS = "cell_runs"  # an attribute of a case's reports
_WRONG_USE = ("failed_by", "wrong use")  # a user property
_LOCKING_RUN = "results_locked_by"  # a key of what xdist gives to its workers
_STATUS = {0: "finished", 1: "failed", 2: "interrupted"}


class WrongUse(pytest.fail.Exception):  # type: ignore[name-defined]
    """A case failed because it was asked for something that does not fit: no regression, and no error of a model.

    If all that failed did so by this, the exit status of the run is that of wrong use.
    """


def announce(
    config: pytest.Config,
    experiment: Experiment,
    fresh: bool = False,
    gate: Gate | None = None,
    save_baseline: Path | None = None,
    explain: Callable[[Exception], str | None] = str,
    remote: RemoteFolder | None = None,
) -> None:
    """Make `experiment` the one that cases record to.

    `fresh` sets earlier predictions aside before the first case. Accuracies are compared with `gate`, and saved as a
    baseline to the file `save_baseline`. `explain` turns an error into the sentence to print, None for `str(error)`.
    `remote` is a folder at a URL that is kept in step with the folder of the results.
    """
    config.stash[EXPERIMENT] = experiment
    config.pluginmanager.register(_CaseRecorder(experiment, bool(config.getoption("xmlpath", None))))
    if hasattr(config, "workerinput"):  # xdist gives it to its workers
        experiment.results.lock.run = config.workerinput[_LOCKING_RUN]
    else:
        sync = None if remote is None else ResultsSync(config, remote, experiment.results.lock)
        config.pluginmanager.register(_RunReporter(experiment, fresh, sync))
        if sync is not None:  # registered later, its hooks come before those of the run's reporter
            config.pluginmanager.register(sync)
        if gate is not None or save_baseline is not None:
            config.pluginmanager.register(BaselineReporting(experiment, gate, save_baseline, explain))


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> Experiment:
    """The experiment of this run. Its progress bars are visible although pytest captures output."""
    announced = request.config.stash.get(EXPERIMENT, None)
    if announced is None:
        raise pytest.UsageError("no experiment: call reports.plugin.announce in the root conftest's pytest_configure")
    announced.progress = progress_for(request.config)
    request.node.stash[_USED] = True
    return announced


class _CaseRecorder:
    """Attaches what a case recorded to its reports. Registered in every process."""

    def __init__(self, experiment: Experiment, for_xml: bool) -> None:
        self._experiment, self._for_xml = experiment, for_xml

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach plain values, which xdist can serialise.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtest_makereport
        """
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, WrongUse):
            item.user_properties.append(_WRONG_USE)
            report.user_properties.append(_WRONG_USE)
        if item.stash.get(_USED, False):
            # What a library logs about a checkpoint may quote it.
            report.sections = [(name, printable(text)) for name, text in report.sections]
            runs = self._experiment.take_runs()
            report.__dict__[_CELL_RUNS] = [asdict(run) for run in runs]
            for run in runs:  # JUnit XML takes user properties from the item's last report
                item.user_properties += run.outcomes.items()
                if self._for_xml:
                    with suppress(ResultsFolderError, ResultsDamaged):  # reported at the end of the run
                        item.user_properties += self._experiment.run_accuracy(run).items()
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Give a worker's lock back: the main process writes the reports.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionfinish
        """
        if hasattr(session.config, "workerinput"):
            self._experiment.results.lock.release()


class _RunReporter:
    """Collects the cell runs from all reports, and writes and prints at the end. Registered in the main process."""

    def __init__(self, experiment: Experiment, fresh: bool, sync: ResultsSync | None = None) -> None:
        self._experiment, self._fresh, self._sync = experiment, fresh, sync
        self._warnings: list[str] = []
        experiment.warnings = self._warnings
        self._set_aside_folder: Path | None = None
        self._used = False
        self._selected: set[str] = set()  # ids of cases
        self._ended: set[str] = set()
        self._runs: list[CellRun] = []
        self._files: list[Path] = []
        self._lines: list[str] = []
        self._failure: str | None = None
        self._unsent: str | None = None
        self._headline: str | None = None
        self._failed = self._misused = 0
        self._interrupted = self._has_workers = False
        self._signals = StopSignals()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Set earlier predictions aside before xdist starts its workers, so that only one process moves files.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionstart
        """
        self._signals.install()
        session.config.add_cleanup(self._signals.restore)
        self._has_workers = starts_workers(session.config)
        if self._has_workers:
            self._set_aside(session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker for which run it locks the folder.

        https://github.com/pytest-dev/pytest-xdist/blob/master/src/xdist/newhooks.py
        """
        node.workerinput[_LOCKING_RUN] = self._experiment.results.lock.run

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers, set earlier predictions aside only after collection, when a refused run has ended.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
        """
        if not session.config.option.collectonly:
            self._selected.update(item.nodeid for item in session.items)
        if not self._has_workers:
            self._set_aside(session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """https://github.com/pytest-dev/pytest-xdist/blob/master/src/xdist/newhooks.py"""
        self._selected.update(ids)

    def _set_aside(self, session: pytest.Session) -> None:
        if self._fresh and not session.config.option.collectonly:
            results = self._experiment.results
            try:
                results.lock.acquire()
                self._set_aside_folder = results.set_aside(report_files())
            except ResultsFolderError as error:
                results.lock.release()
                raise pytest.UsageError(str(error)) from error

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtest_logreport"""
        if report.when not in ("setup", "call"):  # xdist has a name of its own for the end of a worker that crashed
            self._ended.add(report.nodeid)
        self._failed += report.failed
        self._misused += report.failed and _WRONG_USE in report.user_properties
        if hasattr(report, _CELL_RUNS):
            self._used = True
            self._runs += [CellRun.from_dict(values) for values in getattr(report, _CELL_RUNS)]
            if self._has_workers:  # with the first report, of a case's setup: a worker may be killed in the case
                with suppress(ResultsFolderError):  # the case says so
                    self._experiment.results.lock.acquire(create=True)
            if self._sync is not None and getattr(report, _CELL_RUNS):
                self._sync.cell_ended()

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_warning_recorded"""
        text = f"{warning_message.category.__name__}: {warning_message.message}"
        self._warnings.append(f"{nodeid or 'before the first case'}: {text}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write everything after xdist's own hook, when no worker writes any more.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionfinish
        """
        try:
            self._write_reports(session, exitstatus)
            self._unsent = None if self._sync is None else self._sync.run_ended()
            if self._unsent and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        finally:
            self._experiment.results.lock.release()
        only_misused = 0 < self._misused == self._failed and not self._failure and not self._unsent
        if only_misused and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _write_reports(self, session: pytest.Session, exitstatus: int) -> None:
        self._signals.reporting()
        if self._signals.interrupted:  # pytest may have been interrupted again before it has set the exit status
            session.exitstatus = exitstatus = pytest.ExitCode.INTERRUPTED
        self._experiment.unfinished = len(self._selected - self._ended)
        if self._experiment.unfinished and exitstatus == pytest.ExitCode.OK:  # a plugin may end a run with any status
            session.exitstatus = exitstatus = pytest.ExitCode.INTERRUPTED
        if not self._used:
            return
        self._interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        self._experiment.runs = [*self._runs, *self._experiment.take_runs()]  # those of an interrupted case come last
        try:
            self._experiment.results.lock.acquire()
            # A worker that was killed in its first cell has reported nothing, but may have written predictions.
            self._used = bool(self._experiment.runs or (self._has_workers and self._experiment.results.cells()))
            if self._used:
                self._experiment.results.lock.acquire(create=True)
                findings = self._experiment.findings()
                verbose = session.config.get_verbosity() > 0
                self._headline = self._experiment.headline(findings)
                self._lines = self._experiment.summary(shutil.get_terminal_size().columns, findings, verbose)
                for path in self._experiment.write_each(_STATUS.get(int(exitstatus), "failed"), findings):
                    self._files.append(path)
        except (ResultsFolderError, ResultsDamaged) as error:
            self._failure = str(error)
        except Exception as error:  # a bug in a report is shown, and hides none of the results
            frame = traceback.extract_tb(error.__traceback__)[-1]
            location = f"{display_path(Path(frame.filename))}, line {frame.lineno}"
            self._failure = f"{type(error).__name__}: {error} ({location})"
        if self._failure:
            session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_terminal_summary"""
        if self._used:
            self._print_experiment(terminalreporter)
        if self._unsent:
            for line in wrapped(self._unsent, shutil.get_terminal_size().columns):
                terminalreporter.write_line(printable(line), red=True)

    def _print_experiment(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_sep("=", "experiment")
        width = shutil.get_terminal_size().columns
        pages = [path for path in self._files if path.name == PAGE]
        other_files = [path for path in self._files if path not in pages]
        folder = self._experiment.results.folder
        names = [path.relative_to(folder).as_posix() for path in other_files]
        notes = [f"files in {display_path(folder)}: {', '.join(names)}"] if names else []
        if self._interrupted:
            unseen = "; the reports have those of unfinished cases, the tables above not" if self._has_workers else ""
            notes.insert(0, f"interrupted: all records so far are saved; the same command resumes the run{unseen}")
        if self._set_aside_folder:
            notes.append(f"earlier predictions are in {display_path(self._set_aside_folder)}")
        notes += self._experiment.notes
        notes += [f"page: {display_path(path)}" for path in pages]
        notes += [self._headline] if self._headline else []
        for line in self._lines:
            terminalreporter.write_line(printable(line))
        for note in notes:
            for line in wrapped(note, width):
                terminalreporter.write_line(printable(line))
        if self._failure:
            for line in wrapped(f"the reports are not complete: {self._failure}", width):
                terminalreporter.write_line(printable(line), red=True)


def progress_for(config: pytest.Config) -> Progress:
    """Return progress bars on pytest's terminal; hidden ones in a worker, which has none, and with `-q`."""
    if not config.pluginmanager.has_plugin("terminalreporter") or config.get_verbosity() < 0:
        return no_progress_bar
    stream, uncaptured = terminal_stream(config), partial(suspended_capture, config)

    @contextmanager
    def below_the_case(title: str, total: int, done: int = 0, *, unit: str = "problems") -> Iterator[ProgressBar]:
        """Open a bar on a line of its own. On exit, the cursor returns to where pytest writes the case's result."""
        column = cursor_column(config)
        with uncaptured():
            is_terminal = stream.isatty()
            stream.write("\n" if is_terminal else "")
        try:
            with progress_bar(title, total, done, stream, uncaptured, unit) as bar:
                yield bar
        finally:
            with uncaptured():
                up, right = "\x1b[A", f"\x1b[{column}C"
                stream.write((up + right * (column > 0)) * is_terminal)
                stream.flush()

    return below_the_case
