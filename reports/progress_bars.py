"""A progress bar with problems/s, shown on terminals only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TextIO


class ProgressBar(Protocol):
    """An open progress bar: `n` more problems are done, and a short note on their state."""

    def update(self, n: int, note: str = "") -> object: ...


class Progress(Protocol):
    """Opens a bar from a title, the total number of problems or other `unit`s, and the number already done."""

    def __call__(
        self, title: str, total: int, done: int = 0, *, unit: str = "problems"
    ) -> AbstractContextManager[ProgressBar]: ...


class _HiddenBar:
    def update(self, n: int, note: str = "") -> None:
        """Do nothing."""


@contextmanager
def no_progress_bar(title: str, total: int, done: int = 0, *, unit: str = "problems") -> Iterator[ProgressBar]:
    """Open a bar that shows nothing."""
    yield _HiddenBar()


@contextmanager
def progress_bar(
    title: str,
    total: int,
    done: int = 0,
    stream: TextIO | None = None,
    uncaptured: Callable[[], AbstractContextManager[object]] = nullcontext,
    unit: str = "problems",
) -> Iterator[ProgressBar]:
    """Open a bar on `stream` (standard error by default). Hidden unless that is a terminal; cleared on exit.

    The stream is used only inside `uncaptured()`, with which a test runner suspends its capturing of output.
    """
    from tqdm import tqdm

    class UnmonitoredTqdm(tqdm):
        monitor_interval = 0  # the monitor thread would draw outside of `uncaptured`

    with uncaptured():
        target = stream or sys.stderr
        if not target.isatty():
            bar = None
        else:
            bar = UnmonitoredTqdm(
                total=total,
                initial=done,
                desc=title,
                unit=f" {unit}",
                file=target,
                leave=False,
                dynamic_ncols=True,
                mininterval=0.2,
                smoothing=0.1,
                bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]",
            )
    if bar is None:
        yield _HiddenBar()
        return
    try:
        yield _TerminalBar(bar, uncaptured)
    finally:
        with uncaptured():
            bar.close()


class _TerminalBar:
    def __init__(self, bar: Any, uncaptured: Callable[[], AbstractContextManager[object]]) -> None:
        self._bar, self._uncaptured = bar, uncaptured

    def update(self, n: int, note: str = "") -> None:
        with self._uncaptured():
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(n)
