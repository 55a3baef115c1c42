"""A progress bar with problems/s, for a terminal and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TextIO


class Bar(Protocol):
    """What the work sees of a progress bar: `n` more problems are done, and how it stands in a word or two."""

    def update(self, n: int, note: str = "") -> object: ...


Progress = Callable[[str, int, int], AbstractContextManager[Bar]]
"""Opens a bar from a title, the total of problems, and how many of them are done already."""


class _Silent:
    def update(self, n: int, note: str = "") -> None:
        """Nobody is watching."""


@contextmanager
def silence(title: str, total: int, done: int = 0) -> Iterator[Bar]:
    """The bar of those who do not want one."""
    yield _Silent()


@contextmanager
def bar(
    title: str,
    total: int,
    done: int = 0,
    stream: TextIO | None = None,
    screen: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Bar]:
    """A bar on `stream` (standard error unless told), silent where that is no terminal, cleared at the end.

    Whatever touches the stream happens inside `screen()`, which a test runner that captures output uses to let it
    through.
    """
    from tqdm import tqdm

    class Quiet(tqdm):
        monitor_interval = 0  # its thread would draw at times of its own, when the screen is not ours

    with screen():
        target = stream or sys.stderr
        if not target.isatty():
            drawn = None
        else:
            drawn = Quiet(
                total=total,
                initial=done,
                desc=title,
                unit=" problems",
                file=target,
                leave=False,
                dynamic_ncols=True,
                mininterval=0.2,
                smoothing=0.1,
                bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]",
            )
    if drawn is None:
        yield _Silent()
        return
    try:
        yield _OnScreen(drawn, screen)
    finally:
        with screen():
            drawn.close()


class _OnScreen:
    def __init__(self, drawn: Any, screen: Callable[[], AbstractContextManager[object]]) -> None:
        self._drawn, self._screen = drawn, screen

    def update(self, n: int, note: str = "") -> None:
        with self._screen():
            if note:
                self._drawn.set_postfix_str(note, refresh=False)
            self._drawn.update(n)
