"""Inject noise into any number of problems, in several processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from typing import TYPE_CHECKING

from noise.inject import inject
from noise.placement import LAST, Placement
from noise.problems.problem import NoisyProblem, Problem
from noise.proposals import NoDistractorError
from noise.registry import find_noise
from noise.sentence_files import SENTENCE_FILES, add_sentence_file
from noise.text.question_features import QuestionFeatures

if TYPE_CHECKING:
    from concurrent.futures import Future

_CHUNK_SIZE = 1000
"""Problems that a process is handed together."""
_Noisy = tuple[str, tuple[tuple[int, int], ...], tuple[str, ...], tuple[str, ...]]


def inject_all(
    problems: Iterable[Problem],
    name: str,
    seed: int = 0,
    processes: int = 1,
    features: Iterable[QuestionFeatures | None] | None = None,
    placement: Placement = LAST,
) -> Iterator[NoisyProblem]:
    """Yield `inject(problem, name, seed)` for each of `problems`, lazily and in order, in the `placement`; those that
    can carry no distractor are left out.

    The noise is the same with any number of processes. With several, at most two thousand problems for each are in
    flight, so memory does not grow with the number of problems. The processes are new interpreters: a script that uses
    them keeps its own work behind `if __name__ == "__main__"`. `features` are those of the questions, for a caller that
    injects several noises; several processes compute their own. Raises what `inject` raises, `ValueError` for fewer
    than one process, and `BrokenProcessPool`, a `RuntimeError`, for a process that died; the noise of problems in
    flight is lost with it.
    """
    find_noise(name)
    if processes < 1:
        raise ValueError(f"expected at least 1 process, got {processes!r}")
    if processes == 1:
        known = features or repeat(None)
        every = (
            _injected(problem, name, seed, placement, of_it) for problem, of_it in zip(problems, known, strict=False)
        )
        return (noisy for noisy in every if noisy is not None)
    return _in_processes(iter(problems), name, seed, placement, processes)


def _injected(
    problem: Problem, name: str, seed: int, placement: Placement, features: QuestionFeatures | None = None
) -> NoisyProblem | None:
    """Return what `inject` returns; None where the problem can carry none."""
    try:
        return inject(problem, name, seed, features, placement=placement)
    except NoDistractorError:
        return None


def _in_processes(
    problems: Iterator[Problem], name: str, seed: int, placement: Placement, processes: int
) -> Iterator[NoisyProblem]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor  # slow to import, and only needed here

    context = multiprocessing.get_context("spawn")
    in_flight: deque[tuple[list[Problem], Future[list[_Noisy | None]]]] = deque()
    pool = ProcessPoolExecutor(processes, context, _ignore_interrupts)
    try:
        while True:
            while len(in_flight) < 2 * processes and (chunk := [*islice(problems, _CHUNK_SIZE)]):
                texts = [(problem.id, problem.question, problem.answer) for problem in chunk]
                in_flight.append((chunk, pool.submit(_inject_chunk, texts, name, seed, placement, SENTENCE_FILES)))
            if not in_flight:
                return
            chunk, future = in_flight.popleft()
            for problem, noisy in zip(chunk, future.result(), strict=True):
                if noisy is not None:
                    question, spans, factors, templates = noisy
                    yield NoisyProblem(problem, name, question, spans, seed, factors, templates)
    finally:
        pool.shutdown(cancel_futures=True)


def _inject_chunk(
    texts: list[tuple[str, str, str]], name: str, seed: int, placement: Placement, sentence_files: dict[str, str]
) -> list[_Noisy | None]:
    for file_name, path in sentence_files.items():  # the noises that the parent process has from files
        if file_name not in SENTENCE_FILES:
            add_sentence_file(f"{file_name}={path}")
    drawn = (_injected(Problem(*text), name, seed, placement) for text in texts)
    return [None if noisy is None else (noisy.question, noisy.spans, noisy.factors, noisy.templates) for noisy in drawn]


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent process, which ends the others."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
