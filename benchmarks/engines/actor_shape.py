"""How many actors the nodes of a Ray cluster have room for, and what each takes. No Ray here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.engines.engine import EngineError
from benchmarks.engines.engine_options import EngineOptions


@dataclass(frozen=True)
class ActorShape:
    """How many actors there are, and what each takes: graphics cards, processors, and threads of torch."""

    count: int
    gpus: float
    cpus: float
    threads: int


def actor_shape(options: EngineOptions, device: str, nodes: Sequence[Mapping[str, float]]) -> ActorShape:
    """Return the actors for `nodes`, each with its number of `CPU` and `GPU`.

    By default each card has an actor, or, without cards, each node. Without cards an actor takes its share of a node's
    processors. Raises `EngineError` if no node has what an actor takes.
    """
    nodes = [node for node in nodes if node.get("CPU", 0) or node.get("GPU", 0)]
    cards = any(node.get("GPU", 0) for node in nodes) and not device.startswith("cpu")
    gpus = options.actor_gpus if options.actor_gpus is not None else float(cards)
    fits = [int(node.get("GPU", 0) / gpus + 1e-9) if gpus else 1 for node in nodes]
    count = options.actors or max(1, sum(fits))
    on_a_node = max(1, -(-count // max(1, len(nodes))))
    processors = [node["CPU"] for node in nodes if node.get("CPU", 0)] or [0.0]
    cpus = options.actor_cpus
    if cpus is None:
        cpus = 1.0 if gpus else max(1.0, min(processors) // on_a_node)
    if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
        raise EngineError(
            f"an actor takes {gpus:g} GPUs and {cpus:g} CPUs, and no node has as many; the largest have"
            f" {max((node.get('GPU', 0) for node in nodes), default=0):g} GPUs and {max(processors):g} CPUs"
        )
    wished = os.environ.get("OMP_NUM_THREADS", "")
    return ActorShape(count, gpus, cpus, int(wished) if wished.isdigit() and int(wished) else max(1, int(cpus)))
