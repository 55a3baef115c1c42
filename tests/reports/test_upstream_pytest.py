"""Canaries: each fails if pytest or xdist changes a name that `reports.upstream_pytest` relies on."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest._io import TerminalWriter
from _pytest.capture import CaptureManager

from reports.upstream_pytest import cursor_column, starts_workers, suspended_capture, terminal_stream

pytestmark = pytest.mark.quick


def config_with(writer: TerminalWriter) -> Any:
    return SimpleNamespace(get_terminal_writer=lambda: writer)


def test_a_terminal_writer_has_its_stream_as_file() -> None:
    stream = io.StringIO()
    writer = TerminalWriter(stream)
    assert getattr(writer, "_file", None) is stream, (
        "pytest's TerminalWriter no longer keeps its stream as `_file`: change reports.upstream_pytest.terminal_stream"
    )
    assert terminal_stream(config_with(writer)) is stream


def test_a_terminal_writer_knows_its_column() -> None:
    writer = TerminalWriter(io.StringIO())
    for name in ("width_of_current_line", "fullwidth"):
        assert hasattr(writer, name), (
            f"pytest's TerminalWriter no longer has `{name}`: change reports.upstream_pytest.cursor_column"
        )
    writer.fullwidth = 80
    writer.write("test_grid.py .")
    assert cursor_column(config_with(writer)) == len("test_grid.py ."), (
        "pytest's TerminalWriter counts `width_of_current_line` otherwise: change reports.upstream_pytest.cursor_column"
    )


def test_the_capture_manager_can_be_suspended(pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]) -> None:
    assert hasattr(CaptureManager, "global_and_fixture_disabled"), (
        "pytest's CaptureManager no longer has `global_and_fixture_disabled`: change"
        " reports.upstream_pytest.suspended_capture"
    )
    assert isinstance(pytestconfig.pluginmanager.get_plugin("capturemanager"), CaptureManager), (
        "pytest no longer registers its CaptureManager as the plugin `capturemanager`: change"
        " reports.upstream_pytest.suspended_capture"
    )
    print("captured")
    with suspended_capture(pytestconfig):
        print("", end="", flush=True)
    print("captured again")
    assert capfd.readouterr().out == "captured\ncaptured again\n"


@pytest.mark.parametrize(("options", "expected"), [((), False), (("--dist", "load", "--tx", "popen"), True)])
def test_xdist_registers_its_session_as_dsession(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], expected: bool
) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    config = pytester.parseconfigure("-p", "xdist.plugin", *options)
    assert starts_workers(config) is expected, (
        "xdist no longer registers the plugin `dsession` in the process that starts workers: change"
        " reports.upstream_pytest.starts_workers"
    )
