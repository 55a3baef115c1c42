"""What each signal does to a run: the first one, one more while the reports are written, and the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reports.stop_signals import STOP_SIGNALS, StopSignals


@pytest.fixture(autouse=True)
def _not_ignored() -> Iterator[None]:
    """The shell ignores some of them for a command in the background."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def handled() -> Iterator[StopSignals]:
    signals = StopSignals()
    signals.install()
    yield signals
    signals.restore()


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_first_signal_interrupts_and_the_second_does_not(handled: StopSignals, number: int) -> None:
    with pytest.raises(KeyboardInterrupt, match=signal.Signals(number).name):
        send(number)
    assert handled.interrupted
    send(number)


def test_a_signal_while_the_reports_are_written_does_not_interrupt(handled: StopSignals) -> None:
    handled.reporting()
    send(signal.SIGINT)
    assert not handled.interrupted


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_third_signal_ends_the_process_at_once(number: int) -> None:
    program = f"""
import os
from reports.stop_signals import StopSignals
signals = StopSignals()
signals.install()
try:
    os.kill(os.getpid(), {number})
except KeyboardInterrupt:
    os.kill(os.getpid(), {number})
    print("the reports are written", flush=True)
    os.kill(os.getpid(), {number})
    print("not reached")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-number, "the reports are written\n")
    assert done.stderr.strip() == f"{signal.Signals(number).name}: the reports are being written; once more to end now"


def test_an_ignored_signal_stays_ignored() -> None:
    """As `nohup` asks for."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signals = StopSignals()
        signals.install()
        send(signal.SIGHUP)
        signals.restore()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)
