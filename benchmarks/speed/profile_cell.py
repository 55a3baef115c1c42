"""Where the time of a cell goes: `python -m benchmarks.speed.profile_cell`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.evaluation import ask_with, evaluate
from noise import mini
from reports.experiment import Experiment
from reports.store.records import Cell
from reports.store.results_folder import Results


@contextmanager
def _watching(spent: dict[str, float], *watched: tuple[str, Any, str]) -> Iterator[None]:
    """Inside, each function `name` of `owner` adds its seconds to `spent[what]`; those of another that it calls are
    the other's alone."""
    running: list[float] = []

    def timed(what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            running.append(0.0)
            try:
                return real(*given, **named)
            finally:
                whole = time.perf_counter() - begin
                spent[what] += whole - running.pop()
                if running:
                    running[-1] += whole

        return call

    reals = [(owner, name, getattr(owner, name)) for _, owner, name in watched]
    for (what, owner, name), (_, _, real) in zip(watched, reals, strict=True):
        setattr(owner, name, timed(what, real))
    try:
        yield
    finally:
        for owner, name, real in reals:
            setattr(owner, name, real)


def spent_on(model: str, count: int) -> dict[str, float]:
    """Seconds by what they went on, in a cell of `count` problems with `inf`, from the noise to the reports."""
    import benchmarks.evaluation
    import models.decode.generation
    from models.decode.continuous_batching import Decoder
    from models.loading.load_model import LoadedModel, load

    spent: dict[str, float] = defaultdict(float)
    begin = time.perf_counter()
    loaded = load(model, "cpu", "float32")
    spent["load the model"] = time.perf_counter() - begin
    watched = (
        ("tokenise", LoadedModel, "encode"),
        ("read prompts", Decoder, "_read"),
        ("read prompts", Decoder, "_read_beginning"),
        ("move rows", Decoder, "_seat"),
        ("decode", Decoder, "_step"),
        ("look for ends", Decoder, "_advance"),
        ("texts of tokens", models.decode.generation, "_text"),
        ("grade", benchmarks.evaluation, "grade"),
        ("write predictions", Results, "append"),
    )
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        asked = ask_with("inf", mini.problems("test")[:count], 0)
        spent["put noise in"] = time.perf_counter() - begin
        experiment = Experiment(Results(Path(folder)))
        begin = time.perf_counter()
        before = sum(spent.values())
        with _watching(spent, *watched):
            evaluate(experiment, loaded, Cell(model, "inf", "zero_shot"), asked, "mini:test")
        spent["all else of the cell"] = time.perf_counter() - begin - (sum(spent.values()) - before)
        begin = time.perf_counter()
        experiment.write()
        spent["write the reports"] = time.perf_counter() - begin
    return dict(spent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0; 2 for a mistake on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.profile_cell", description=__doc__)
    parser.add_argument("--models", default="diffllama,llama", help="default: %(default)s")
    parser.add_argument("--problems", type=int, default=1000, help="problems of the cell (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.problems < 1:
        parser.error(f"--problems {options.problems}: expected a number from 1 up")
    for model in options.models.split(","):
        spent = spent_on(model, options.problems)
        print(f"{model}, {options.problems} problems with inf, {sum(spent.values()):.2f} s")
        for what, seconds in sorted(spent.items(), key=lambda pair: -pair[1]):
            print(f"  {what:<22} {seconds:7.3f} s {100 * seconds / sum(spent.values()):5.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
