"""The engine `ray`: models are asked by actors, on this machine or on a Ray cluster. The only module that touches Ray.

https://docs.ray.io/en/latest/ray-core/actors.html and ray-generator.html; `tests/benchmarks/test_ray_engine.py` checks
what it relies on.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.engines.actor_shape import actor_shape
from benchmarks.engines.engine import EngineError
from benchmarks.engines.engine_options import EngineOptions
from benchmarks.engines.many_workers_engine import DividedEngine, Event
from benchmarks.engines.piece_worker import REQUESTS, PieceWorker

#: How long the first actor may take to start, in seconds: a cluster may have to add a node for it.
START_SECONDS = 900
#: How long an answer of Ray is waited for before it is asked again, in seconds.
_POLL_SECONDS = 5
_PROJECT = Path(__file__).parents[2]
#: What the nodes of a cluster need of this project.
_PACKAGES = ("noise", "reports", "models", "benchmarks")


class RayWorkers:
    """See `benchmarks.engines.many_workers_engine.Workers`. Connects to Ray, and starts it unless there is an address.

    Raises `EngineError` if Ray cannot be started or reached.
    """

    def __init__(self, options: EngineOptions, device: str) -> None:
        _connect(options)
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        try:
            self._shape = actor_shape(options, device, nodes)
        except EngineError:
            self.close()
            raise
        self.count = self._shape.count
        self._actor_class = ray.remote(
            num_gpus=self._shape.gpus, num_cpus=self._shape.cpus, max_restarts=0, max_task_retries=0
        )(_Actor)
        self._actors: dict[int, Any] = {}
        self._requests: dict[int, Any] = {}  # the generator of each
        self._ready: list[int] = []  # those that have something to tell
        self._started: set[int] = set()
        self._numbers = iter(range(10**9))
        for _ in range(self.count):
            self._start()

    def _start(self) -> None:
        worker = next(self._numbers)
        self._actors[worker] = self._actor_class.remote(self._shape.threads)
        self.send(worker, "start")

    def idle(self) -> list[int]:
        return [worker for worker in self._started if worker not in self._requests]

    def send(self, worker: int, request: str, *arguments: Any) -> None:
        self._requests[worker] = (
            self._actors[worker].perform.options(num_returns="streaming").remote(request, *arguments)
        )

    def next_event(self) -> Event:
        import ray

        worker = self._next_ready()
        request = self._requests[worker]
        try:
            return Event(worker, "answer", ray.get(next(request)))
        except StopIteration:
            del self._requests[worker]
            self._started.add(worker)
            return Event(worker, "end")
        except ray.exceptions.RayTaskError as error:
            del self._requests[worker]
            return Event(worker, "raised", error.cause)
        except ray.exceptions.RayError as error:
            self.replace([worker])
            return Event(worker, "lost", " ".join(str(error).split())[:300])

    def _next_ready(self) -> int:
        """Wait until a worker has something to tell, and return its number. Each has its turn."""
        import ray

        while self._ready:
            worker = self._ready.pop(0)
            if worker in self._requests:
                return worker
        deadline = time.monotonic() + START_SECONDS
        by_request = {request: worker for worker, request in self._requests.items()}
        while True:
            ready, _ = ray.wait(list(by_request), num_returns=1, timeout=_POLL_SECONDS)
            if ready:
                break
            if not self._started and time.monotonic() > deadline:
                free = ray.available_resources()
                raise EngineError(
                    f"no actor has started in {START_SECONDS} seconds: each takes {self._shape.gpus:g} GPUs and"
                    f" {self._shape.cpus:g} CPUs, and {free.get('GPU', 0):g} and {free.get('CPU', 0):g} are free"
                )
        ready, _ = ray.wait(list(by_request), num_returns=len(by_request), timeout=0)
        self._ready = [by_request[request] for request in ready]
        return self._ready.pop(0)

    def replace(self, workers: Iterable[int]) -> None:
        import ray

        for worker in list(workers):
            actor = self._actors.pop(worker, None)
            if actor is None:
                continue
            self._requests.pop(worker, None)
            self._started.discard(worker)
            with suppress(ray.exceptions.RayError):
                ray.kill(actor)
            self._start()

    def close(self) -> None:
        import ray

        with _quiet():
            ray.shutdown()


class _Actor:
    """A `PieceWorker` in a process of Ray. A generator's answers are sent as they are made."""

    def __init__(self, threads: int) -> None:
        self._worker = PieceWorker(threads)

    def perform(self, request: str, *arguments: Any) -> Iterator[Any]:
        yield from REQUESTS[request](self._worker, *arguments)


def _connect(options: EngineOptions) -> None:
    """Connect to the cluster at the address, or start Ray on this machine. Raises `EngineError`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    common: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if options.ray_address is None:
        os.environ.setdefault("RAY_worker_niceness", "0")  # actors are as urgent as this process is
        affinity = getattr(os, "sched_getaffinity", None)
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        taken = (options.actors or 1) * (options.actor_cpus or 1)
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))}
        arguments: dict[str, Any] = {
            "address": "local",
            "num_cpus": max(cores, int(-(-taken // 1))),
            "include_dashboard": False,
            "runtime_env": {"env_vars": environment},
        }
    else:
        check_reachable(options.ray_address)
        modules = [str(_PROJECT / package) for package in _PACKAGES]
        arguments = {"address": options.ray_address, "runtime_env": {"py_modules": modules}}
    with _quiet():
        import ray

        try:
            ray.init(**common, **arguments)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise EngineError(f"Ray at {options.ray_address or 'this machine'} does not answer: {reason}") from error


def check_reachable(address: str) -> None:
    """Raise `EngineError` if nobody listens at `HOST:PORT`. Any other address is for Ray to look up."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise EngineError(f"no Ray cluster answers at {address}: {error.strerror or error}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Inside, warnings of Ray are no errors, and it leaves the signals of this process alone."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            if is_main and before is not None:
                signal.signal(signal.SIGTERM, before)


def ray_engine_of(options: EngineOptions, device: str, least: int) -> DividedEngine:
    """Return the engine; Ray is started or reached when it is first asked."""
    return DividedEngine(lambda: RayWorkers(options, device), least)
