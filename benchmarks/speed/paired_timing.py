"""Time two functions alternately in one process: their ratio holds across machines, their seconds do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def paired_ratios(
    benchmark: Any, run_ours: Callable[[], object], time_reference: Callable[[], float], rounds: int = 5
) -> list[float]:
    """Return how many times as fast `run_ours` is as the reference, in each of `rounds` rounds.

    `time_reference` runs the reference and returns its seconds. The two alternate, after a warm-up of both. The ratios
    are recorded in pytest-benchmark's `extra_info` too.
    """
    seconds: list[float] = []
    run_ours()
    time_reference()
    benchmark.pedantic(run_ours, setup=lambda: seconds.append(time_reference()), rounds=rounds, iterations=1)
    our_seconds = benchmark.stats.stats.data
    ratios = [other / own for other, own in zip(seconds, our_seconds, strict=True)]
    benchmark.extra_info["seconds of the other way"] = seconds
    benchmark.extra_info["ratios"] = ratios
    return ratios
