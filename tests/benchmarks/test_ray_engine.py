"""Actors that are killed, a driver that is killed, and a node that goes: the tables are those of one process.

What needs Ray is marked `slow`, and skipped where Ray is not installed: pip install -r requirements-ray.txt.
"""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.engines import ray_engine
from benchmarks.engines.actor_shape import ActorShape, actor_shape
from benchmarks.engines.engine import EngineError
from benchmarks.engines.engine_options import EngineOptions
from benchmarks.engines.ray_engine import check_reachable
from benchmarks.plan_errors import PlanError
from tests.benchmarks.small_grid import DATASETS, files_of, record_count, run_grid
from tests.benchmarks.typed_commands import ROOT, typed

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install -r requirements-ray.txt"
)
PROBLEMS, KILLS = 24, 10


@pytest.fixture
def ray_options(monkeypatch: pytest.MonkeyPatch) -> Callable[..., EngineOptions]:
    """Options of the engine ray, for tests that need no Ray."""
    monkeypatch.setattr("benchmarks.engines.engine_options.find_spec", lambda name: name)
    return lambda **options: EngineOptions("ray", **options)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("given", "device", "nodes", "shape"),
    [
        ({}, "auto", [{"CPU": 8}], (1, 0, 8)),
        ({"actors": 2}, "auto", [{"CPU": 8}], (2, 0, 4)),
        ({"actors": 16}, "auto", [{"CPU": 8}], (16, 0, 1)),
        ({}, "auto", [{"CPU": 64, "GPU": 8}], (8, 1, 1)),
        ({}, "cpu", [{"CPU": 64, "GPU": 8}], (1, 0, 64)),
        ({"actor_gpus": 0.5}, "auto", [{"CPU": 64, "GPU": 8}], (16, 0.5, 1)),
        ({"actor_gpus": 2}, "cuda", [{"CPU": 64, "GPU": 8}, {"CPU": 64, "GPU": 8}], (8, 2, 1)),
        ({"actor_cpus": 3}, "auto", [{"CPU": 64, "GPU": 8}], (8, 1, 3)),
        ({}, "auto", [{"CPU": 8}, {"CPU": 4}], (2, 0, 4)),
        ({}, "auto", [{"CPU": 0, "memory": 1e9}, {"CPU": 4}, {"CPU": 4}], (2, 0, 4)),
    ],
)
def test_each_card_has_an_actor_or_else_each_node(
    given: dict[str, Any],
    device: str,
    nodes: list[dict[str, float]],
    shape: tuple[int, float, float],
    ray_options: Callable[..., EngineOptions],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert actor_shape(ray_options(**given), device, nodes) == ActorShape(*shape, threads=int(shape[2]))


@pytest.mark.quick
def test_actors_that_no_node_has_room_for_are_refused(ray_options: Callable[..., EngineOptions]) -> None:
    with pytest.raises(EngineError, match="an actor takes 4 GPUs and 1 CPUs, and no node has as many"):
        actor_shape(ray_options(actor_gpus=4), "auto", [{"CPU": 8, "GPU": 2}])


@pytest.mark.quick
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"actors": 0}, "--actors 0: expected a number from 1 up"),
        ({"actor_gpus": 1.5}, "--actor-gpus 1.5: expected a share of one GPU from 0 to 1, or a whole number"),
        ({"actor_cpus": 0.0}, "--actor-cpus 0.0: expected a number above 0, up to 1024"),
        ({"ray_address": "ray://head:10001"}, "expected HOST:PORT of the cluster's head, or auto"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    given: dict[str, Any], sentence: str, ray_options: Callable[..., EngineOptions]
) -> None:
    with pytest.raises(PlanError) as raised:
        ray_options(**given)
    assert sentence in raised.value.as_options()


@pytest.mark.quick
def test_an_option_of_ray_alone_names_the_engine() -> None:
    with pytest.raises(PlanError) as raised:
        EngineOptions(actors=2)
    assert raised.value.as_options() == "--actors 2: only the engine ray has actors; add --engine ray"


