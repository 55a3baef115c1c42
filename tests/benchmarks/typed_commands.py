"""`pytest …` as a user types it, in a process of its own that has its heavy imports done: a fork of one that waits."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TIMEOUT = 300  # seconds


def command(*arguments: str) -> list[str]:
    """The command line, for a test that starts the process itself."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def typed(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The run of `command(*arguments)` in the folder `cwd`, when it is over."""
    return typed_in_turn([arguments], cwd)[0]


def typed_in_turn(commands: Sequence[Sequence[str]], cwd: Path = ROOT) -> list[subprocess.CompletedProcess[str]]:
    """The same of several commands, one after the other in one process: for those that end before anything is loaded,
    which leave nothing behind for the next."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.benchmarks.heavy_imports"])
    with tempfile.TemporaryDirectory() as folder:
        process = forking.Process(target=_run, args=(commands, folder, cwd))
        process.start()
        process.join(_TIMEOUT)
        if process.is_alive():
            process.kill()
            out, err = (_output(folder, len(_statuses(folder)), name) for name in ("out", "err"))
            raise subprocess.TimeoutExpired(command(*commands[len(_statuses(folder))]), _TIMEOUT, out, err)
        statuses = _statuses(folder) if len(commands) > 1 else [process.exitcode or 0]
        return [
            subprocess.CompletedProcess(arguments, status, _output(folder, n, "out"), _output(folder, n, "err"))
            for n, (arguments, status) in enumerate(zip(commands, statuses, strict=True))
        ]


def _statuses(folder: str) -> list[int]:
    path = Path(folder, "statuses")
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _output(folder: str, number: int, name: str) -> str:
    return Path(folder, f"{name}{number}").read_text()


def _run(commands: Sequence[Sequence[str]], folder: str, cwd: Path) -> None:
    os.chdir(cwd)
    os.environ["COLUMNS"] = "240"  # so that what is said stands in one line, however long its paths are
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:  # those of the run that this test is in
        del os.environ[name]
    imported = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"  # one of those that wait is a plugin
    for number, arguments in enumerate(commands):
        for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
            stream.flush()
            os.dup2(os.open(Path(folder, f"{name}{number}"), os.O_WRONLY | os.O_CREAT), stream.fileno())
        sys.argv = ["pytest", "-W", imported, *command(*arguments)[3:]]
        try:
            runpy.run_module("pytest", run_name="__main__", alter_sys=False)
        except SystemExit as ended:
            if len(commands) == 1:
                raise
            with Path(folder, "statuses").open("a") as file:
                file.write(f"{int(ended.code or 0)}\n")
