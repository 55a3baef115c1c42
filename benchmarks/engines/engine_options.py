"""The command line of the engines: where models are asked, and by how many processes. No torch and no Ray here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from benchmarks.gate_options import AddOption
from benchmarks.plan_errors import FROM_ONE, PlanError, check_range, escaped
from noise.unknown_name import unknown_name

#: The engines that `--engine` knows; `benchmarks.engines.ENGINES` makes each.
ENGINE_NAMES = ("local", "ray")


@dataclass(frozen=True)
class EngineOptions:
    """Which engine a run has, and what it is given.

    `ray_address` is where a Ray cluster is (None: Ray is started on this machine). `actors` counts the processes that
    ask, `actor_gpus` and `actor_cpus` say what each takes of its node; None is what suits the nodes.
    """

    name: str = "local"
    ray_address: str | None = None
    actors: int | None = None
    actor_gpus: float | None = None
    actor_cpus: float | None = None

    def __post_init__(self) -> None:
        """Raise `PlanError` for options that mean nothing, and for Ray where it is not installed."""
        if self.name not in ENGINE_NAMES:
            raise PlanError(f"{{engine:name}}: {escaped(unknown_name('engine', self.name, ENGINE_NAMES))}")
        of_ray = {name: value for name, value in vars(self).items() if name != "name" and value is not None}
        if self.name != "ray" and of_ray:
            name, value = next(iter(of_ray.items()))
            raise PlanError(f"{{{name}}}: only the engine ray has actors; add {{engine:name}} ray", **{name: value})
        if self.actors is not None:
            check_range("actors", self.actors, FROM_ONE)
        if self.actor_gpus is not None and not (0 <= self.actor_gpus <= 1 or self.actor_gpus in range(2, 1025)):
            raise PlanError(
                "{actor_gpus}: expected a share of one GPU from 0 to 1, or a whole number", actor_gpus=self.actor_gpus
            )
        if self.actor_cpus is not None and not 0 < self.actor_cpus <= 1024:
            raise PlanError("{actor_cpus}: expected a number above 0, up to 1024", actor_cpus=self.actor_cpus)
        if self.ray_address is not None and ("@" in self.ray_address):
            raise PlanError("{ray_address:name}: expected HOST:PORT without a user or a password")
        if self.ray_address is not None and ("://" in self.ray_address or not self.ray_address.strip()):
            raise PlanError(
                "{ray_address}: expected HOST:PORT of the cluster's head, or auto on one of its nodes",
                ray_address=self.ray_address,
            )
        if self.name == "ray" and find_spec("ray") is None:
            raise PlanError("{engine:name} ray: Ray is not installed; pip install -r requirements-ray.txt")


def add_engine_options(add: AddOption) -> None:
    """Add the options of the engines."""
    add(
        "--engine",
        default=ENGINE_NAMES[0],
        choices=ENGINE_NAMES,
        help="where models are asked: local is this process, and ray divides each cell over actors, on this machine or"
        " on a cluster (default: %(default)s)",
    )
    add(
        "--ray-address",
        metavar="ADDRESS",
        help="a Ray cluster: HOST:PORT of its head, or auto on one of its nodes (default: Ray is started here)",
    )
    add("--actors", type=int, metavar="N", help="actors of Ray (default: one for each GPU, or for each node)")
    add(
        "--actor-gpus",
        type=float,
        metavar="F",
        help="GPUs of an actor, or a share of one, as 0.5 (default: 1 where there are any)",
    )
    add(
        "--actor-cpus",
        type=float,
        metavar="F",
        help="processors of an actor, and torch's threads in it (default: 1 with a GPU, else its share of the node's)",
    )


def engine_options_of(options: Mapping[str, Any]) -> EngineOptions:
    """Return the engine that options name. Raises `PlanError`."""
    return EngineOptions(
        name=options["engine"],
        ray_address=options["ray_address"],
        actors=options["actors"],
        actor_gpus=options["actor_gpus"],
        actor_cpus=options["actor_cpus"],
    )
