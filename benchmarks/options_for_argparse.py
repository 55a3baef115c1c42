"""The options of `pytest benchmarks` for commands that are not pytest: declared in `benchmarks.options`, read by
argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from benchmarks.options import add_skip_options, pytest_addoption

#: What a run has besides, and a plan has no use for.
_OF_RUNS = ("--fresh", "--slow", "--gsm8k", "--save-baseline", "--baseline", "--tolerance", "--alpha")


class _Groups:
    """Stands for pytest's parser where options are added."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._groups: dict[str, argparse._ArgumentGroup] = {}

    def getgroup(self, name: str) -> _Group:
        if name not in self._groups:
            self._groups[name] = self._parser.add_argument_group(name)
        return _Group(self._groups[name].add_argument)


class _Group:
    def __init__(self, add: Callable[..., object]) -> None:
        self._add = add

    def addoption(self, *names: str, **settings: Any) -> None:
        if set(names) & set(_OF_RUNS):
            settings["help"] = argparse.SUPPRESS
        self._add(*names, **settings)


def add_grid_options(parser: argparse.ArgumentParser) -> None:
    """Add every option of the grid to `parser`; those that change only what is done with the answers have no help."""
    groups: Any = _Groups(parser)
    pytest_addoption(groups)
    add_skip_options(groups)
