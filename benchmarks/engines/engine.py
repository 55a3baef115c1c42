"""What a stage asks of an engine: the records of a cell's missing problems, as they come. No torch here.

A stage opens its cell, sees which records are missing, and writes what comes. How a model is asked is an `Ask`, and
where it is asked is the engine's: in this process, or in others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from benchmarks.runner import Runner
    from models.model_registry import ModelSpec
    from models.prompt import Prompt
    from reports.store.records import Cell

Value = TypeVar("Value")


class EngineError(RuntimeError):
    """An engine cannot run; the message is one sentence."""


class AskedModel(Protocol):
    """What the key of a record holds of a model. A `LoadedModel` is one; other engines have the facts alone."""

    @property
    def spec(self) -> ModelSpec: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def prompt(self) -> Prompt: ...
    @property
    def precision(self) -> str: ...


def _one_group(item: Any) -> str:
    return ""


@dataclass(frozen=True)
class Ask:
    """How a stage gets records from a model, by functions of a module: an engine may send them to another process.

    `records(loaded, items, *arguments)` yields one record for each of `items`, in any order, those that are ready
    together in one sequence. `failed(item, error)` is the record of an item that cannot be asked. `size(item)` is
    larger for what takes longer. Only items of one `group` are asked in one batch.
    """

    records: Callable[..., Iterator[Sequence[Any]]]
    failed: Callable[[Any, str], Any]
    size: Callable[[Any], float]
    group: Callable[[Any], str] = _one_group


class Engine(Protocol):
    """Has the models of a run, and asks them. `in_process` says whether it does so in this process."""

    in_process: bool

    def model(self, runner: Runner, cell: Cell) -> AskedModel:
        """Return the model that a cell is about, loaded. Raises what `Runner.run` raises about models."""

    def records(
        self, model: AskedModel, ask: Ask, items: Mapping[str, Any], *arguments: Any
    ) -> Iterator[Sequence[Any]]:
        """Yield the record of each of `items`, which are by the id of their record, as they come.

        Raises what `ask.records` raises, and `EngineError`.
        """

    def call(self, model: AskedModel, function: Callable[..., Value], *arguments: Any) -> Value:
        """Return `function(loaded, *arguments)`; it is a function of a module. Raises what that raises, and
        `EngineError`."""

    def run(self, function: Callable[..., Value], *arguments: Any) -> Value:
        """Return `function(*arguments)`, where a model can be loaded. Raises what `call` raises."""

    def close(self) -> None:
        """End what the engine has started. It can be used again."""
