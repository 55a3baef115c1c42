"""Time two ways in turn in one process: their ratio says more than the seconds of either, on any machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def paired_ratios(
    benchmark: Any, ours: Callable[[], object], theirs: Callable[[], float], rounds: int = 5
) -> list[float]:
    """Return how many times as fast `ours` is as another way, in each of `rounds` rounds.

    `theirs` runs the other way and returns its seconds. The two alternate, after a warm-up of both. The ratios are
    recorded in pytest-benchmark's `extra_info` too.
    """
    seconds: list[float] = []
    ours()
    theirs()
    benchmark.pedantic(ours, setup=lambda: seconds.append(theirs()), rounds=rounds, iterations=1)
    our_seconds = benchmark.stats.stats.data
    ratios = [other / own for other, own in zip(seconds, our_seconds, strict=True)]
    benchmark.extra_info["seconds of the other way"] = seconds
    benchmark.extra_info["ratios"] = ratios
    return ratios
