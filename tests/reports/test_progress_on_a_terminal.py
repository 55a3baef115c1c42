"""The bar on a real pseudo-terminal, in a run of pytest that captures output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="wants a pseudo-terminal", exc_type=ImportError)

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
    print("captured, and not to be seen")
    with experiment.cell(Cell("llama", noise, "zero_shot"), SETTINGS, asked("p0", "p1")) as opened:
        opened.append([predicted("p0")])
        opened.append([predicted("p1")])
"""


def seen_on_a_terminal(folder: Path, *options: str) -> str:
    """Runs pytest in `folder` on a terminal of 24 rows and 80 columns; all that it writes there."""
    import fcntl
    import struct
    import termios

    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_grid.py").write_text(CASES)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(root), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--rootdir=.", *options]
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 4096):
                written += piece
        except OSError:  # how Linux says that the other side is closed
            pass
    os.close(ours)
    return written.decode()


def test_the_bar_is_seen_and_the_line_of_results_stays_whole(tmp_path: Path) -> None:
    text = seen_on_a_terminal(tmp_path)
    assert "llama-clean-zero_shot:   0%" in text
    assert "problems/s" in text
    assert "not to be seen" not in text
    # After each bar the cursor goes one line up, behind what pytest had written there.
    assert text.count(f"\x1b[A\x1b[{len('test_grid.py ')}C.") == 1
    assert text.count(f"\x1b[A\x1b[{len('test_grid.py .')}C.") == 1


def test_quiet_is_quiet(tmp_path: Path) -> None:
    text = seen_on_a_terminal(tmp_path, "-q")
    assert "problems/s]" not in text
    assert "\x1b[A" not in text
    assert ".." in text
