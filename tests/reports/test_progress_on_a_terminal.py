"""The progress bar on a pseudo-terminal, in a run of pytest that captures output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal", exc_type=ImportError)

CONFTEST = """
pytest_plugins = ["reports.plugin"]

def pytest_configure(config):
    from reports.experiment import Experiment
    from reports.plugin import announce
    from reports.store.results_folder import Results

    announce(config, Experiment(Results(config.rootpath / "results")))
"""

CASES = """
import pytest
from reports.store.records import Cell
from tests.reports.record_factories import SETTINGS, asked, predicted

@pytest.mark.parametrize("noise", ["clean", "inf"])
def test_case(experiment, noise):
    print("captured and invisible")
    with experiment.cell(Cell("llama", noise, "zero_shot"), SETTINGS, asked("p0", "p1")) as recorder:
        recorder.append([predicted("p0")])
        recorder.append([predicted("p1")])
"""


def terminal_output(folder: Path, *options: str) -> str:
    """Run pytest in `folder` on a terminal of 24 rows and 80 columns. Return all that it writes there."""
    import fcntl
    import struct
    import termios

    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_grid.py").write_text(CASES)
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(root), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--rootdir=.", *options]
    with subprocess.Popen(command, cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal, env=environment):
        os.close(terminal)
        written = b""
        try:
            while chunk := os.read(controller, 4096):
                written += chunk
        except OSError:  # Linux raises it when the terminal is closed
            pass
    os.close(controller)
    return written.decode()


def test_the_bar_is_visible_and_the_line_of_results_stays_whole(tmp_path: Path) -> None:
    text = terminal_output(tmp_path)
    assert "llama-clean-zero_shot:   0%" in text
    assert "problems/s" in text
    assert "captured and invisible" not in text
    # After each bar the cursor goes one line up, to the end of what pytest had written there.
    assert text.count(f"\x1b[A\x1b[{len('test_grid.py ')}C.") == 1
    assert text.count(f"\x1b[A\x1b[{len('test_grid.py .')}C.") == 1


def test_quiet_hides_the_bar(tmp_path: Path) -> None:
    text = terminal_output(tmp_path, "-q")
    assert "problems/s]" not in text
    assert "\x1b[A" not in text
    assert ".." in text