@pytest.mark.quick
def test_a_missing_ray_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.engines.engine_options.find_spec", lambda name: None)
    with pytest.raises(PlanError) as raised:
        EngineOptions("ray")
    assert raised.value.as_options() == "--engine ray: Ray is not installed; pip install -r requirements-ray.txt"


@pytest.mark.quick
def test_an_address_that_nobody_answers_at_is_one_sentence() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(EngineError, match=f"^no Ray cluster answers at {address}: Connection refused$"):
            check_reachable(address)


@pytest.fixture(scope="module")
def of_one_process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("one") / "results"
    run_grid(folder, PROBLEMS, ["zero_shot"])
    return files_of(folder)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # another program may keep all cores busy


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 1, "include_dashboard": False})
    yield started
    started.shutdown()


def actors() -> list[psutil.Process]:
    """Return the processes of actors on this machine whose Ray this process, or one that it started, has started."""
    return [child for child in psutil.Process().children(recursive=True) if is_actor(child)]


def is_actor(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and any("_Actor" in part for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@needs_ray
def test_a_start_that_fails_leaves_no_ray_behind() -> None:
    """The next model gets the same reason, and not that Ray is running already."""
    for _ in range(2):
        with pytest.raises(EngineError, match="an actor takes 4 GPUs"):
            ray_engine.RayWorkers(EngineOptions("ray", actor_gpus=4), "auto")


@pytest.mark.slow
@needs_ray
def test_ray_does_what_the_engine_relies_on() -> None:
    """Generators can be waited for; they end with StopIteration, carry errors as they were, and say who was killed."""
    ray_engine._connect(EngineOptions("ray", actors=1))
    import ray

    class Numbers:
        def perform(self, request: str) -> Iterator[Any]:
            yield os.getpid()
            if request == "raise":
                raise KeyError("mine")
            if request == "die":
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Numbers).remote()

        def answers(request: str) -> Iterator[Any]:
            generator = actor.perform.options(num_returns="streaming").remote(request)
            while True:
                ready, _ = ray.wait([generator], num_returns=1, timeout=120)
                assert ready == [generator]
                try:
                    yield ray.get(next(generator))
                except StopIteration:
                    return

        assert len(list(answers("end"))) == 1
        with pytest.raises(ray.exceptions.RayTaskError) as raised:
            list(answers("raise"))
        assert repr(raised.value.cause) == "KeyError('mine')"
        with pytest.raises(ray.exceptions.RayActorError):
            list(answers("die"))
        assert issubclass(ray.exceptions.RayActorError, ray.exceptions.RayError)
        assert not issubclass(ray.exceptions.RayActorError, ray.exceptions.RayTaskError)
    finally:
        ray.shutdown()


@pytest.mark.slow
@needs_ray
def test_two_actors_leave_what_one_process_leaves(tmp_path: Path) -> None:
    """In every stage."""
    stages = ["zero_shot", "sft", "attention", "likelihood", "intervene"]
    run_grid(tmp_path / "one", 6, stages)
    run_grid(tmp_path / "two", 6, stages, EngineOptions("ray", actors=2))
    one, two = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    measured = [_rows(files.pop("comparisons.csv")) for files in (one, two)]
    assert one == two
    for here, there in zip(*measured, strict=True):
        if here["measure"] == "accuracy":
            assert here == there
        for name in ("stage", "measure", "contrast", "model", "against", "noise", "n"):
            assert here[name] == there[name]
        for name in ("estimate", "low", "high"):  # of a likelihood, neighbours in a batch change the last digits
            assert here[name] == pytest.approx(there[name], abs=1e-4)
    readings = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").glob("readings/*/*/*.jsonl")}
    assert readings == {path.relative_to(tmp_path / "two") for path in (tmp_path / "two").glob("readings/*/*/*.jsonl")}
    maps = [{path.name for path in (tmp_path / name).glob("attention_maps/*/*.npz")} for name in ("one", "two")]
    assert maps[0] == maps[1] != set()


@pytest.mark.slow
@needs_ray
def test_actors_killed_at_ten_random_moments_lose_and_double_nothing(
    tmp_path: Path, of_one_process: dict[str, Any]
) -> None:
    rng, folder, killed = random.Random(0), tmp_path / "results", list[int]()
    total = PROBLEMS * len(DATASETS)
    moments = sorted(rng.sample(range(total - 4), KILLS))

    def kill_on_the_way() -> None:
        while len(killed) < KILLS and record_count(folder) < total:
            alive = [actor for actor in actors() if actor.pid not in killed]
            if alive and record_count(folder) >= moments[len(killed)]:
                victim = rng.choice(alive)
                victim.kill()
                killed.append(victim.pid)
            time.sleep(0.02)

    killer = threading.Thread(target=kill_on_the_way)
    killer.start()
    run_grid(folder, PROBLEMS, ["zero_shot"], EngineOptions("ray", actors=2))
    killer.join()
    assert len(killed) == KILLS
    assert files_of(folder) == of_one_process


@pytest.mark.slow
@needs_ray
def test_a_killed_driver_takes_its_actors_along_and_the_same_command_goes_on(
    tmp_path: Path, of_one_process: dict[str, Any]
) -> None:
    folder = tmp_path / "results"
    words = [sys.executable, "-m", "tests.benchmarks.small_grid", str(folder), str(PROBLEMS), "zero_shot", "2"]
    driver = subprocess.Popen(words, cwd=ROOT)
    _wait_until(lambda: record_count(folder) >= PROBLEMS // 3)
    started = actors()
    assert started
    driver.kill()
    driver.wait()
    done = record_count(folder)
    assert done < PROBLEMS * len(DATASETS)
    _wait_until(lambda: not any(map(is_actor, started)), seconds=60)
    subprocess.run(words, cwd=ROOT, check=True)
    assert files_of(folder) == of_one_process


@pytest.mark.slow
@needs_ray
def test_a_node_that_goes_leaves_its_problems_to_the_other(
    tmp_path: Path, of_one_process: dict[str, Any], cluster: Any
) -> None:
    second, folder = cluster.add_node(num_cpus=1), tmp_path / "results"
    gone = list[int]()

    def remove() -> None:
        _wait_until(lambda: record_count(folder) >= PROBLEMS // 3)
        cluster.remove_node(second, allow_graceful=False)
        gone.append(record_count(folder))

    remover = threading.Thread(target=remove)
    remover.start()
    options = EngineOptions("ray", ray_address=cluster.address, actors=2, actor_gpus=0)
    run_grid(folder, PROBLEMS, ["zero_shot"], options)
    remover.join()
    assert gone[0] < PROBLEMS * len(DATASETS)
    assert files_of(folder) == of_one_process


@pytest.mark.slow
@needs_ray
def test_two_actors_share_a_card(tmp_path: Path, cluster: Any) -> None:
    """The card is one that Ray was told of: nothing here needs a GPU."""
    options = EngineOptions("ray", ray_address=cluster.address, actor_gpus=0.5, actor_cpus=0.5)
    run_grid(tmp_path / "results", 2, ["zero_shot"], options)
    assert record_count(tmp_path / "results") == 2 * len(DATASETS)
    workers = ray_engine.RayWorkers(options, "auto")
    try:
        assert workers.count == 2
        for _ in range(2 * workers.count):  # each has started, and has ended its start
            workers.next_event()
        assert len(workers.idle()) == 2
    finally:
        workers.close()


@pytest.mark.slow
@needs_ray
def test_workers_of_xdist_and_of_ray_exclude_each_other() -> None:
    done = typed("benchmarks", "--engine", "ray", "-n", "2")
    assert done.returncode == 4
    assert "-n and --engine ray: expected at most one of the two" in done.stdout + done.stderr


def _rows(table: str) -> list[dict[str, Any]]:
    return [
        {name: float(text) if name in ("estimate", "low", "high") and text else text for name, text in row.items()}
        for row in csv.DictReader(io.StringIO(table))
    ]


def _wait_until(condition: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come in time"
        time.sleep(0.02)
