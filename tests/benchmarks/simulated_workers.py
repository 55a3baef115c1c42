"""Workers of `benchmarks.engines.many_workers_engine` in a simulated time: how long is a run, and what is lost?

A worker decodes `slots` problems at once, each for its own time, and takes the next where one ends. It answers when a
problem ends. A worker that is lost comes back after `start_seconds`.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import count as counting
from typing import Any

from benchmarks.engines.engine import Ask
from benchmarks.engines.many_workers_engine import DividedEngine, Event


class Answer(str):
    """A record that has nothing but its id."""

    @property
    def id(self) -> str:
        return str(self)


def _size(item: tuple[str, float]) -> float:
    return item[1]


#: Items are ids with what is known of their size.
ASK = Ask(records=lambda *_: iter(()), failed=lambda item, error: Answer(item[0]), size=_size)


class SimulatedWorkers:
    """See the module. A piece loses its worker with the probability `failures`, at any moment of it.

    `busy` are the seconds that workers had a piece, of a lost one too; `worked` the seconds that problems were decoded,
    and `lost` those of problems that a worker was lost with.
    """

    def __init__(
        self,
        workers: int,
        seconds: Mapping[str, float],
        slots: int,
        failures: float = 0.0,
        start_seconds: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        self.count, self._seconds, self._slots = workers, seconds, slots
        self._failures, self._start_seconds = failures, start_seconds
        self._rng = rng or random.Random(0)
        self.now = self.busy = self.worked = self.lost = 0.0
        self.losses = self.pieces = 0
        self._idle = dict.fromkeys(range(workers))
        self._numbers, self._order = counting(workers), counting()
        self._events: list[tuple[float, int, Event]] = []

    def _at(self, time: float, event: Event) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))

    def idle(self) -> list[int]:
        return list(self._idle)

    def send(self, worker: int, request: str, *arguments: Any) -> None:
        assert request == "records"
        del self._idle[worker]
        self.pieces += 1
        _, _, items, _ = arguments
        spans = self._spans([id for id, _ in items])
        end = max(stop for _, _, stop in spans)
        fails = self._rng.random() < self._failures
        until = self._rng.uniform(0, end) if fails else end
        for id, start, stop in spans:
            if stop <= until:
                self._at(self.now + stop, Event(worker, "answer", [Answer(id)]))
            elif start < until:
                self.lost += until - start
            self.worked += max(0.0, min(stop, until) - start)
        self.busy += until
        self._at(self.now + until, Event(worker, "lost" if fails else "end", "simulated"))

    def _spans(self, ids: Sequence[str]) -> list[tuple[str, float, float]]:
        """Return when each problem of a piece starts and ends."""
        free, spans = [0.0] * min(self._slots, len(ids)), []
        for id in ids:
            start = heapq.heappop(free)
            spans.append((id, start, start + self._seconds[id]))
            heapq.heappush(free, spans[-1][2])
        return spans

    def next_event(self) -> Event:
        while True:
            self.now, _, event = heapq.heappop(self._events)
            if event.kind == "end":
                self._idle[event.worker] = None
            elif event.kind == "lost":
                self.losses += 1
                self._at(self.now + self._start_seconds, Event(next(self._numbers), "end"))
            return event

    def replace(self, workers: Iterable[int]) -> None:
        assert not list(workers)

    def close(self) -> None:
        pass


def simulate(workers: SimulatedWorkers, sizes: Mapping[str, float], least: int) -> list[str]:
    """Return the ids of the answers in the order in which they came."""
    items = {id: (id, size) for id, size in sizes.items()}
    engine = DividedEngine(lambda: workers, least)
    model: Any = None
    return [str(answer) for ready in engine.records(model, ASK, items) for answer in ready]
