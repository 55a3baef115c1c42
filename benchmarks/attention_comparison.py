"""The attention of models on clean and on noisy problems side by side, from Python."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.attention_scope import AttentionScope
from benchmarks.choices import choose_models
from benchmarks.evaluation import draw_questions
from benchmarks.plan import Plan
from benchmarks.plan_errors import FROM_ONE, PlanError, check_range
from benchmarks.runner import Runner
from models.prompt import template_of
from noise.problems.noisy_files import read_noisy
from noise.problems.problem import NoisyProblem
from noise.problems.problem_sources import load_problems
from noise.problems.splits import problems_to_train_on
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.results_folder import Results

if TYPE_CHECKING:
    import pandas


def compare_attention_patterns(
    clean_dataset: str | Path = "mini",
    noisy_dataset: str | Path = "inf",
    num_samples: int = 10,
    models: str | Sequence[str] = ("diffllama", "llama"),
    queries: str = "answer",
    seed: int = 0,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    prompt: str = "plain",
    chat: bool = False,
) -> pandas.DataFrame:
    """Where each model looks in the first `num_samples` problems, clean and noisy: the rows of `attention.csv`.

    `clean_dataset` is a source of problems (a `.jsonl` file in GSM8K's form, `gsm8k`, `mini`). `noisy_dataset` is a
    file of the same problems with noise, ours or another's, or the name of a noise, which is then drawn with `seed`.
    Only problems that both have are compared. Nothing is written. The columns are defined in docs/attention.md, and
    `.attrs["caveat"]` says what must be said next to the figures, or is None.

    Raises `FileNotFoundError`, `ConnectionError` or `ValueError` for data that is not there or does not belong
    together, `UnknownModelError` and `LoadError` for models.
    """
    import pandas

    from reports.stats.attention_stats import measured_cell, rows_of_cells

    check_range("num_samples", num_samples, FROM_ONE)
    if noisy_dataset == "clean":
        raise PlanError(
            "{noisy_dataset}: expected a noise or a file of noisy problems, as clean is the other side",
            noisy_dataset="clean",
        )
    noise, noisy = _clean_and_noisy(clean_dataset, noisy_dataset, num_samples, seed)
    questions = {"clean": draw_questions("clean", [problem.problem for problem in noisy], seed), noise: noisy}
    plan = Plan(
        models=choose_models(models),
        datasets=tuple(questions),
        stages=("attention",),
        replicated_stages=("attention",),
        problems=str(clean_dataset),
        attention_samples=num_samples,
        attention_maps=0,
        attention_scope=AttentionScope(queries=queries),
        seed=seed,
        batch_size=batch_size,
        device=device,
        dtype=dtype,
        template=template_of(prompt, chat, lambda: problems_to_train_on(str(clean_dataset))),
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        experiment = Experiment(Results(folder), progress=no_progress_bar)
        runner = Runner(plan, experiment, questions=questions)
        for cell in plan.cells("attention"):
            readings = list(runner.run(cell).values())
            failed = next((reading for reading in readings if reading.outcome == "error"), None)
            if failed is not None:
                raise ValueError(
                    f"{cell.id}, problem {failed.id}: {(failed.error or '').strip().rpartition(chr(10))[2]}"
                )
            weights = runner.model_of(cell).fingerprint
            rows += rows_of_cells([measured_cell(cell, weights, str(plan.attention_scope), readings)])
    table = pandas.DataFrame(rows).astype({"layer": "Int64", "head": "Int64"})
    table.attrs["caveat"] = plan.caveat([run.cell for run in experiment.runs])
    return table


def _clean_and_noisy(
    clean_dataset: str | Path, noisy_dataset: str | Path, num_samples: int, seed: int
) -> tuple[str, list[NoisyProblem]]:
    """Return the name of the noise, and the first noisy problems of those in `clean_dataset`, in its order."""
    problems = load_problems(clean_dataset)
    if not str(noisy_dataset).endswith(".jsonl"):
        return str(noisy_dataset), draw_questions(str(noisy_dataset), problems[:num_samples], seed)
    by_question = {noisy.problem.question: noisy for noisy in read_noisy(noisy_dataset)}
    matching = [
        replace(by_question[problem.question], problem=problem)
        for problem in problems
        if problem.question in by_question
    ][:num_samples]
    if not matching:
        raise ValueError(
            f"{noisy_dataset}: expected problems of {str(clean_dataset)!r} with noise, found none whose original"
            " question is there"
        )
    kinds = {noisy.noise for noisy in matching}
    if len(kinds) > 1:
        raise ValueError(f"{noisy_dataset}: expected one noise, found {', '.join(sorted(kinds))}")
    return kinds.pop(), matching
