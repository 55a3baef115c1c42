from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reports.progress_bars import bar, silence

pytestmark = pytest.mark.quick


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_title_share_and_speed_and_is_left_clean() -> None:
    stream = Terminal()
    with bar("diffllama-inf-zero_shot", 200, 50, stream) as drawn:
        drawn.update(50)
    text = stream.getvalue()
    assert "diffllama-inf-zero_shot:  25%" in text
    assert "50/200" in text
    assert "problems/s" in text
    assert text.endswith("\r")
    assert text.split("\r")[-2].strip() == ""


def test_what_is_no_terminal_sees_nothing() -> None:
    stream = io.StringIO()
    with bar("cell", 10, 0, stream) as drawn:
        drawn.update(10)
    assert stream.getvalue() == ""


def test_silence_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with silence("cell", 10) as drawn:
        drawn.update(3)
    assert capfd.readouterr() == ("", "")


def test_the_stream_is_only_touched_while_the_screen_is_ours() -> None:
    """Between those moments the test runner has put its own files in the place of the terminal's."""
    ours = False

    class Guarded(Terminal):
        def write(self, text: str) -> int:
            assert ours
            return super().write(text)

    @contextmanager
    def screen() -> Iterator[None]:
        nonlocal ours
        ours = True
        yield
        ours = False

    stream = Guarded()
    with bar("cell", 10, 0, stream, screen) as drawn:
        drawn.update(5)
    assert stream.getvalue()


def test_the_bar_is_closed_when_the_work_fails() -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), bar("cell", 10, 0, stream):
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\r")
