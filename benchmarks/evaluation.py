"""Asking a model the problems of a cell, and grading what it writes."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from benchmarks.grading import extract_answer, marked_answer
from models.decode.batch_size_option import BatchSize
from noise.inject import inject
from noise.problems.problem import NoisyProblem, Problem
from reports.experiment import Experiment
from reports.store.records import Cell, Outcome, Prediction, Settings, draw_id

if TYPE_CHECKING:  # torch stays out of collection
    from models.decode.generation import Generation
    from models.loading.load_model import LoadedModel

#: Predictions that are written together: a file is not opened for each.
WRITTEN_AT_ONCE = 32

Record = TypeVar("Record")


def ask_with(noise: str, problems: Sequence[Problem], seed: int, draws: int = 1) -> list[NoisyProblem]:
    """`problems` as a cell asks them: as they are for `clean`, or else each with the noise of `seed`, then each with
    that of the next seed, until there are `draws` of it. Of these the ids are their predictions': `draw_id`."""
    if noise == "clean":
        return [NoisyProblem(problem, "clean", problem.question, (), seed) for problem in problems]
    drawn = ((draw, inject(problem, noise, seed + draw)) for draw in range(draws) for problem in problems)
    return [
        replace(noisy, problem=replace(noisy.problem, id=draw_id(noisy.problem.id, draw))) if draw else noisy
        for draw, noisy in drawn
    ]


def settings_without_model(version: str, source: str) -> Settings:
    """What a record depends on that no model is asked for; `version` is that of the code that makes it."""
    return Settings(weights="", prompt="", stop="", max_new_tokens=0, precision="", generation=version, problems=source)


def settings_of(loaded: LoadedModel, source: str, max_new_tokens: int) -> Settings:
    """What a prediction of this model depends on besides the problem's text; `source` is `EvalSet.source`."""
    from models.decode.generation import GENERATION_VERSION
    from models.prompt import STOP

    return Settings(
        weights=loaded.fingerprint,
        prompt=loaded.prompt.template.key,
        rendered=loaded.prompt.text if loaded.prompt.chat else "",
        stop=STOP,
        max_new_tokens=max_new_tokens,
        precision=loaded.precision,
        generation=GENERATION_VERSION,
        problems=source,
    )


def evaluate(
    experiment: Experiment,
    loaded: LoadedModel,
    cell: Cell,
    asked: Sequence[NoisyProblem],
    source: str,
    batch_size: BatchSize = 64,
    max_new_tokens: int = 256,
) -> dict[str, Prediction]:
    """The predictions of `cell` by problem id: those on disk, and the missing ones made now, on disk a few at a time.

    What has not ended when something fails is asked again, half by half; a problem that fails alone gets the outcome
    `error`.
    """
    texts = {problem.problem.id: problem.question for problem in asked}
    settings = settings_of(loaded, source, max_new_tokens)
    with experiment.cell(cell, settings, texts) as opened:
        missing = [problem for problem in asked if problem.problem.id not in opened.predictions]
        ended: list[Prediction] = []
        since = time.monotonic()
        try:
            for prediction in _ask(loaded, missing, max_new_tokens, batch_size):
                ended.append(prediction)
                if len(ended) >= WRITTEN_AT_ONCE or time.monotonic() - since > 1:
                    written, ended, since = ended, [], time.monotonic()
                    opened.append(written)
        finally:
            opened.append(ended)
    return opened.predictions


def _ask(
    loaded: LoadedModel, asked: Sequence[NoisyProblem], max_new_tokens: int, batch_size: BatchSize
) -> Iterator[Prediction]:
    from models.decode.generation import answers

    left = dict(enumerate(asked))
    try:
        for index, generation in answers(loaded, [noisy.question for noisy in asked], max_new_tokens, batch_size):
            prediction = grade(left[index], generation)
            del left[index]
            yield prediction
        return
    except Exception:  # whatever it was, it is kept: as the outcome of the one problem that brings it about
        if not left:
            raise
        if len(asked) == 1:
            yield _failed(asked[0], traceback.format_exc())
            return
    again = sorted(left.values(), key=lambda noisy: len(noisy.question))  # too long ones are in one half
    middle = (len(again) + 1) // 2
    for half in (again[:middle], again[middle:]):
        yield from _ask(loaded, half, max_new_tokens, batch_size)


def one_by_one_on_error(
    batch: Sequence[NoisyProblem],
    ask: Callable[[Sequence[NoisyProblem]], list[Record]],
    failed: Callable[[NoisyProblem, str], Record],
    *hopeless: type[Exception],
) -> list[Record]:
    """What `ask` gives for `batch`; if it fails, what it gives for each problem alone, and `failed(problem, traceback)`
    for those that fail alone. An error of `hopeless` is raised: no other problem would fare better."""
    try:
        return ask(batch)
    except hopeless:
        raise
    except Exception:  # whatever it was, it is kept: as the outcome of the one problem that brings it about
        if len(batch) == 1:
            return [failed(batch[0], traceback.format_exc())]
    return [record for problem in batch for record in one_by_one_on_error([problem], ask, failed, *hopeless)]


def grade(problem: NoisyProblem, generation: Generation) -> Prediction:
    """The prediction that `generation` is. An answer that the token limit cut off before any final-answer marker is
    `truncated`, whatever number it happens to end in."""
    text, target = generation.text, problem.problem.target
    if not generation.finished and marked_answer(text) is None:
        return _prediction(problem, "truncated", text=text, tokens=generation.tokens)
    answer = extract_answer(text)
    outcome: Outcome = "no_answer" if answer is None else "correct" if answer == target else "incorrect"
    read = None if answer is None else str(answer)
    return _prediction(problem, outcome, text=text, tokens=generation.tokens, answer=read)


def _failed(problem: NoisyProblem, error: str) -> Prediction:
    return _prediction(problem, "error", error=error)


def _prediction(
    problem: NoisyProblem,
    outcome: Outcome,
    text: str = "",
    tokens: int = 0,
    answer: str | None = None,
    error: str | None = None,
) -> Prediction:
    return Prediction(
        id=problem.problem.id,
        question=problem.question,
        spans=problem.spans,
        gold=problem.problem.answer,
        target=str(problem.problem.target),
        text=text,
        answer=answer,
        outcome=outcome,
        tokens=tokens,
        error=error,
    )
