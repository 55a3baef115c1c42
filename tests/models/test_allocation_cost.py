"""An allocation takes about the time and memory of a plain forward pass; explicit patterns take more."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
LENGTH, RUNS = 4_096, 3
WAYS = ("plain", "allocation", "with absolute", "output_attentions")


def measured(*arguments: object) -> Any:
    """Return what `tests.models.allocation_cost` prints.

    Freed memory goes back to the system at once, so that a peak counts memory in use.
    """
    command = [sys.executable, "-m", "tests.models.allocation_cost", *map(str, arguments)]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads a process's peak of memory from /proc")
@pytest.mark.parametrize("family", ["diffllama", "llama"])
def test_an_allocation_costs_about_a_forward_pass(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Measured on four layers of the 375M shape: random weights, float32, 4,096 queries, no output projection."""
    peaks = {way: measured(family, LENGTH, 1, way) for way in WAYS}
    seconds = measured(family, LENGTH, RUNS)
    ratios = {
        way: [duration / plain for duration, plain in zip(seconds[way], seconds["plain"], strict=True)] for way in WAYS
    }
    with capsys.disabled():
        print(f"\n{family}, T = {LENGTH:,}, {RUNS} runs; ratios are to the plain forward pass of the same run")
        for way in WAYS:
            spread = f"{min(ratios[way]):.2f} / {statistics.median(ratios[way]):.2f} / {max(ratios[way]):.2f}"
            print(
                f"  {way:<18} {peaks[way] / 2**20:7,.0f} MiB = {peaks[way] / peaks['plain']:5.2f} x"
                f"   {statistics.median(seconds[way]):6.2f} s   min / median / max {spread}"
            )
    assert peaks["allocation"] <= 1.1 * peaks["plain"]
    assert peaks["output_attentions"] > 10 * peaks["plain"]
    assert statistics.median(ratios["allocation"]) <= 1.2
