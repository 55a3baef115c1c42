"""How fast the harness is: `pytest benchmarks --benchmark-only`; pytest-benchmark's own options save and compare.

Ratios hold across machines and seconds do not. So a case fails by a ratio of two ways timed in turn in one run.
docs/speed.md has the figures.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.speed.paired_timing import paired_ratios
from benchmarks.speed.peer_harnesses import answer_here, answer_one_at_a_time
from noise import inject, mini

if TYPE_CHECKING:
    from models.loading.load_model import LoadedModel

pytestmark = pytest.mark.speed
PROBLEMS, LIMIT, BATCH = 128, 256, 64
#: Half of the smallest ratio measured on two cores. Below it, a change has made the harness slow.
MIN_SPEEDUP = 2.8
#: Collecting the grid may take this many times as long as collecting an empty file.
MAX_COLLECTION_RATIO = 1.5


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def shipped(request: pytest.FixtureRequest) -> LoadedModel:
    from models.loading.load_model import load

    return load(request.param, "cpu", "float32")


def seconds_of(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def ratio_line(name: str, values: list[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{name}: {low:.2f} / {middle:.2f} / {high:.2f} (minimum / median / maximum of {len(values)} paired runs)"


@pytest.mark.benchmark(group="evaluate, against one problem at a time")
def test_the_shipped_pair_is_evaluated(
    benchmark: Any, shipped: LoadedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = [inject(problem, "inf", 0).question for problem in mini.problems("test")[:PROBLEMS]]
    answers: dict[str, list[str]] = {}

    def run_ours() -> None:
        answers["ours"] = answer_here(shipped, questions, LIMIT, BATCH)

    def time_reference() -> float:
        def run() -> None:
            answers["theirs"] = answer_one_at_a_time(shipped, questions, LIMIT)

        return seconds_of(run)

    ratios = paired_ratios(benchmark, run_ours, time_reference)
    rate = PROBLEMS / statistics.median(benchmark.stats.stats.data)
    benchmark.extra_info["problems a second"] = rate
    with capsys.disabled():
        print(f"\n{ratio_line(f'{shipped.spec.name}, {rate:,.0f} problems/s, times as fast as one at a time', ratios)}")
    assert answers["ours"] == answers["theirs"]
    assert statistics.median(ratios) >= MIN_SPEEDUP


@pytest.mark.benchmark(group="collection, against an empty file")
def test_the_grid_is_collected(benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_nothing.py").write_text("")
    project = Path(__file__).parents[2]
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]

    def collected(folder: Path, status: int, *arguments: str) -> Callable[[], None]:
        def run() -> None:
            done = subprocess.run([*collect, *arguments], cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == status, done.stdout + done.stderr

        return run

    grid = collected(project, pytest.ExitCode.OK, "benchmarks")
    empty = collected(
        tmp_path, pytest.ExitCode.NO_TESTS_COLLECTED, "-c", os.devnull, "--rootdir", str(tmp_path), "test_nothing.py"
    )
    ratios = [1 / ratio for ratio in paired_ratios(benchmark, grid, lambda: seconds_of(empty))]
    with capsys.disabled():
        print(f"\n{ratio_line('collecting the grid takes the time of an empty file', ratios)}")
    assert statistics.median(ratios) <= MAX_COLLECTION_RATIO


@pytest.mark.benchmark(group="noise")
@pytest.mark.parametrize("noise", ["inf", "rcs", "sd"])
def test_noise_is_put_in(benchmark: Any, noise: str, capsys: pytest.CaptureFixture[str]) -> None:
    problems = mini.problems("test")

    def add_noise() -> None:
        for seed in range(2):
            for problem in problems:
                inject(problem, noise, seed)

    benchmark.pedantic(add_noise, rounds=5, iterations=1, warmup_rounds=1)
    rates = [2 * len(problems) / seconds for seconds in benchmark.stats.stats.data]
    benchmark.extra_info["questions a second"] = statistics.median(rates)
    with capsys.disabled():
        print(f"\n{noise}: {min(rates):,.0f} / {statistics.median(rates):,.0f} / {max(rates):,.0f} questions/s")
