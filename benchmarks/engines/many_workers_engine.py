"""An engine that divides a cell's items over workers, and gets by with those that are not lost. No Ray here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from benchmarks.engines.engine import Ask, AskedModel, EngineError, Value
from benchmarks.engines.piece_worker import ModelFacts, ModelSource
from benchmarks.engines.work_queue import MOST_LOSSES_ALONE, Piece, WorkQueue

if TYPE_CHECKING:
    from benchmarks.runner import Runner
    from reports.store.records import Cell

#: How many workers may be lost one after the other without an answer between: this many, or each of them this often.
MOST_LOSSES_IN_A_ROW, MOST_LOSSES_OF_EACH = 12, 3
#: The error of an item that is given up.
_GIVEN_UP = "WorkerLost: {} workers were lost one after the other while they were asked this problem alone"


@dataclass(frozen=True)
class Event:
    """What has become of a worker's request.

    It is an `answer`, of which more may come; its `end`; an error that it `raised`; or the worker is `lost`, with the
    reason as `value`, and another is being started under a number of its own.
    """

    worker: int
    kind: Literal["answer", "end", "raised", "lost"]
    value: Any = None


class Workers(Protocol):
    """Processes with a `PieceWorker` each, which answer one request at a time."""

    #: How many there are meant to be.
    count: int

    def idle(self) -> list[int]:
        """Return the numbers of the workers that have started and have no request."""

    def send(self, worker: int, request: str, *arguments: Any) -> None:
        """Send one of `piece_worker.REQUESTS`."""

    def next_event(self) -> Event:
        """Wait for what happens next. Raises `EngineError` if no worker can start."""

    def replace(self, workers: Iterable[int]) -> None:
        """End these workers, as far as they are not lost, and start others."""

    def close(self) -> None:
        """End all workers."""


class DividedEngine:
    """See `benchmarks.engines.engine.Engine`. `open_workers` starts the workers, when they are first needed, and
    `least` is the number of items that a worker asks together."""

    in_process = False

    def __init__(self, open_workers: Callable[[], Workers], least: int) -> None:
        self._open_workers, self._least = open_workers, least
        self._opened: Workers | None = None
        self._pieces: dict[int, Piece] = {}  # by the worker that has it

    @property
    def _workers(self) -> Workers:
        if self._opened is None:
            self._opened = self._open_workers()
        return self._opened

    def model(self, runner: Runner, cell: Cell) -> AskedModel:
        plan, spec = runner.plan, runner.plan.spec_of(cell)

        def base() -> ModelFacts:
            return self._facts(ModelSource(spec, spec.name, plan.device, plan.dtype, plan.template, plan.device_map))

        def tuned() -> ModelFacts:
            return self._facts(ModelSource(runner.tuned_spec(spec), spec.name, plan.device, plan.dtype, plan.template))

        return runner.cached(spec, "tuned facts", tuned) if plan.is_tuned(cell) else runner.cached(spec, "facts", base)

    def _facts(self, source: ModelSource) -> ModelFacts:
        """Return what is known of a model. All workers that have started load it."""
        facts: ModelFacts = self._answer("facts", source, everywhere=True)
        return facts

    def call(self, model: AskedModel, function: Callable[..., Value], *arguments: Any) -> Value:
        value: Value = self._answer("call", model, function, arguments)
        return value

    def run(self, function: Callable[..., Value], *arguments: Any) -> Value:
        value: Value = self._answer("run", function, arguments)
        return value

    def records(
        self, model: AskedModel, ask: Ask, items: Mapping[str, Any], *arguments: Any
    ) -> Iterator[Sequence[Any]]:
        workers, losses = self._workers, 0
        workers.replace(self._pieces)  # those of a cell that ended in an error
        pieces = self._pieces = {}
        sizes = {id: ask.size(item) for id, item in items.items()}
        groups = {id: ask.group(item) for id, item in items.items()}
        queue = WorkQueue(sizes, workers.count, self._least, groups)
        order = {id: number for number, id in enumerate(items)}  # as in one process, where a piece is everything
        while queue.is_open:
            for worker in workers.idle() if queue.has_more else ():
                piece = queue.take()
                if piece is None:
                    break
                pieces[worker] = piece
                asked = [items[id] for id in sorted(piece.ids, key=order.__getitem__)]
                workers.send(worker, "records", model, ask, asked, arguments)
            event = workers.next_event()
            if event.kind == "lost":
                losses += 1
                _check_losses(losses, workers.count, event)
                given_up = queue.lose(pieces.pop(event.worker)) if event.worker in pieces else []
                yield [ask.failed(items[id], _GIVEN_UP.format(MOST_LOSSES_ALONE)) for id in given_up]
            elif event.worker not in pieces:
                continue  # an earlier request, such as to load the model
            elif event.kind == "raised":
                del pieces[event.worker]
                raise event.value
            elif event.kind == "answer":
                losses = 0
                yield [record for record in event.value if queue.accept(record.id)]
            else:
                left = queue.unanswered(pieces.pop(event.worker))
                if left:
                    raise EngineError(f"a worker has ended its piece without a record of {left[0]!r}")
        pieces.clear()  # of workers whose last answer has come, and not yet their end

    def _answer(self, request: str, *arguments: Any, everywhere: bool = False) -> Any:
        """Return what a worker answers to a request; if it is lost, another is asked. With `everywhere` all are asked
        that are idle, and the first answer is returned. Raises what the worker raises."""
        workers, asked, losses = self._workers, list[int](), 0
        while True:
            idle = workers.idle()
            if not asked and idle:
                asked = idle if everywhere else idle[:1]
                for worker in asked:
                    workers.send(worker, request, *arguments)
            event = workers.next_event()
            if event.kind == "lost":
                losses += 1
                _check_losses(losses, workers.count, event)
                asked = [worker for worker in asked if worker != event.worker]
            elif event.worker in asked and event.kind == "raised":
                raise event.value
            elif event.worker in asked and event.kind == "answer":
                return event.value

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _check_losses(in_a_row: int, count: int, event: Event) -> None:
    """Raise `EngineError` if the `count` workers have been lost too often. A node that goes takes all of its own along,
    so the limit grows with their number."""
    if in_a_row >= max(MOST_LOSSES_IN_A_ROW, MOST_LOSSES_OF_EACH * count):
        raise EngineError(
            f"{in_a_row} workers were lost one after the other without an answer; of the last one is known:"
            f" {event.value}"
        )
