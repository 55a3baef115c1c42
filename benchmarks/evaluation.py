"""Ask a model the problems of a cell, and grade its answers."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarks.engines.engine import Ask, AskedModel, Engine
from benchmarks.engines.local_engine import LOCAL
from benchmarks.grading import failed_prediction, grade, graded_again
from models.decode.batch_size_option import BatchSize
from models.decode.phase_timer import phase
from noise.inject import inject
from noise.placebo_sentences import Length
from noise.placement import LAST, Placement
from noise.problems.problem import NoisyProblem, Problem
from noise.proposals import NoDistractorError
from reports.experiment import CellRecorder, Experiment
from reports.store.records import Cell, Prediction, Settings, draw_id

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

#: The error of a problem for which a model has no most likely token.
NOT_FINITE = "FloatingPointError: the model's scores are NaN or infinite after {} tokens of its answer"
#: Predictions that are written to disk together, so that the file is not opened for each.
WRITTEN_AT_ONCE = 32

Item = TypeVar("Item")
Record = TypeVar("Record")


def draw_questions(
    noise: str,
    problems: Sequence[Problem],
    seed: int,
    draws: int = 1,
    length: Length | None = None,
    placement: Placement = LAST,
) -> list[NoisyProblem]:
    """Return `problems` as a cell asks them: unchanged for `clean`, otherwise with `draws` draws of the noise.

    Draw number k is made with `seed + k`. The problems of the first draw come first, under their own ids; those of the
    later draws have the ids of `draw_id`. A placebo is as long as its noise, as `length` counts tokens, and `placement`
    is that of `inject`. Problems that can carry no such sentence are left out. Raises `NoDistractorError` where no
    problem is left.
    """
    if noise == "clean":
        return [NoisyProblem(problem, "clean", problem.question, (), seed) for problem in problems]
    numbered, refused = list[tuple[int, NoisyProblem]](), None
    for draw in range(draws):
        for problem in problems:
            try:
                numbered.append((draw, inject(problem, noise, seed + draw, None, length, placement)))
            except NoDistractorError as error:
                refused = error
    if refused is not None and not numbered:
        raise refused
    return [
        replace(noisy, problem=replace(noisy.problem, id=draw_id(noisy.problem.id, draw))) if draw else noisy
        for draw, noisy in numbered
    ]


def settings_without_model(version: str, source: str) -> Settings:
    """Return the settings of a record that needs no model; `version` is that of the code that makes it."""
    return Settings(weights="", prompt="", stop="", max_new_tokens=0, precision="", generation=version, problems=source)


def settings_of(loaded: AskedModel, source: str, max_new_tokens: int) -> Settings:
    """Return what a prediction of this model depends on besides the problem's text; `source` is `EvalSet.source`."""
    from models.decode.generation import GENERATION_VERSION
    from models.loading.read_checkpoint import base_when_tuned

    return Settings(
        weights=loaded.fingerprint,
        prompt=loaded.prompt.template.key,
        rendered=loaded.prompt.text if loaded.prompt.chat else "",
        stop=loaded.prompt.stop.key,
        max_new_tokens=max_new_tokens,
        precision=loaded.precision,
        generation=GENERATION_VERSION,
        problems=source,
        base=base_when_tuned(Path(loaded.spec.source)),
    )


def evaluate(
    experiment: Experiment,
    loaded: AskedModel,
    cell: Cell,
    noisy_problems: Sequence[NoisyProblem],
    source: str,
    batch_size: BatchSize = 64,
    max_new_tokens: int = 256,
    engine: Engine = LOCAL,
) -> dict[str, Prediction]:
    """Return the predictions of `cell` by problem id: those on disk, and the missing ones, written as they complete.

    After a failure the unfinished problems are asked again in two halves, recursively. A problem that fails alone gets
    the outcome `error`.
    """
    texts = {problem.problem.id: problem.question for problem in noisy_problems}
    settings = settings_of(loaded, source, max_new_tokens)
    with experiment.cell(cell, settings, texts) as recorder:
        recorder.replace(_graded_again(noisy_problems, experiment.results.newest_records(cell)))
        missing = missing_from(recorder, noisy_problems)
        record_as_they_come(recorder, engine.records(loaded, ANSWERS, missing, max_new_tokens, batch_size))
    return recorder.records


