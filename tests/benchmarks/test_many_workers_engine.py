"""Workers are lost at any moment, and a run leaves what a run in one process leaves."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.choices import choose_models
from benchmarks.engines.engine import Ask, EngineError
from benchmarks.engines.many_workers_engine import MOST_LOSSES_IN_A_ROW, DividedEngine, Event
from benchmarks.engines.piece_worker import REQUESTS, PieceWorker
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from models.loading.load_errors import LoadError
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.results_folder import Results


class WorkersHere:
    """Workers in this process, one of which has a turn at a time. With the probability `lost` its turn is its end, if
    it was asked for records."""

    def __init__(self, number: int, rng: random.Random, lost: float = 0.0) -> None:
        self.count, self._rng, self._lost = number, rng, lost
        self._numbers = count()
        self._workers: dict[int, PieceWorker] = {}
        self._requests: dict[int, tuple[str, Iterator[Any]]] = {}
        self.losses = self.replaced = 0
        self.asked = Counter[int]()
        for _ in range(number):
            self._start()

    def _start(self) -> None:
        worker = next(self._numbers)
        self._workers[worker] = PieceWorker()
        self.send(worker, "start")

    def idle(self) -> list[int]:
        return [worker for worker in self._workers if worker not in self._requests]

    def send(self, worker: int, request: str, *arguments: Any) -> None:
        self.asked[worker] += request == "records"
        self._requests[worker] = request, REQUESTS[request](self._workers[worker], *arguments)

    def next_event(self) -> Event:
        worker = self._rng.choice(sorted(self._requests))
        request, answers = self._requests[worker]
        if request == "records" and self._rng.random() < self._lost:
            self.losses += 1
            self.replace([worker])
            return Event(worker, "lost", "by chance")
        try:
            return Event(worker, "answer", next(answers))
        except StopIteration:
            del self._requests[worker]
            return Event(worker, "end")
        except Exception as error:
            del self._requests[worker]
            return Event(worker, "raised", error)

    def replace(self, workers: Iterable[int]) -> None:
        for worker in list(workers):
            del self._workers[worker], self._requests[worker]
            self.replaced += 1
            self._start()

    def close(self) -> None:
        self._workers.clear()


@dataclass(frozen=True)
class Record:
    id: str
    outcome: str = "correct"


def _answers(loaded: Any, items: Sequence[str]) -> Iterator[list[Record]]:
    yield from ([Record(item)] for item in items)


def _failed(item: str, error: str) -> Record:
    return Record(item, error)


def _length(item: str) -> float:
    return float(len(item))


def _raises(loaded: Any, items: Sequence[str]) -> Iterator[list[Record]]:
    yield [Record(items[0])]
    raise LoadError("no model here")


def _leaves_out(loaded: Any, items: Sequence[str]) -> Iterator[list[Record]]:
    yield [Record(item) for item in items[1:]]


class Unloaded(PieceWorker):
    """A worker whose answers need no model."""

    def _same(self, facts: Any) -> Any:
        return facts


@pytest.fixture(autouse=True)
def _without_models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "runs" not in request.node.name:
        monkeypatch.setattr(PieceWorker, "_same", Unloaded._same)


def answers(workers: WorkersHere, ask: Ask, number: int, least: int = 2) -> list[Record]:
    items = {f"p{index:03}": f"p{index:03}" for index in range(number)}
    engine = DividedEngine(lambda: workers, least)
    model: Any = None
    return [record for ready in engine.records(model, ask, items) for record in ready]


@pytest.mark.quick
@pytest.mark.parametrize("seed", range(20))
def test_each_item_has_one_record_whatever_workers_are_lost(seed: int) -> None:
    workers = WorkersHere(3, random.Random(seed), lost=0.2)
    records = answers(workers, Ask(_answers, _failed, _length), 60)
    assert Counter(record.id for record in records) == Counter(f"p{index:03}" for index in range(60))
    assert {record.outcome for record in records if record.outcome != "correct"} <= {
        record.outcome for record in records if "lost one after the other" in record.outcome
    }


@pytest.mark.quick
def test_all_workers_are_asked() -> None:
    workers = WorkersHere(3, random.Random(0))
    answers(workers, Ask(_answers, _failed, _length), 60)
    assert len(workers.asked) == 3
    assert min(workers.asked.values()) > 0


@pytest.mark.quick
def test_workers_stay_from_cell_to_cell() -> None:
    """They have loaded a model."""
    workers, model = WorkersHere(3, random.Random(0)), None
    engine: Any = DividedEngine(lambda: workers, 2)
    for cell in range(10):
        items = {f"p{cell}-{index}": f"p{cell}-{index}" for index in range(30)}
        records = [
            record for ready in engine.records(model, Ask(_answers, _failed, _length), items) for record in ready
        ]
        assert Counter(record.id for record in records) == Counter(items.keys())
    assert workers.replaced == 0


@pytest.mark.quick
def test_workers_that_are_always_lost_end_the_run_with_a_sentence() -> None:
    workers = WorkersHere(2, random.Random(0), lost=1.0)
    with pytest.raises(
        EngineError, match=r"^12 workers were lost one after the other without an answer; .* by chance$"
    ):
        answers(workers, Ask(_answers, _failed, _length), 60)
    assert workers.losses == MOST_LOSSES_IN_A_ROW


@pytest.mark.quick
def test_nodes_that_go_with_all_their_workers_do_not_end_the_run() -> None:
    """Sixteen workers are lost together, as those of two nodes with eight cards each."""
    workers = WorkersHere(16, random.Random(0), lost=1.0)
    with pytest.raises(EngineError, match=r"^48 workers were lost"):
        answers(workers, Ask(_answers, _failed, _length), 60)


@pytest.mark.quick
def test_an_error_of_the_stage_is_that_of_the_run_and_the_next_cell_goes_on() -> None:
    workers, model = WorkersHere(2, random.Random(0)), None
    engine: Any = DividedEngine(lambda: workers, 2)
    items = {f"p{index}": f"p{index}" for index in range(20)}
    with pytest.raises(LoadError, match="no model here"):
        list(engine.records(model, Ask(_raises, _failed, _length), items))
    records = [record for ready in engine.records(model, Ask(_answers, _failed, _length), items) for record in ready]
    assert Counter(record.id for record in records) == Counter(items.keys())


@pytest.mark.quick
def test_a_piece_that_ends_without_a_record_is_an_error() -> None:
    with pytest.raises(EngineError, match="has ended its piece without a record of 'p0"):
        answers(WorkersHere(2, random.Random(0)), Ask(_leaves_out, _failed, _length), 20)


def tables(folder: Path, engine: DividedEngine | None) -> dict[str, Any]:
    """Return the files of a run, predictions as sets of lines."""
    plan = Plan(models=choose_models("llama"), datasets=("clean", "inf"), stages=("zero_shot",), max_samples=6)
    plan = Plan(**{**vars(plan), "device": "cpu", "batch_size": 2, "max_new_tokens": 48})
    experiment = Experiment(Results(folder), progress=no_progress_bar)
    runner = Runner(plan, experiment, **({} if engine is None else {"engine": engine}))
    for cell in plan.cells("zero_shot"):
        runner.run(cell)
    experiment.write()
    files = {name: (folder / name).read_text() for name in ("accuracy.csv", "comparisons.csv")}
    return files | {
        str(path.relative_to(folder)): sorted(path.read_text().splitlines())
        for path in (folder / "predictions").rglob("*.jsonl")
    }


def test_divided_runs_leave_the_files_of_a_run_in_one_process(tmp_path: Path) -> None:
    workers = WorkersHere(2, random.Random(1), lost=0.1)
    divided = tables(tmp_path / "divided", DividedEngine(lambda: workers, 2))
    assert divided == tables(tmp_path / "here", None)
    assert workers.losses > 0
