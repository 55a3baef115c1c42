"""What a worker does: it loads a model once, keeps it, and runs the code of the stages on its piece. No Ray here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.engines.engine import Ask
from models.model_registry import ModelSpec
from models.prompt import Prompt, Template

if TYPE_CHECKING:
    from models.loading.load_model import LoadedModel

#: Records that are sent together at most, and the seconds that one waits for others.
SENT_AT_ONCE, SENT_AFTER = 32, 1.0
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ModelSource:
    """All that loading a model takes. `family` is the name of its base: workers keep the models of one family.

    `project` is the folder of this code where the source was named: a checkpoint in it is in the worker's own, too.
    """

    spec: ModelSpec
    family: str
    device: str
    dtype: str
    template: Template
    device_map: str | None = None
    project: str = str(_PROJECT)

    def here(self) -> ModelSpec:
        """Return the model as this machine has it."""
        path, project = Path(self.spec.source), Path(self.project)
        if project == _PROJECT or not path.is_relative_to(project) or path.exists():
            return self.spec
        return replace(self.spec, source=str(_PROJECT / path.relative_to(project)))


@dataclass(frozen=True)
class ModelFacts:
    """What the key of a record holds of a model that is loaded elsewhere (`benchmarks.engines.engine.AskedModel`)."""

    source: ModelSource
    fingerprint: str
    prompt: Prompt
    precision: str

    @property
    def spec(self) -> ModelSpec:
        return self.source.spec


class PieceWorker:
    """Does what an engine asks for. `threads` is the number of processor threads that torch may use (0: as it likes).

    Its requests, `REQUESTS`, are generators, so that what is ready can be sent on while the rest is made.
    """

    def __init__(self, threads: int = 0) -> None:
        if threads:
            os.environ["OMP_NUM_THREADS"] = str(threads)  # read once, when torch is imported
        self._threads = threads
        self._models: dict[ModelSource, LoadedModel] = {}

    def start(self) -> Iterator[int]:
        """Yield the number of this process."""
        yield os.getpid()

    def facts(self, source: ModelSource) -> Iterator[ModelFacts]:
        """Load a model, and yield what is known of it. Raises what `models.loading.load_model.load` raises."""
        loaded = self._loaded(source)
        yield ModelFacts(source, loaded.fingerprint, loaded.prompt, loaded.precision)

    def call(self, facts: ModelFacts, function: Callable[..., Any], arguments: Sequence[Any]) -> Iterator[Any]:
        """Yield `function(loaded, *arguments)`."""
        yield function(self._same(facts), *arguments)

    def run(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Iterator[Any]:
        """Yield `function(*arguments)`; no model is kept in memory meanwhile."""
        self._models.clear()
        yield function(*arguments)

    def records(
        self, facts: ModelFacts, ask: Ask, items: Sequence[Any], arguments: Sequence[Any]
    ) -> Iterator[Sequence[Any]]:
        """Yield the records of `items` as they come, a few at a time."""
        ready, sent = list[Any](), 0.0  # the first one is sent at once
        for group in ask.records(self._same(facts), items, *arguments):
            ready += group
            if len(ready) >= SENT_AT_ONCE or time.monotonic() - sent > SENT_AFTER:
                yield ready
                ready, sent = [], time.monotonic()
        if ready:
            yield ready

    def _same(self, facts: ModelFacts) -> LoadedModel:
        """Return the model. Raises `LoadError` where this machine has others under its name."""
        from models.loading.load_errors import LoadError

        loaded = self._loaded(facts.source)
        if (loaded.fingerprint, loaded.precision) != (facts.fingerprint, facts.precision):
            raise LoadError(
                f"model {facts.spec.name!r}: expected the same weights and precision on every machine, got"
                f" {facts.fingerprint[:12]} in {facts.precision} on the first and {loaded.fingerprint[:12]} in"
                f" {loaded.precision} on another ({loaded.spec.source})"
            )
        return loaded

    def _loaded(self, source: ModelSource) -> LoadedModel:
        import torch

        from models.loading.load_model import load

        if self._threads:
            torch.set_num_threads(self._threads)
        if source not in self._models:
            self._models = {kept: model for kept, model in self._models.items() if kept.family == source.family}
            self._models[source] = load(source.here(), source.device, source.dtype, source.template, source.device_map)
        return self._models[source]


#: The requests that a worker answers, by name.
REQUESTS: Mapping[str, Callable[..., Iterator[Any]]] = {
    "start": PieceWorker.start,
    "facts": PieceWorker.facts,
    "call": PieceWorker.call,
    "run": PieceWorker.run,
    "records": PieceWorker.records,
}
