"""Uses of undocumented names of pytest and xdist. `tests/reports/test_upstream_pytest.py` checks each."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TextIO, cast

import pytest


def terminal_stream(config: pytest.Config) -> TextIO:
    """Return the stream that pytest's terminal reporter writes to: `TerminalWriter._file`."""
    return cast(TextIO, config.get_terminal_writer()._file)


def cursor_column(config: pytest.Config) -> int:
    """Return the column, from 0, at which pytest writes next: from `TerminalWriter.width_of_current_line`."""
    writer = config.get_terminal_writer()
    return writer.width_of_current_line % writer.fullwidth


def suspended_capture(config: pytest.Config) -> AbstractContextManager[object]:
    """Return a context in which output is not captured: `CaptureManager.global_and_fixture_disabled`."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    return cast(AbstractContextManager[object], capture.global_and_fixture_disabled()) if capture else nullcontext()


def starts_workers(config: pytest.Config) -> bool:
    """Whether this process starts xdist workers: xdist then registers the plugin `dsession`."""
    return config.pluginmanager.has_plugin("dsession")
