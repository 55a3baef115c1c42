"""`python -m benchmarks COMMAND`: each command has its help, and a misspelt one is refused with the nearest name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.__main__ import COMMANDS, main
from benchmarks.speed import profile_cell
from tests.benchmarks.typed_commands import ROOT


def test_the_commands_are_these() -> None:
    assert list(COMMANDS) == ["plan", "experiment", "peers", "scaling", "profile", "ray", "roofline"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"usage: python -m benchmarks {command} " in capsys.readouterr().out


def test_help_lists_the_commands_without_torch() -> None:
    script = "import sys, runpy; sys.argv[1:] = ['--help']\ntry: runpy.run_module('benchmarks', run_name='__main__')\n"
    script += "except SystemExit as stopped: assert not stopped.code, stopped.code\n"
    script += "assert not {'torch', 'transformers'} & sys.modules.keys()"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"  {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    ("typed", "hint"), [("peer", " Did you mean 'peers'?"), ("rooflin", " Did you mean 'roofline'?"), ("xyz", "")]
)
def test_an_unknown_command_is_refused_with_the_nearest_name(
    typed: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([typed])
    assert stopped.value.code == 2
    expected = f"unknown command {typed!r}.{hint} Known: plan, experiment, peers, scaling, profile, ray, roofline.\n"
    assert capsys.readouterr().err.endswith(expected)


def test_the_profile_shows_every_phase_of_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "--models", "llama", "--problems", "8"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("llama, 8 problems with inf, ")
    assert {line[2:24].rstrip() for line in lines} == {
        "load the model",
        "add noise",
        "tokenize",
        "prefill",
        "move rows",
        "decode",
        "check for ends",
        "detokenize",
        "grade",
        "write predictions",
        "rest of the cell",
        "write the reports",
    }
    assert sum(float(line.split()[-2]) for line in lines) == pytest.approx(100, abs=1)


def test_the_profile_refuses_no_problems(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        profile_cell.main(["--problems", "0"])
    assert stopped.value.code == 2
    assert "--problems 0: expected a number from 1 up" in capsys.readouterr().err
