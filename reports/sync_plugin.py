"""The pytest plugin of a results folder at a URL: fetched before the first case, sent as cells end and at the end.

Only the main process of a run asks the store. PYTEST_DONT_REWRITE: there is no assertion here.
"""

from __future__ import annotations

import shutil

import pytest

from reports.store.atomic_io import ResultsFolderError, display_path
from reports.store.folder_lock import FolderLock
from reports.store.remote_folder import RemoteFolder
from reports.tables.printable_text import printable
from reports.tables.text_wrap import wrapped


class ResultsSync:
    """Keeps the folder at the URL of `remote` in step with the local one, whose `lock` it takes."""

    def __init__(self, config: pytest.Config, remote: RemoteFolder, lock: FolderLock) -> None:
        self._config, self._remote, self._lock = config, remote, lock
        self._started = self._fails = False
        self._note = ""

    def pytest_report_header(self) -> list[str]:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_report_header"""
        line = f"results are kept in {display_path(self._remote.folder)} and copied to {self._remote.url} as cells end"
        return wrapped(line, shutil.get_terminal_size().columns)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Fetch what is newer there. A run that cannot know what is there already does not start.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionstart
        """
        option = session.config.option
        if option.collectonly or getattr(option, "setuponly", False) or getattr(option, "setupplan", False):
            return
        try:
            self._lock.acquire(create=True)
            # Shards of one run would overwrite each other's records.
            other = self._remote.mark_running(self._lock.run, getattr(option, "shard", None))
            self._started = True
            session.config.add_cleanup(self._remove_mark)  # a run that is refused now has no end
            fetched = self._remote.download()
        except ResultsFolderError as error:
            self._remove_mark()
            self._lock.release()
            raise pytest.UsageError(printable(str(error))) from None
        if fetched:
            self._note = f"fetched from {self._remote.url}: {len(fetched):,} files"
        self._write(self._note)
        self._write(other or "")

    def cell_ended(self) -> None:
        """Send what is new. What goes wrong is printed the first time, and tried again after the next cell."""
        try:
            self._remote.upload()
            self._fails = False
        except ResultsFolderError as error:
            if not self._fails:
                self._write(f"\n{error}; all results so far are in {display_path(self._remote.folder)}, and are tried"
                            " again when the next cell ends")  # fmt: skip
            self._fails = True

    def run_ended(self) -> str | None:
        """Send the rest, the reports too; return what was not sent and how to send it, as a sentence, if it failed."""
        if not self._started:
            return None
        try:
            self._remote.upload()
        except ResultsFolderError as error:
            folder, url = display_path(self._remote.folder), self._remote.url
            return f"{error}; all results are in {folder}, and `python -m reports sync {folder} {url}` sends them"
        finally:
            self._remove_mark()
        return None

    def _remove_mark(self) -> None:
        if self._started:
            try:
                self._remote.remove_mark(self._lock.run)
            except ResultsFolderError:
                return  # the next run will be told that this one may still write
            self._started = False

    def _write(self, text: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and text:
            for line in text.split("\n"):
                for part in wrapped(line, shutil.get_terminal_size().columns) or [""]:
                    reporter.write_line(printable(part))
