"""`pytest …` as a user types it, in a process of its own that has its heavy imports done: a fork of one that waits."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TIMEOUT = 300  # seconds


def command(*arguments: str) -> list[str]:
    """The command line, for a test that starts the process itself."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The run of `command(*arguments)` in the project's folder, when it is over."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.benchmarks.heavy_imports"])
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        out.touch()
        err.touch()
        process = forking.Process(target=_run, args=(arguments, out, err))
        process.start()
        process.join(_TIMEOUT)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(command(*arguments), _TIMEOUT, out.read_text(), err.read_text())
        assert process.exitcode is not None
        return subprocess.CompletedProcess(arguments, process.exitcode, out.read_text(), err.read_text())


def _run(arguments: tuple[str, ...], out: Path, err: Path) -> None:
    os.chdir(ROOT)
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        stream.flush()
        os.dup2(os.open(path, os.O_WRONLY), stream.fileno())
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:  # those of the run that this test is in
        del os.environ[name]
    imported = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"  # one of those that wait is a plugin
    sys.argv = ["pytest", "-W", imported, *command(*arguments)[3:]]
    runpy.run_module("pytest", run_name="__main__", alter_sys=False)