def missing_from(recorder: CellRecorder, noisy_problems: Sequence[NoisyProblem]) -> dict[str, NoisyProblem]:
    """Return those of `noisy_problems` that have no record yet, by the id of it."""
    return {noisy.problem.id: noisy for noisy in noisy_problems if noisy.problem.id not in recorder.records}


def record_as_they_come(recorder: CellRecorder, records: Iterator[Sequence[Any]]) -> None:
    """Write `records` to disk as they come, a few at a time; when it ends, by an interruption too, all are written."""
    unwritten: list[Any] = []
    last_write = time.monotonic()
    try:
        for ready in records:
            unwritten += ready
            if len(unwritten) >= WRITTEN_AT_ONCE or time.monotonic() - last_write > 1:
                batch, unwritten, last_write = unwritten, [], time.monotonic()
                with phase("write predictions"):
                    recorder.append(batch)
    finally:
        with phase("write predictions"):
            recorder.append(unwritten)


def _graded_again(noisy_problems: Sequence[NoisyProblem], stored: Mapping[str, Any]) -> list[Prediction]:
    """Return what stored texts come to where their gold answer or the grading code has changed since.

    Those that are not asked now are graded against their own gold answer, so that a cell has one grading version.
    """
    golds = {noisy.problem.id: (noisy.problem.answer, str(noisy.problem.target)) for noisy in noisy_problems}
    graded = (graded_again(old, *golds.get(id, (old.gold, old.target))) for id, old in stored.items())
    return [prediction for prediction in graded if prediction is not None]


def question_length(noisy: NoisyProblem) -> int:
    """Return how long a question is, in characters: a longer one takes longer."""
    return len(noisy.question)


def _ask(
    loaded: LoadedModel, noisy_problems: Sequence[NoisyProblem], max_new_tokens: int, batch_size: BatchSize
) -> Iterator[Sequence[Prediction]]:
    from models.decode.generation import answers

    def ask(problems: Sequence[NoisyProblem]) -> Iterator[tuple[int, Prediction]]:
        questions = [noisy.question for noisy in problems]
        for index, generation in answers(loaded, questions, max_new_tokens, batch_size):
            with phase("grade"):
                prediction = (
                    grade(problems[index], generation)
                    if generation.finite
                    else failed_prediction(problems[index], NOT_FINITE.format(generation.tokens))
                )
            yield index, prediction

    for prediction in ask_in_halves(noisy_problems, ask, failed_prediction, question_length):
        yield [prediction]


#: How the answers of a cell are got.
ANSWERS = Ask(_ask, failed_prediction, question_length)


def ask_in_halves(
    items: Sequence[Item],
    ask: Callable[[Sequence[Item]], Iterator[tuple[int, Record]]],
    failed: Callable[[Item, str], Record],
    size: Callable[[Item], int],
) -> Iterator[Record]:
    """Yield the records that `ask` yields with the number of their item, as they come.

    After a failure the unfinished items are asked again in two halves, recursively, the larger ones in the second, as
    `size` says. An item that fails alone gives `failed(item, traceback)`.
    """
    unfinished = dict(enumerate(items))
    try:
        for index, record in ask(items):
            del unfinished[index]
            yield record
        return
    except Exception:  # kept as the outcome of the problem that causes it, once that is asked alone
        if not unfinished:
            raise
        if len(items) == 1:
            yield failed(items[0], traceback.format_exc())
            return
    by_size = sorted(unfinished.values(), key=size)  # so overlong ones end up in one half
    middle = (len(by_size) + 1) // 2
    for half in (by_size[:middle], by_size[middle:]):
        yield from ask_in_halves(half, ask, failed, size)


def retry_one_by_one(
    batch: Sequence[Item],
    ask: Callable[[Sequence[Item]], list[Record]],
    failed: Callable[[Item, str], Record],
    *hopeless: type[Exception],
) -> list[Record]:
    """Return `ask(batch)`, or, if that raises, the results of asking each problem alone.

    A problem that fails alone gives `failed(problem, traceback)`. An error of a class in `hopeless` is raised, because
    every other problem would fail with it too.
    """
    try:
        return ask(batch)
    except hopeless:
        raise
    except Exception:  # kept as the outcome of the problem that causes it, once that is asked alone
        if len(batch) == 1:
            return [failed(batch[0], traceback.format_exc())]
    return [record for problem in batch for record in retry_one_by_one([problem], ask, failed, *hopeless)]
