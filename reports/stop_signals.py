"""SIGTERM and SIGHUP end a run as Ctrl-C does; one more signal does not spoil the report of an interrupted run."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from types import FrameType

#: Those of them that this system has: Windows has no SIGHUP.
STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class StopSignals:
    """Handles the signals that end a run.

    The first one raises `KeyboardInterrupt` in the main thread, unless the reports are already being written. One more
    is ignored, so that they are written. The next one ends the process at once.

    https://docs.python.org/3/library/signal.html
    """

    def __init__(self) -> None:
        self._previous: dict[int, object] = {}
        self._reporting = False
        self._ignored_one = False
        self.interrupted = False

    def install(self) -> None:
        """Handle the signals, from the main thread only. Those that are ignored stay so, as under `nohup`."""
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: a handler that is not Python's
                    self._previous[number] = signal.signal(number, self._handle)

    def restore(self) -> None:
        """Give each signal the handler it had."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous.clear()

    def reporting(self) -> None:
        """From now on the reports are written: one signal is ignored."""
        self._reporting = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if not self._reporting:
            self._reporting = self.interrupted = True
            raise KeyboardInterrupt(name)
        if not self._ignored_one:
            self._ignored_one = True
            with suppress(OSError):  # the terminal may be gone
                os.write(2, f"\n{name}: the reports are being written; once more to end now\n".encode())
            return
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
