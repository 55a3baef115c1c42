"""Stage `likelihood`: the likelihood that each model gives the worked answer of a problem, with and without noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.evaluation import retry_one_by_one, settings_of
from benchmarks.stages.stage import Stage
from noise.problems.problem import NoisyProblem
from reports.experiment import Experiment
from reports.stages import REPORTED_STAGES
from reports.store.records import Cell, Likelihood

if TYPE_CHECKING:  # torch stays out of collection
    from benchmarks.runner import Runner
    from models.loading.load_model import LoadedModel

#: Part of every record's key. Raise it when a change here or in `models.answer_likelihood` can change one.
LIKELIHOOD_VERSION = "1"
#: The largest batch of texts: a large vocabulary has large logits.
_LARGEST_BATCH = 16


def measure_likelihood(
    experiment: Experiment,
    loaded: LoadedModel,
    cell: Cell,
    noisy_problems: Sequence[NoisyProblem],
    source: str,
    batch_size: int = 64,
) -> dict[str, Likelihood]:
    """Return the likelihoods of `cell` by problem id: those on disk, and the missing ones, measured now.

    Each batch is on disk before the next begins. After a failure the problems of a batch are read one at a time; a
    problem that fails alone gets the outcome `error`. Raises what `Results.read_for_resume` raises.
    """
    from models.answer_likelihood import answer_likelihoods
    from models.decode.generation import batches

    def read(batch: Sequence[NoisyProblem]) -> list[Likelihood]:
        problems = [replace(noisy.problem, question=noisy.question) for noisy in batch]
        pairs = zip(batch, answer_likelihoods(loaded, problems), strict=True)
        return [_likelihood(noisy, nats, tokens) for noisy, (nats, tokens) in pairs]

    settings = settings_of(loaded, source, max_new_tokens=0)
    settings = replace(settings, stop="", generation=f"likelihood {LIKELIHOOD_VERSION}")
    texts = {noisy.problem.id: _likelihood(noisy).asked for noisy in noisy_problems}
    with experiment.cell(cell, settings, texts) as recorder:
        missing = [noisy for noisy in noisy_problems if noisy.problem.id not in recorder.records]
        for indices in batches(loaded, [noisy.question for noisy in missing], min(batch_size, _LARGEST_BATCH)):
            recorder.append(retry_one_by_one([missing[index] for index in indices], read, _failed))
    return recorder.records


def _likelihood(noisy: NoisyProblem, nats: float = 0.0, tokens: int = 0) -> Likelihood:
    problem = noisy.problem
    return Likelihood(problem.id, noisy.question, noisy.spans, problem.answer, "measured", tokens, nats)


def _failed(noisy: NoisyProblem, error: str) -> Likelihood:
    return replace(_likelihood(noisy), outcome="error", error=error)


def _run(runner: Runner, cell: Cell) -> dict[str, Likelihood]:
    model, questions = runner.model_of(cell), runner.questions(cell)
    return measure_likelihood(
        runner.experiment, model, cell, questions, runner.eval_set.source, runner.plan.fixed_batch_size
    )


LIKELIHOOD = Stage.from_reported(
    REPORTED_STAGES["likelihood"],
    own_test=True,
    runs_every_replicate=True,
    run=_run,
    models="both",
    skipped=lambda options: "likelihood" not in options["measures"],
)
