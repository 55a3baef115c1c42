"""The problems that models are fine-tuned on, and the tuned checkpoint in the results folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.eval_set import SFT_REMEDY, EvalSet
from benchmarks.evaluation import draw_questions
from benchmarks.plan import Plan
from models.model_registry import ModelSpec
from models.prompt import PLAIN
from noise.problems.bad_lines import BadLine
from noise.problems.problem import Problem
from noise.problems.problem_sources import is_file_source, load_problems, split_source
from noise.problems.remote_files import source_name
from noise.problems.splits import not_shown, problems_to_train_on, shared_problems, training_source
from reports.progress_bars import Progress, ProgressBar
from reports.store.tuning_logs import tuned_checkpoint_folder


@dataclass(frozen=True)
class SftSet:
    """What every model of a run is tuned on: problems in the text that is trained on, and where they are from.

    `bad_lines` were left out of a file of its own.
    """

    problems: tuple[Problem, ...]
    source: str
    noises: tuple[str, ...]
    bad_lines: tuple[BadLine, ...] = ()


def sft_set(plan: Plan, evaluated: EvalSet) -> SftSet:
    """Return the problems to tune on, none of which the cells ask, which take theirs from `evaluated`.

    With several noises each problem gets one of them, by a hash of its id. Raises `ValueError` where there are no
    problems or fewer than were asked for, or where some are asked by the evaluation too, and what loading raises.
    """
    option = "--sft-problems" if plan.sft_problems is not None else "--problems"
    try:
        training_source_name = plan.sft_problems or training_source(plan.problems)
    except ValueError as error:
        raise ValueError(f"--problems: {error}; {SFT_REMEDY}") from None
    name = _name(training_source_name) if training_source_name is not None else f"half of {_name(plan.problems)}"
    skipped: list[BadLine] | None = [] if plan.skip_bad_lines else None
    if plan.sft_problems is None:
        candidates = problems_to_train_on(plan.problems, evaluated.all_problems, skipped)
    else:
        candidates = load_problems(plan.sft_problems, bad_lines=skipped)
    # The prompt shows the answers of its examples.
    if plan.template != PLAIN:
        candidates = not_shown(candidates, plan.template.shown)
    if not candidates or not evaluated.problems:
        side = "to tune on" if not candidates else "to measure with"
        raise ValueError(f"{option}: {name} leaves no problem {side}; {SFT_REMEDY}")
    shared = shared_problems(candidates, evaluated.problems)
    if shared:
        raise ValueError(
            f"{option}: {len(shared):,} of the {len(candidates):,} problems of {name} are asked by the evaluation too,"
            f" as {shared[0].id!r}; a model is not measured on what it is tuned on: {SFT_REMEDY}"
        )
    if plan.sft_exactly and plan.sft_samples > len(candidates):
        raise ValueError(f"--sft-samples {plan.sft_samples}: {name} has {len(candidates):,} problems to tune on")
    selected = candidates if plan.sft_samples < 0 else candidates[: plan.sft_samples]
    texts = [_with_noise(problem, plan.sft_noise, plan.seed) for problem in selected]
    return SftSet(tuple(texts), name, plan.sft_noise, tuple(skipped or ()))


def tuned_checkpoint(results: Path, spec: ModelSpec, plan: Plan, training_set: SftSet, progress: Progress) -> Path:
    """Return the folder of the checkpoint of `spec` tuned on `training_set`, tuning it now unless it exists.

    Raises what `models.sft.fine_tuning.tune` raises.
    """
    from models.sft.fine_tuning import tune

    facts = {"source": training_set.source, "noise": ",".join(training_set.noises)}
    with ExitStack() as screen:
        training_bar = _TrainingBar(progress, screen, f"{spec.name} tuning")
        return tune(
            spec,
            training_set.problems,
            tuned_checkpoint_folder(results, spec.name),
            plan.tuning,
            plan.device,
            plan.dtype,
            facts,
            training_bar.update,
            plan.template,
        )


class _TrainingBar:
    """A progress bar that opens with the first step done, which may be in the middle of a resumed training."""

    def __init__(self, progress: Progress, screen: ExitStack, title: str) -> None:
        self._progress, self._screen, self._title = progress, screen, title
        self._bar: ProgressBar | None = None
        self._done = 0

    def update(self, done: int, total: int, loss: float) -> None:
        if self._bar is None:
            self._bar = self._screen.enter_context(self._progress(self._title, total, 0))
        self._bar.update(done - self._done, f"loss {loss:.3f}")
        self._done = done


def _with_noise(problem: Problem, noises: Sequence[str], seed: int) -> Problem:
    """Return `problem` in the text that is trained on."""
    digest = hashlib.sha256(f"{seed}/{problem.id}".encode("utf-8", "surrogatepass")).digest()
    name = noises[int.from_bytes(digest[:8], "big") % len(noises)]
    question = draw_questions(name, [problem], seed)[0].question
    if question == problem.question:
        return problem
    return replace(problem, question=question, original_question=problem.original_question or problem.question)


def _name(source: Any) -> str:
    """Return a name of problems that does not depend on where a file lies."""
    return source_name(source) if is_file_source(source) else ":".join(split_source(str(source)))
