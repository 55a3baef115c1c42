"""The grid from Python, for notebooks and scripts: the same runner, the same files, no pytest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.choices import choose_models, known_datasets, listed
from benchmarks.dataset_file_choices import choose_dataset_files
from benchmarks.plan import SIZES, Plan
from benchmarks.plan_errors import PlanError
from benchmarks.runner import Runner
from benchmarks.stages import find_stage
from models.decode.batch_size_option import BatchSize
from models.prompt import template_of
from noise.problems.splits import problems_to_train_on
from reports.experiment import Experiment
from reports.store.results_folder import Results
from reports.store.url_errors import is_url

if TYPE_CHECKING:
    import pandas

#: The first columns of the table; the others are those of `accuracy.csv`.
_FIRST_COLUMNS = ["model", "dataset", "accuracy", "correct", "total"]


def run_comprehensive_evaluation(
    models: str | Sequence[str] = ("diffllama", "llama"),
    datasets: str | Sequence[str] | None = None,
    max_samples_per_dataset: int = SIZES["default"],
    problems: str = "mini",
    results: str | Path = "results",
    seed: int = 0,
    noise_seeds: int = 1,
    batch_size: BatchSize = 64,
    max_new_tokens: int = 256,
    device: str = "auto",
    dtype: str = "auto",
    prompt: str = "plain",
    chat: bool = False,
    stages: str | Sequence[str] = ("zero_shot",),
) -> tuple[pandas.DataFrame, dict[str, list[Any]]]:
    """Run every model on every dataset through `stages`, and return the table of accuracies and every record.

    The arguments are the options of `pytest benchmarks` by the same names; `max_samples_per_dataset` −1 is all, and
    `datasets` None is `clean` and every noise. It resumes from `results` and writes there what a run of pytest writes.
    The table has one row per cell with an accuracy, accuracies as fractions with their 95 % Wilson
    interval, and `table.attrs["caveat"]` says what must be said next to it, or is None; the records are by cell, as in
    `diffllama-inf-zero_shot`.

    Raises `UnknownModelError`, `UnknownStageError`, `PlanError`, `FileNotFoundError`, `ConnectionError` or `ValueError`
    for what does not exist, before any model is loaded; `LoadError` for a model that cannot be loaded, and
    `ResultsMismatch` where `results` holds another experiment.
    """
    names = [stages] if isinstance(stages, str) else listed("stages", stages)
    try:
        chosen, files = choose_dataset_files(known_datasets() if datasets is None else datasets)
        plan = Plan(
            models=choose_models(models),
            datasets=chosen,
            files=files,
            stages=tuple(find_stage(name).name for name in names),
            problems=problems,
            max_samples=max_samples_per_dataset,
            attention_samples=max_samples_per_dataset,
            measures=("accuracy", "likelihood") if "likelihood" in names else ("accuracy",),
            seed=seed,
            noise_seeds=noise_seeds,
            batch_size=batch_size,
            max_new_tokens=max_new_tokens,
            device=device,
            dtype=dtype,
            template=template_of(prompt, chat, lambda: problems_to_train_on(problems)),
        )
    except PlanError as error:
        raise error.renamed(max_samples="max_samples_per_dataset") from None
    if is_url(results):
        raise PlanError("{results:name}: expected a folder on this machine; `pytest benchmarks` takes a URL too")
    return _run(plan, Path(results))


def _run(plan: Plan, folder: Path) -> tuple[pandas.DataFrame, dict[str, list[Any]]]:
    import pandas

    experiment = Experiment(Results(folder), seed=plan.seed, options=plan.options(), caveat=plan.caveat)
    runner = Runner(plan, experiment)
    _ = runner.eval_set, runner.read_noisy_files()  # report unusable problems before loading a model
    records: dict[str, list[Any]] = {}
    status = "failed"
    try:
        for spec in plan.models:
            for stage in plan.stages:
                for cell in plan.cells(stage, spec):
                    records[cell.id] = list(runner.run(cell).values())
        status = "finished"
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        try:
            if experiment.runs:
                experiment.results.lock.acquire()
                experiment.write(status)
        finally:
            experiment.results.lock.release()
    rows = pandas.DataFrame([asdict(row) for row in experiment.accuracies()])
    table = rows.rename(columns={"noise": "dataset", "n": "total"})
    table = table[[*_FIRST_COLUMNS, *table.columns.difference(_FIRST_COLUMNS, sort=False)]]
    table.attrs["caveat"] = plan.caveat([run.cell for run in experiment.runs])
    return table, records
