from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reports.progress_bars import no_progress_bar, progress_bar

pytestmark = pytest.mark.quick


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_title_share_and_speed_and_is_cleared() -> None:
    stream = Terminal()
    with progress_bar("diffllama-inf-zero_shot", 200, 50, stream) as bar:
        bar.update(50)
    text = stream.getvalue()
    assert "diffllama-inf-zero_shot:  25%" in text
    assert "50/200" in text
    assert "problems/s" in text
    assert text.endswith("\r")
    assert text.split("\r")[-2].strip() == ""


def test_a_stream_that_is_no_terminal_gets_nothing() -> None:
    stream = io.StringIO()
    with progress_bar("cell", 10, 0, stream) as bar:
        bar.update(10)
    assert stream.getvalue() == ""


def test_no_progress_bar_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with no_progress_bar("cell", 10) as bar:
        bar.update(3)
    assert capfd.readouterr() == ("", "")


def test_the_stream_is_only_used_inside_uncaptured() -> None:
    """Outside of it, the test runner has replaced the files of the terminal by its own."""
    is_uncaptured = False

    class Guarded(Terminal):
        def write(self, text: str) -> int:
            assert is_uncaptured
            return super().write(text)

    @contextmanager
    def uncaptured() -> Iterator[None]:
        nonlocal is_uncaptured
        is_uncaptured = True
        yield
        is_uncaptured = False

    stream = Guarded()
    with progress_bar("cell", 10, 0, stream, uncaptured) as bar:
        bar.update(5)
    assert stream.getvalue()


def test_the_bar_is_closed_after_an_exception() -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), progress_bar("cell", 10, 0, stream):
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\r")
