"""The engine `local`: models are asked in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.engines.engine import Ask, AskedModel, Value

if TYPE_CHECKING:  # torch stays out of collection
    from benchmarks.runner import Runner
    from models.loading.load_model import LoadedModel
    from reports.store.records import Cell


class LocalEngine:
    """See `benchmarks.engines.engine.Engine`. Its models are `LoadedModel`s."""

    in_process = True

    def model(self, runner: Runner, cell: Cell) -> LoadedModel:
        return runner.model_of(cell)

    def records(
        self, model: AskedModel, ask: Ask, items: Mapping[str, Any], *arguments: Any
    ) -> Iterator[Sequence[Any]]:
        return ask.records(model, list(items.values()), *arguments)

    def call(self, model: AskedModel, function: Callable[..., Value], *arguments: Any) -> Value:
        return function(model, *arguments)

    def run(self, function: Callable[..., Value], *arguments: Any) -> Value:
        return function(*arguments)

    def close(self) -> None:
        pass


LOCAL = LocalEngine()
