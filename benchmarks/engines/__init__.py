"""The engines that ask models, one module each. No torch and no Ray here: the command line reads this."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.engines.engine import Ask, AskedModel, Engine, EngineError
from benchmarks.engines.local_engine import LOCAL
from benchmarks.engines.ray_engine import ray_engine_of

if TYPE_CHECKING:
    from benchmarks.plan import Plan

#: The engine of a plan, by the name that `--engine` has for it.
ENGINES: dict[str, Callable[[Plan], Engine]] = {
    "local": lambda plan: LOCAL,
    "ray": lambda plan: ray_engine_of(plan.engine, plan.device, plan.fixed_batch_size),
}


def engine_of(plan: Plan) -> Engine:
    """Return the engine of a plan. It starts nothing before it is asked."""
    return ENGINES[plan.engine.name](plan)


__all__ = ["ENGINES", "Ask", "AskedModel", "Engine", "EngineError", "engine_of"]
