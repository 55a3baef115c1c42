"""What a worker does, in this process: a model is loaded once, and a piece has the records of the stage's own code."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engines import piece_worker
from benchmarks.engines.engine import Ask
from benchmarks.engines.piece_worker import SENT_AT_ONCE, ModelFacts, ModelSource, PieceWorker
from benchmarks.evaluation import ANSWERS, draw_questions
from models.loading import load_model
from models.loading.load_errors import LoadError
from models.loading.load_model import load
from models.model_registry import find_model
from models.prompt import PLAIN
from noise import mini

SOURCE = ModelSource(find_model("llama"), "llama", "cpu", "float32", PLAIN)
QUESTIONS = draw_questions("inf", mini.problems("test")[:6], 0)


@pytest.fixture(scope="module")
def worker() -> PieceWorker:
    return PieceWorker()


@pytest.fixture(scope="module")
def facts(worker: PieceWorker) -> ModelFacts:
    (facts,) = worker.facts(SOURCE)
    return facts


def test_a_piece_has_the_records_of_the_stage(worker: PieceWorker, facts: ModelFacts) -> None:
    sent = list(worker.records(facts, ANSWERS, QUESTIONS, (48, 4)))
    here = ANSWERS.records(load("llama", "cpu", "float32"), QUESTIONS, 48, 4)
    by_id = {record.id: record for ready in here for record in ready}
    assert {record.id: record for ready in sent for record in ready} == by_id
    assert len(by_id) == len(QUESTIONS)


def test_the_facts_are_those_of_the_model(facts: ModelFacts) -> None:
    loaded = load("llama", "cpu", "float32")
    for name in ("fingerprint", "prompt", "precision", "spec"):
        assert getattr(facts, name) == getattr(loaded, name)


def test_a_model_is_loaded_once_and_those_of_another_family_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    original = load_model.load

    def counted(spec: Any, *arguments: Any) -> Any:
        loads.append(spec.name)
        return original(spec, *arguments)

    monkeypatch.setattr(load_model, "load", counted)
    worker, other = PieceWorker(), replace(SOURCE, spec=find_model("diffllama"), family="diffllama")
    tuned = replace(SOURCE, spec=replace(SOURCE.spec, name="llama+sft"))
    for source in (SOURCE, tuned, SOURCE, tuned, other, SOURCE):
        list(worker.facts(source))
    assert loads == ["llama", "llama+sft", "diffllama", "llama"]


def test_other_weights_under_a_name_are_refused(worker: PieceWorker, facts: ModelFacts) -> None:
    """Two nodes may have two checkpoints at one path."""
    other = replace(facts, fingerprint="0" * 64)
    with pytest.raises(LoadError, match="expected the same weights and precision on every machine"):
        list(worker.records(other, ANSWERS, QUESTIONS, (48, 4)))


def test_what_is_sent_to_a_worker_can_be_pickled(facts: ModelFacts) -> None:
    from benchmarks.measure_interventions import INTERVENTIONS_OF_ITEMS
    from benchmarks.segmented_text import GRID_PARTS
    from benchmarks.stages.attention import READINGS
    from benchmarks.stages.likelihood import LIKELIHOODS

    sent = (facts, ANSWERS, LIKELIHOODS, READINGS, INTERVENTIONS_OF_ITEMS, GRID_PARTS, QUESTIONS)
    assert pickle.loads(pickle.dumps(sent)) == sent


def test_a_checkpoint_of_the_project_is_in_the_project_of_the_other_machine() -> None:
    inside = replace(SOURCE, project="/elsewhere", spec=replace(SOURCE.spec, source="/elsewhere/models/checkpoints/x"))
    assert inside.here().source == str(Path(piece_worker.__file__).parents[2] / "models/checkpoints/x")
    outside = replace(inside, spec=replace(SOURCE.spec, source="/other/x"))
    assert outside.here() == outside.spec
    assert SOURCE.here() == SOURCE.spec


class _Record:
    def __init__(self, id: int) -> None:
        self.id = id


def _numbered(loaded: Any, items: Sequence[int]) -> Iterator[list[_Record]]:
    for item in items:
        yield [_Record(item)]


def test_the_first_record_is_sent_at_once_and_others_together(worker: PieceWorker, facts: ModelFacts) -> None:
    """A message for each would cost more than the answer of a small model."""
    count = 2 * SENT_AT_ONCE + 2
    sent = list(worker.records(facts, Ask(_numbered, lambda *_: None, lambda _: 1.0), range(count), ()))
    assert [len(ready) for ready in sent] == [1, SENT_AT_ONCE, SENT_AT_ONCE, 1]
    assert [record.id for ready in sent for record in ready] == list(range(count))
