"""Phases are timed where somebody asks for it, and cost nothing otherwise."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from models.decode import phase_timer
from models.decode.generation import generate
from models.decode.phase_timer import phase, timed_phases
from models.loading.load_model import load
from noise import mini


def test_an_inner_phase_counts_for_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 2.0, 7.0, 9.0, 10.0, 13.0])  # outer begins, inner begins and ends, outer ends; inner again
    monkeypatch.setattr(phase_timer, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    with timed_phases() as seconds:
        with phase("outer"), phase("inner"):
            pass
        with phase("inner"):
            pass
    assert seconds == {"outer": 2.0 + 2.0, "inner": 5.0 + 3.0}


def test_a_phase_that_fails_is_timed_too() -> None:
    def fails() -> None:
        with phase("outer"), phase("inner"):
            raise KeyError

    with timed_phases() as seconds:
        with pytest.raises(KeyError):
            fails()
        with phase("outer"):
            pass
    assert set(seconds) == {"outer", "inner"}


def test_nothing_is_timed_outside() -> None:
    with timed_phases() as seconds:
        pass
    with phase("decode"):
        pass
    assert not seconds


def test_timers_nest() -> None:
    with timed_phases() as outer:
        with timed_phases() as inner, phase("decode"):
            pass
        with phase("prefill"):
            pass
    assert (list(inner), list(outer)) == (["decode"], ["prefill"])


def test_untimed_phases_are_cheap() -> None:
    """A decoding step takes milliseconds and enters a handful of phases."""
    start = time.perf_counter()
    for _ in range(10_000):
        with phase("decode"):
            pass
    assert time.perf_counter() - start < 0.2, "20 µs each, some fifty times what they take on a quiet machine"


def test_decoding_says_its_phases() -> None:
    loaded = load("llama", "cpu", "float32")
    questions = [problem.question for problem in mini.problems("test")[:4]]
    with timed_phases() as seconds:
        generate(loaded, questions, 8)
    assert {"tokenize", "prefill", "move rows", "decode", "check for ends", "detokenize"} == set(seconds)
