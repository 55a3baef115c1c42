"""An engine is added by a module, an entry of `ENGINES` and its name on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engines import ENGINES, engine_options
from benchmarks.engines.engine import Ask, AskedModel
from benchmarks.engines.engine_options import ENGINE_NAMES, EngineOptions
from benchmarks.engines.local_engine import LocalEngine
from tests.benchmarks.small_grid import files_of, run_grid


class CountingEngine(LocalEngine):
    """Asks here, and counts the items."""

    asked = 0

    def records(
        self, model: AskedModel, ask: Ask, items: Mapping[str, Any], *arguments: Any
    ) -> Iterator[Sequence[Any]]:
        self.asked += len(items)
        return super().records(model, ask, items, *arguments)


@pytest.mark.quick
def test_every_name_of_the_command_line_is_an_engine() -> None:
    assert tuple(ENGINES) == ENGINE_NAMES


def test_an_added_engine_is_asked_for_every_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, stages = CountingEngine(), ("zero_shot", "likelihood")
    monkeypatch.setitem(ENGINES, "counting", lambda plan: engine)
    monkeypatch.setattr(engine_options, "ENGINE_NAMES", (*ENGINE_NAMES, "counting"))
    run_grid(tmp_path / "counted", 2, stages, EngineOptions("counting"))
    run_grid(tmp_path / "local", 2, stages)
    assert engine.asked == 8, "two problems, clean and with inf, in two stages"
    assert files_of(tmp_path / "counted") == files_of(tmp_path / "local")
