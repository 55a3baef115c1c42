"""The attention of models on clean and on noisy problems side by side, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.evaluation import ask_with
from benchmarks.plan import GridError, Looking, choose_models
from models.prompt import template_of
from noise.problems.noisy_files import read_noisy
from noise.problems.problem import NoisyProblem
from noise.problems.problem_sources import load_problems
from reports.store.records import ATTENTION, Cell

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
    `.attrs["caveat"]` says what must be said beside the figures, or is None.

    Raises `FileNotFoundError`, `ConnectionError` or `ValueError` for data that is not there or does not belong
    together, `UnknownModelError` and `LoadError` for models.
    """
    import pandas

    from benchmarks.stages.attention import read_attention
    from models.decode.generation import batches
    from models.loading.load_model import load
    from reports.stats.attention_stats import measured_cell, rows_of

    if num_samples < 1:
        raise GridError(f"num_samples={num_samples}: expected a number from 1 up")
    if noisy_dataset == "clean":
        raise GridError(
            "noisy_dataset='clean': expected a noise or a file of noisy problems, as clean is the other side"
        )
    specs, template = choose_models(models), template_of(prompt, chat)
    looking = Looking(queries=queries)
    noise, asked = _both(clean_dataset, noisy_dataset, num_samples, seed)
    rows = []
    for spec in specs:
        loaded = load(spec, device, dtype, template)
        for name, some in (("clean", ask_with("clean", [noisy.problem for noisy in asked], seed)), (noise, asked)):
            readings = []
            for indices in batches(loaded, [problem.question for problem in some], batch_size):
                readings += read_attention(loaded, [some[index] for index in indices], looking)
            cell = Cell(spec.name, name, ATTENTION)
            rows += rows_of([measured_cell(cell, loaded.fingerprint, str(looking), readings)])
    table = pandas.DataFrame(rows).astype({"layer": "Int64", "head": "Int64"})
    table.attrs["caveat"] = "; ".join(sorted({spec.caveat for spec in specs} - {""})) or None
    return table


def _both(
    clean_dataset: str | Path, noisy_dataset: str | Path, num_samples: int, seed: int
) -> tuple[str, list[NoisyProblem]]:
    """The name of the noise, and the first noisy problems whose clean ones are in `clean_dataset`, in its order."""
    problems = load_problems(clean_dataset)
    if not str(noisy_dataset).endswith(".jsonl"):
        return str(noisy_dataset), ask_with(str(noisy_dataset), problems[:num_samples], seed)
    by_question = {noisy.problem.question: noisy for noisy in read_noisy(noisy_dataset)}
    found = [
        replace(by_question[problem.question], problem=problem)
        for problem in problems
        if problem.question in by_question
    ][:num_samples]
    if not found:
        raise ValueError(
            f"{noisy_dataset}: expected problems of {str(clean_dataset)!r} with noise, found none whose original"
            " question is there"
        )
    kinds = {noisy.noise for noisy in found}
    if len(kinds) > 1:
        raise ValueError(f"{noisy_dataset}: expected one noise, found {', '.join(sorted(kinds))}")
    return kinds.pop(), found
