"""How fast the harness is: `pytest benchmarks --benchmark-only`; pytest-benchmark's own options save and compare.

Ratios travel between machines and seconds do not, so what can turn a case red is a ratio, measured in turn in one run.
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

from benchmarks.speed.paired_timing import harness, loop, paired
from noise import inject, mini

if TYPE_CHECKING:
    from models.loading.load_model import LoadedModel

pytestmark = pytest.mark.speed
PROBLEMS, LIMIT, BATCH = 128, 256, 64
#: Half of the smallest ratio that was measured on two cores: below it a change has made the harness slow.
HALVED = 2.8

#: A project's own start must stay small beside pytest's.
MOST_OF_COLLECTING = 1.5


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def shipped(request: pytest.FixtureRequest) -> LoadedModel:
    from models.loading.load_model import load

    return load(request.param, "cpu", "float32")


def seconds_of(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def said(name: str, values: list[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{name}: {low:.2f} / {middle:.2f} / {high:.2f} (minimum / median / maximum of {len(values)} paired runs)"


@pytest.mark.benchmark(group="evaluate, against one problem at a time")
def test_the_shipped_pair_is_evaluated(
    benchmark: Any, shipped: LoadedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = [inject(problem, "inf", 0).question for problem in mini.problems("test")[:PROBLEMS]]
    answers: dict[str, list[str]] = {}

    def ours() -> None:
        answers["ours"] = harness(shipped, questions, LIMIT, BATCH)

    def theirs() -> float:
        def run() -> None:
            answers["theirs"] = loop(shipped, questions, LIMIT)

        return seconds_of(run)

    ratios = paired(benchmark, ours, theirs)
    rate = PROBLEMS / statistics.median(benchmark.stats.stats.data)
    benchmark.extra_info["problems a second"] = rate
    with capsys.disabled():
        print(f"\n{said(f'{shipped.spec.name}, {rate:,.0f} problems/s, times as fast as one at a time', ratios)}")
    assert answers["ours"] == answers["theirs"]
    assert statistics.median(ratios) >= HALVED


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
    slower = [1 / ratio for ratio in paired(benchmark, grid, lambda: seconds_of(empty))]
    with capsys.disabled():
        print(f"\n{said('collecting the grid takes the time of an empty file', slower)}")
    assert statistics.median(slower) <= MOST_OF_COLLECTING


@pytest.mark.benchmark(group="noise")
@pytest.mark.parametrize("noise", ["inf", "rcs", "sd"])
def test_noise_is_put_in(benchmark: Any, noise: str, capsys: pytest.CaptureFixture[str]) -> None:
    problems = mini.problems("test")

    def put() -> None:
        for seed in range(2):
            for problem in problems:
                inject(problem, noise, seed)

    benchmark.pedantic(put, rounds=5, iterations=1, warmup_rounds=1)
    rates = [2 * len(problems) / seconds for seconds in benchmark.stats.stats.data]
    benchmark.extra_info["questions a second"] = statistics.median(rates)
    with capsys.disabled():
        print(f"\n{noise}: {min(rates):,.0f} / {statistics.median(rates):,.0f} / {max(rates):,.0f} questions/s")
