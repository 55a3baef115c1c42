"""Stage `likelihood`: the likelihood that each model gives the worked answer of a problem, with and without noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.engines.engine import Ask, AskedModel, Engine
from benchmarks.engines.local_engine import LOCAL
from benchmarks.evaluation import missing_from, question_length, record_as_they_come, retry_one_by_one, settings_of
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
    loaded: AskedModel,
    cell: Cell,
    noisy_problems: Sequence[NoisyProblem],
    source: str,
    batch_size: int = 64,
    engine: Engine = LOCAL,
) -> dict[str, Likelihood]:
    """Return the likelihoods of `cell` by problem id: those on disk, and the missing ones, written as they complete.

    After a failure the problems of a batch are read one at a time; a problem that fails alone gets the outcome `error`.
    Raises what `Results.read_for_resume` raises.
    """
    settings = settings_of(loaded, source, max_new_tokens=0)
    settings = replace(settings, stop="", generation=f"likelihood {LIKELIHOOD_VERSION}")
    texts = {noisy.problem.id: _likelihood(noisy).asked for noisy in noisy_problems}
    with experiment.cell(cell, settings, texts) as recorder:
        missing = missing_from(recorder, noisy_problems)
        record_as_they_come(recorder, engine.records(loaded, LIKELIHOODS, missing, batch_size))
    return recorder.records


def _read_likelihoods(
    loaded: LoadedModel, noisy_problems: Sequence[NoisyProblem], batch_size: int
) -> Iterator[list[Likelihood]]:
    from models.answer_likelihood import answer_likelihoods
    from models.decode.generation import batches

    def read(batch: Sequence[NoisyProblem]) -> list[Likelihood]:
        problems = [replace(noisy.problem, question=noisy.question) for noisy in batch]
        pairs = zip(batch, answer_likelihoods(loaded, problems), strict=True)
        return [_likelihood(noisy, nats, tokens) for noisy, (nats, tokens) in pairs]

    for indices in batches(loaded, [noisy.question for noisy in noisy_problems], min(batch_size, _LARGEST_BATCH)):
        yield retry_one_by_one([noisy_problems[index] for index in indices], read, _failed)


def _likelihood(noisy: NoisyProblem, nats: float = 0.0, tokens: int = 0) -> Likelihood:
    problem = noisy.problem
    return Likelihood(problem.id, noisy.question, noisy.spans, problem.answer, "measured", tokens, nats)


def _failed(noisy: NoisyProblem, error: str) -> Likelihood:
    return replace(_likelihood(noisy), outcome="error", error=error)


#: How the likelihoods of a cell are got.
LIKELIHOODS = Ask(_read_likelihoods, _failed, question_length)


def _run(runner: Runner, cell: Cell) -> dict[str, Likelihood]:
    model, questions = runner.asked_model(cell), runner.questions(cell)
    return measure_likelihood(
        runner.experiment, model, cell, questions, runner.eval_set.source, runner.plan.fixed_batch_size, runner.engine
    )


LIKELIHOOD = Stage.from_reported(
    REPORTED_STAGES["likelihood"],
    own_test=True,
    runs_every_replicate=True,
    run=_run,
    models="both",
    skipped=lambda options: "likelihood" not in options["measures"],
)
