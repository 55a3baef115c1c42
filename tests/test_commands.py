"""`python -m noise|models|reports|benchmarks`: what all of them do alike."""

from __future__ import annotations

import importlib

import pytest


@pytest.mark.quick
@pytest.mark.parametrize("room", ["noise", "models", "reports", "benchmarks"])
def test_a_command_without_arguments_prints_its_help(room: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert importlib.import_module(f"{room}.__main__").main([]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith(f"usage: python -m {room}")
    assert "-h, --help" in printed.out
    assert printed.err == ""
