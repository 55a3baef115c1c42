"""Where the time of a cell goes: `python -m benchmarks profile`."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.evaluation import draw_questions, evaluate
from models.decode.phase_timer import timed_phases
from noise import mini
from reports.experiment import Experiment
from reports.store.records import Cell
from reports.store.results_folder import Results


def phase_seconds(model: str, count: int) -> dict[str, float]:
    """Return the seconds spent in each phase of a cell of `count` problems with `inf`, from the noise to the reports.

    Phases inside the cell are those that the code marks with `phase(name)`; its remaining time is `rest of the cell`.
    """
    from models.loading.load_model import load

    seconds: dict[str, float] = defaultdict(float)
    with _timed(seconds, "load the model"):
        loaded = load(model, "cpu", "float32")
    with tempfile.TemporaryDirectory() as folder:
        with _timed(seconds, "add noise"):
            noisy_problems = draw_questions("inf", mini.problems("test")[:count], 0)
        experiment = Experiment(Results(Path(folder)))
        with timed_phases() as cell_seconds, _timed(seconds, "rest of the cell"):
            evaluate(experiment, loaded, Cell(model, "inf", "zero_shot"), noisy_problems, "mini:test")
        seconds["rest of the cell"] -= sum(cell_seconds.values())
        with _timed(seconds, "write the reports"):
            experiment.write()
    return {**seconds, **cell_seconds}


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] += time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status 0. Exits with 2 for a mistake on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks profile", description="Where the time of a cell goes.")
    parser.add_argument("--models", default="diffllama,llama", help="default: %(default)s")
    parser.add_argument("--problems", type=int, default=1000, help="problems of the cell (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.problems < 1:
        parser.error(f"--problems {options.problems}: expected a number from 1 up")
    for model in options.models.split(","):
        seconds = phase_seconds(model, options.problems)
        total = sum(seconds.values())
        print(f"{model}, {options.problems} problems with inf, {total:.2f} s")
        for name, spent in sorted(seconds.items(), key=lambda item: -item[1]):
            print(f"  {name:<22} {spent:7.3f} s {100 * spent / total:5.1f} %")
    return 0
