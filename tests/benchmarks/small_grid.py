"""A small grid for tests of engines, `python -m tests.benchmarks.small_grid FOLDER PROBLEMS STAGES [ACTORS]`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.choices import choose_models
from benchmarks.engines import engine_of
from benchmarks.engines.engine_options import EngineOptions
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from models.sft.sft_options import Tuning
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.results_folder import Results

DATASETS = ("clean", "inf")


def run_grid(folder: Path, problems: int, stages: Sequence[str], engine: EngineOptions | None = None) -> None:
    """Run one model through `stages`, in batches of two, and write the reports."""
    plan = Plan(
        models=choose_models("llama"),
        datasets=DATASETS,
        stages=tuple(stages),
        measures=("accuracy", "likelihood"),
        max_samples=problems,
        attention_samples=problems,
        interventions=("everywhere",),
        batch_size=2,
        max_new_tokens=48,
        device="cpu",
        tuning=Tuning(epochs=1),
        sft_samples=8,
        engine=engine or EngineOptions(),
    )
    experiment = Experiment(Results(folder), options=plan.options(), progress=no_progress_bar)
    asked = engine_of(plan)
    runner = Runner(plan, experiment, engine=asked)
    try:
        for stage in plan.stages:
            for cell in plan.cells(stage):
                runner.run(cell)
        experiment.write()
    finally:
        asked.close()
        experiment.results.lock.release()


def record_count(folder: Path) -> int:
    """Return how many records of answers are on disk."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("predictions/*/*/*.jsonl"))


def files_of(folder: Path) -> dict[str, Any]:
    """Return the tables of a folder, and its predictions, each of which must be there once, as sets of lines."""
    files: dict[str, Any] = {name: (folder / name).read_text() for name in ("accuracy.csv", "comparisons.csv")}
    for path in folder.glob("predictions/*/*/*.jsonl"):
        lines = Counter(path.read_text().splitlines())
        assert set(lines.values()) == {1}, f"{path}: a record is there twice"
        files[str(path.relative_to(folder))] = set(lines)
    return files


if __name__ == "__main__":
    folder, problems, stages, *of_ray = sys.argv[1:]
    options = EngineOptions("ray", actors=int(of_ray[0])) if of_ray else EngineOptions()
    run_grid(Path(folder), int(problems), stages.split(","), options)
