"""`models.attention.allocation` takes about the time and memory of a plain forward pass; matrices take more."""

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


def asked(*arguments: object) -> Any:
    """What `tests.models.allocation_cost` prints. Freed memory goes back at once, so that a peak is one of use."""
    command = [sys.executable, "-m", "tests.models.allocation_cost", *map(str, arguments)]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads a process's peak of memory from /proc")
@pytest.mark.parametrize("family", ["diffllama", "llama"])
def test_an_allocation_costs_about_a_forward_pass(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Four layers of the 375M shape, random weights, float32, all 4,096 queries, without the output projection."""
    held = {way: asked(family, LENGTH, 1, way) for way in WAYS}
    taken = asked(family, LENGTH, RUNS)
    ratios = {way: [own / plain for own, plain in zip(taken[way], taken["plain"], strict=True)] for way in WAYS}
    with capsys.disabled():
        print(f"\n{family}, T = {LENGTH:,}, {RUNS} runs; ratios are to the plain forward pass beside each")
        for way in WAYS:
            spread = f"{min(ratios[way]):.2f} / {statistics.median(ratios[way]):.2f} / {max(ratios[way]):.2f}"
            print(
                f"  {way:<18} {held[way] / 2**20:7,.0f} MiB = {held[way] / held['plain']:5.2f} x"
                f"   {statistics.median(taken[way]):6.2f} s   min / median / max {spread}"
            )
    assert held["allocation"] <= 1.1 * held["plain"]
    assert held["output_attentions"] > 10 * held["plain"]
    assert statistics.median(ratios["allocation"]) <= 1.2
