"""What Ray costs: one actor next to this process, on a checkpoint of the study's shape (`python -m benchmarks ray`).

Both ask the same problems with as many threads, in turn. What Ray and the actor take to start is told apart. On a busy
machine the processor time says more: there it is that of the actor, of Ray and of this process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

from benchmarks.engines.engine import Engine
from benchmarks.engines.engine_options import EngineOptions
from benchmarks.engines.local_engine import LOCAL
from benchmarks.engines.ray_engine import ray_engine_of
from benchmarks.evaluation import ANSWERS
from benchmarks.plan import Plan
from benchmarks.speed.study_shape import LENGTHS, questions, study_shape
from models.model_registry import ModelSpec
from models.prompt import Template
from noise.problems.problem import NoisyProblem, Problem
from reports.store.records import Cell

_TEMPLATE = Template("{question}")


def save_study_shape(family: str, folder: Path) -> ModelSpec:
    """Save a checkpoint of the study's shape with random weights, which answers with as many tokens as it may."""
    made = study_shape(family, "float32")
    made.model.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
    return ModelSpec(family, str(folder))


@dataclass(frozen=True)
class Seconds:
    """How long answers took, and the processor time of this process and, where it has asked others, of those."""

    wall: float
    processor: float


def processor_seconds(with_children: bool) -> float:
    """Return the processor time until now of this process, and of all that it has started."""
    here, total = psutil.Process(), 0.0
    for counted in (here, *(here.children(recursive=True) if with_children else ())):
        with suppress(psutil.NoSuchProcess):
            times = counted.cpu_times()
            total += times.user + times.system
    return total


def seconds_of(engine: Engine, model: Any, items: Mapping[str, NoisyProblem], arguments: Sequence[Any]) -> Seconds:
    """Return what the answers took. Raises `RuntimeError` if not every problem has one."""
    used, start = processor_seconds(not engine.in_process), time.perf_counter()
    records = [record for ready in engine.records(model, ANSWERS, items, *arguments) for record in ready]
    seconds = Seconds(time.perf_counter() - start, processor_seconds(not engine.in_process) - used)
    failed = [record for record in records if record.outcome == "error"]
    if failed or len(records) != len(items):
        raise RuntimeError(f"{len(records)} of {len(items)} problems answered, {len(failed)} with an error")
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the seconds of each round, and the least, median and largest ratio. Exits with 2 for a mistake on the
    command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks ray", description="What one actor of Ray costs.")
    parser.add_argument("--family", choices=["diffllama", "llama"], default="llama", help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (default: %(default)s)")
    parser.add_argument("--problems", type=int, default=16, help="problems in a round (default: %(default)s)")
    parser.add_argument("--max-new-tokens", type=int, default=16, help="tokens of an answer (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads in both (default: %(default)s)")
    options = parser.parse_args(arguments)
    least = min(options.rounds, options.problems, options.max_new_tokens, options.threads)
    if least < 1 or options.problems > len(LENGTHS):
        parser.error(f"expected numbers from 1 up, and at most {len(LENGTHS)} problems")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # for the actor, and for torch where it is not imported yet
    texts = questions(LENGTHS[: options.problems])
    asked = [NoisyProblem(Problem(f"q{n}", text, "#### 1"), "clean", text, (), 0) for n, text in enumerate(texts)]
    items = {noisy.problem.id: noisy for noisy in asked}
    with tempfile.TemporaryDirectory() as folder:
        spec = save_study_shape(options.family, Path(folder))
        _time(spec, items, (options.max_new_tokens, options.problems), options.rounds)
    return 0


def _time(spec: ModelSpec, items: Mapping[str, NoisyProblem], arguments: Sequence[Any], rounds: int) -> None:
    import torch

    from models.loading.load_model import load

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    start = time.perf_counter()
    here = load(spec, "cpu", "float32", _TEMPLATE)
    loading = time.perf_counter() - start
    engine = ray_engine_of(EngineOptions("ray", actors=1), "cpu", least=1)
    try:
        start = time.perf_counter()
        plan = Plan((spec,), ("clean",), ("zero_shot",), device="cpu", dtype="float32", template=_TEMPLATE)
        runner: Any = SimpleNamespace(plan=plan, cached=lambda spec, key, factory: factory())
        there = engine.model(runner, Cell(spec.name, "clean", "zero_shot"))
        starting = time.perf_counter() - start
        print(f"loaded here in {loading:.1f} s; Ray started, and the model loaded there, in {starting:.1f} s")
        seconds_of(LOCAL, here, items, arguments), seconds_of(engine, there, items, arguments)  # warm-up
        pairs = list[tuple[Seconds, Seconds]]()
        for number in range(1, rounds + 1):
            pairs.append((seconds_of(LOCAL, here, items, arguments), seconds_of(engine, there, items, arguments)))
            print(f"round {number}: {pairs[-1][0].wall:.1f} s here, {pairs[-1][1].wall:.1f} s there", file=sys.stderr)
    finally:
        engine.close()
    print(f"there / here, {len(items)} problems a round (least, median, largest):")
    for name in ("wall", "processor"):
        ratios = [getattr(second, name) / getattr(first, name) for first, second in pairs]
        print(f"{name}: {min(ratios):.3f}, {statistics.median(ratios):.3f}, {max(ratios):.3f}")
    whole = (starting + sum(pair[1].wall for pair in pairs)) / (loading + sum(pair[0].wall for pair in pairs))
    print(f"with start and loading, over all rounds: {whole:.3f}")
