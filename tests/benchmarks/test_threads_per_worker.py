"""Workers share the cores: two of them with a thread for each core would wait for each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.threads_per_worker import divide_cores
from tests.benchmarks.typed_commands import typed

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
