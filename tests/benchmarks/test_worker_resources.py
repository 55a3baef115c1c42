"""Workers share the cores: two of them with a thread for each core would wait for each other."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.options_for_argparse import add_grid_options
from benchmarks.worker_resources import (
    divide_cores,
    divide_gpus,
    list_gpus,
    physical_cores,
    suitable_workers,
    visible_gpus,
)
from benchmarks.xdist_plugin import pytest_xdist_auto_num_workers
from tests.benchmarks.typed_commands import ROOT, typed

_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.quick
@pytest.mark.parametrize("workers", [1, 2, 3, 1_000])
def test_all_workers_together_have_a_thread_for_each_core(workers: int) -> None:
    environment: dict[str, str] = {}
    divide_cores(workers, environment)
    threads = int(environment["OMP_NUM_THREADS"])
    assert threads == max(1, _CORES // workers)


@pytest.mark.quick
def test_what_the_user_has_set_stays() -> None:
    environment = {"OMP_NUM_THREADS": "7"}
    divide_cores(2, environment)
    assert environment["OMP_NUM_THREADS"] == "7"


def test_torch_has_that_many_threads_in_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    test = tmp_path / "test_threads.py"
    test.write_text(
        "from pathlib import Path\n\n\ndef test_threads():\n    import torch\n\n"
        f"    Path({str(tmp_path)!r}, 'threads').write_text(str(torch.get_num_threads()))\n"
    )
    done = typed("benchmarks", str(test), "-k", "test_threads", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "threads").read_text() == str(max(1, _CORES // 2))


@pytest.mark.quick
@pytest.mark.parametrize(("gpus", "expected"), [(1, "00000"), (2, "01010"), (4, "01230"), (8, "01234")])
def test_workers_take_the_gpus_in_turn(gpus: int, expected: str) -> None:
    environments: list[dict[str, str]] = [{} for _ in range(5)]
    for worker, environment in enumerate(environments):
        divide_gpus(worker, [str(number) for number in range(gpus)], environment)
    assert "".join(environment["CUDA_VISIBLE_DEVICES"] for environment in environments) == expected


@pytest.mark.quick
def test_without_a_gpu_nothing_is_set() -> None:
    environment: dict[str, str] = {}
    divide_gpus(1, [], environment)
    assert environment == {}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, ["0", "1", "2"]),
        ("2,0", ["2", "0"]),
        ("GPU-8932f937, MIG-4a", ["GPU-8932f937", "MIG-4a"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),  # as CUDA reads it
    ],
)
def test_the_gpus_that_the_user_made_visible_are_the_ones_divided(named: str | None, expected: list[str]) -> None:
    environment = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    assert visible_gpus(environment, lambda: ["0", "1", "2"]) == expected


@pytest.mark.quick
@pytest.mark.parametrize(
    ("models", "gpus", "cores", "expected"),
    [(2, 0, 8, 2), (16, 0, 8, 8), (2, 1, 8, 1), (16, 4, 8, 4), (2, 8, 1, 2), (1, 0, 1, 1)],
)
def test_auto_starts_a_worker_a_model_as_far_as_gpus_or_else_cores_reach(
    models: int, gpus: int, cores: int, expected: int
) -> None:
    assert suitable_workers(models, gpus, cores) == expected


@pytest.mark.quick
def test_gpus_are_counted_as_the_driver_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1)'\necho '  MIG 1g (UUID: MIG-2)'\necho 'GPU 1: A'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list_gpus() == ["0", "1"]
    tool.write_text("#!/bin/sh\necho 'Failed to initialize NVML' >&2\nexit 9\n")
    assert list_gpus() == []
    tool.unlink()
    assert list_gpus() == []


#: What a worker's process sees of the GPUs, before anything but the test has been loaded.
GPU_TEST = """
import os
import sys
import time
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(4))
def test_gpu(number, request):
    assert "torch" not in sys.modules
    worker = request.config.workerinput["workerid"]
    Path({folder!r}, worker).write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    time.sleep(0.1)
"""


@pytest.mark.slow
def test_each_worker_sees_one_of_the_visible_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the variable names here need not exist: torch is not asked for them."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    files = [tmp_path / name / "test_gpus.py" for name in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_text(GPU_TEST.format(folder=str(tmp_path)))
    options = ("-k", "test_gpu", "-n", "2", "--import-mode", "importlib", "-c", str(ROOT / "pytest.ini"))
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "benchmarks", *map(str, files), *options]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # it has the variable
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
    assert {path.name: path.read_text() for path in tmp_path.glob("gw?")} == {"gw0": "5", "gw1": "7"}


def auto_workers(*arguments: str, tests: str = "benchmarks") -> int | None:
    """What `-n auto` comes to with these options."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--numprocesses", default="auto")
    add_grid_options(parser)
    places = SimpleNamespace(dir=ROOT)
    config: Any = SimpleNamespace(option=parser.parse_args(arguments), args=[tests], invocation_params=places)
    return pytest_xdist_auto_num_workers(config)


@pytest.mark.quick
def test_auto_counts_the_models_of_the_grid_and_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    assert auto_workers() == 2
    assert auto_workers("--models", "llama") == 1
    assert auto_workers("--replicates", "all") == 4
    assert auto_workers("--models", "lama") == 1  # refused in a moment
    for without_gpus in (("--device", "cpu"), ("--device", "cuda:1"), ("--device-map", "auto")):
        assert auto_workers("--replicates", "all", "--skip-sft", *without_gpus) == min(16, physical_cores())


@pytest.mark.quick
def test_auto_is_left_to_xdist_where_it_does_not_concern_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    assert auto_workers(tests="tests") is None
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "3")
    assert auto_workers() is None
