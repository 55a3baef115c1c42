"""Noise for any number of problems, on several processors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from noise.inject import inject
from noise.problems.problem import NoisyProblem, Problem
from noise.registry import find_noise

if TYPE_CHECKING:
    from concurrent.futures import Future

_AT_ONCE = 1000
"""Problems that a process is handed together."""
_Put = list[tuple[str, tuple[tuple[int, int], ...]]]


def inject_all(problems: Iterable[Problem], name: str, seed: int = 0, processes: int = 1) -> Iterator[NoisyProblem]:
    """`inject` for each of `problems`, in their order, as they are asked for. The noise is the same with any number of
    processes.

    With several, two thousand problems for each are under way, so that memory stays the same however many there are in
    all. They are new interpreters: a script that asks for them keeps its own work behind `if __name__ == "__main__"`.
    Raises what `inject` raises, `ValueError` for fewer than one process, and `BrokenProcessPool`, a `RuntimeError`, for
    one that ended by itself; the noise of problems that were under way is lost with it.
    """
    find_noise(name)
    if processes < 1:
        raise ValueError(f"expected at least 1 process, got {processes!r}")
    if processes == 1:
        return (inject(problem, name, seed) for problem in problems)
    return _in_processes(iter(problems), name, seed, processes)


def _in_processes(problems: Iterator[Problem], name: str, seed: int, processes: int) -> Iterator[NoisyProblem]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor  # here, as importing them takes its time

    context = multiprocessing.get_context("spawn")
    under_way: deque[tuple[list[Problem], Future[_Put]]] = deque()
    pool = ProcessPoolExecutor(processes, context, _leave_interrupts)
    try:
        while True:
            while len(under_way) < 2 * processes and (some := [*islice(problems, _AT_ONCE)]):
                texts = [(problem.id, problem.question, problem.answer) for problem in some]
                under_way.append((some, pool.submit(_put, texts, name, seed)))
            if not under_way:
                return
            some, future = under_way.popleft()
            for problem, (question, spans) in zip(some, future.result(), strict=True):
                yield NoisyProblem(problem, name, question, spans, seed)
    finally:
        pool.shutdown(cancel_futures=True)


def _put(texts: list[tuple[str, str, str]], name: str, seed: int) -> _Put:
    noisy = (inject(Problem(*text), name, seed) for text in texts)
    return [(done.question, done.spans) for done in noisy]


def _leave_interrupts() -> None:
    """Ctrl-C is answered by the process that was called, and ends the others."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
