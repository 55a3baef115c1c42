"""The zero-shot grid from Python, for notebooks and scripts: the same code, the same files, no pytest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.plan import DATASETS, SIZES, Plan, choose_datasets, choose_models
from models.decode.batch_size_option import BatchSize
from models.prompt import template_of
from reports.store.records import Prediction

if TYPE_CHECKING:
    import pandas

#: The first columns of the table; the others are those of `accuracy.csv`.
_FIRST = ["model", "dataset", "accuracy", "correct", "total"]


def run_comprehensive_evaluation(
    models: str | Sequence[str] = ("diffllama", "llama"),
    datasets: str | Sequence[str] = DATASETS,
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
) -> tuple[pandas.DataFrame, dict[str, list[Prediction]]]:
    """Evaluate every model on every dataset, and give the table and every prediction.

    The arguments are the options of `pytest benchmarks` by the same names; `max_samples_per_dataset` −1 is all. It
    resumes from `results` and writes there what a run of pytest writes. The table has a row a cell, accuracies as
    fractions with their 95 % Wilson interval, and `table.attrs["caveat"]` says what must be said beside it, or is
    None; the predictions are by cell, as in `diffllama-inf-zero_shot`.
    Raises `UnknownModelError`, `GridError`, `FileNotFoundError`, `ConnectionError` or `ValueError` for what does not
    exist, before any model is loaded; `LoadError` for a model that cannot be loaded, `ResultsMismatch` where `results`
    holds another experiment.
    """
    plan = Plan(
        models=choose_models(models),
        datasets=choose_datasets(datasets),
        stages=("zero_shot",),
        problems=problems,
        max_samples=max_samples_per_dataset,
        seed=seed,
        noise_seeds=noise_seeds,
        batch_size=batch_size,
        max_new_tokens=max_new_tokens,
        device=device,
        dtype=dtype,
        template=template_of(prompt, chat),
    )
    return _run(plan, Path(results))


def _run(plan: Plan, folder: Path) -> tuple[pandas.DataFrame, dict[str, list[Prediction]]]:
    import pandas

    from benchmarks.eval_set import measured_problems
    from benchmarks.evaluation import ask_with, evaluate
    from models.loading.load_model import load
    from reports.experiment import Experiment
    from reports.store.results_folder import Results

    measured = measured_problems(plan, tunes=False)
    clean = plan.sample(measured.problems)
    experiment = Experiment(Results(folder), seed=plan.seed, options=plan.options(), caveat=plan.caveat)
    details: dict[str, list[Prediction]] = {}
    status = "interrupted"
    try:
        for spec in plan.models:
            loaded = load(spec, plan.device, plan.dtype, plan.template)
            for _, cell in plan.cells("zero_shot", spec):
                asked = ask_with(cell.noise, clean, plan.seed, plan.draws(cell.stage))
                found = evaluate(experiment, loaded, cell, asked, measured.source, plan.batch_size, plan.max_new_tokens)
                details[cell.id] = list(found.values())
        status = "finished"
    finally:
        if experiment.runs:
            experiment.write(status)
    rows = pandas.DataFrame([asdict(row) for row in experiment.accuracies()])
    table = rows.rename(columns={"noise": "dataset", "n": "total"})
    table = table[[*_FIRST, *table.columns.difference(_FIRST, sort=False)]]
    table.attrs["caveat"] = plan.caveat([run.cell for run in experiment.runs])
    return table, details
