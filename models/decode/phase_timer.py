"""Time the phases of a cell: `with phase("decode"):` in the code, `with timed_phases() as seconds:` around it.

Without `timed_phases` a phase only costs a context-variable lookup. No torch here.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar


class _PhaseTimer:
    """Seconds by phase. The time of an inner phase counts for that phase alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner_seconds: list[float] = []  # of each phase that is running, the outermost first

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        self._inner_seconds.append(0.0)
        try:
            yield
        finally:
            total = time.perf_counter() - start
            self.seconds[name] += total - self._inner_seconds.pop()
            if self._inner_seconds:
                self._inner_seconds[-1] += total


_active_timer: ContextVar[_PhaseTimer | None] = ContextVar("phase_timer", default=None)
_NOT_TIMED = nullcontext()


@contextmanager
def timed_phases() -> Iterator[dict[str, float]]:
    """Inside, phases are timed; the dict holds the seconds spent in each so far, by name."""
    timer = _PhaseTimer()
    token = _active_timer.set(timer)
    try:
        yield timer.seconds
    finally:
        _active_timer.reset(token)


def phase(name: str) -> AbstractContextManager[None]:
    """Return a context whose time is recorded as `name` inside `timed_phases`. It must not contain a `yield`: the
    caller's time would be counted too."""
    timer = _active_timer.get()
    return _NOT_TIMED if timer is None else timer.measure(name)
