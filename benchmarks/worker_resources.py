"""What each xdist worker takes of the machine, and how many workers suit it. No torch here: it reads what is set here.

Without a division torch takes every core in each worker, and every worker takes the first GPU.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, MutableMapping, Sequence

import psutil

#: The variable that says which GPUs a process sees, and in which order.
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"
_SECONDS = 20  # that listing the GPUs may take


def divide_cores(workers: int, environment: MutableMapping[str, str] = os.environ) -> None:
    """Let a worker, one of `workers`, use its share of the cores, unless the user has said how many threads it has.

    It must be called before torch is imported, which reads the variable once.
    """
    environment.setdefault("OMP_NUM_THREADS", str(max(1, _usable_cores() // workers)))


def divide_gpus(worker: int, gpus: Sequence[str], environment: MutableMapping[str, str] = os.environ) -> None:
    """Let worker number `worker`, from 0, see one of `gpus` alone: that of its number, and from the first on again.

    Without a GPU nothing is set. It must be called before torch first uses a GPU.
    """
    if gpus:
        environment[VISIBLE_GPUS] = gpus[worker % len(gpus)]


def list_gpus() -> list[str]:
    """Return the number of each NVIDIA GPU, as the driver's own tool lists them; none without that tool."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        done = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return [str(number) for number, _ in enumerate(line for line in lines if line.startswith("GPU "))]


def visible_gpus(
    environment: Mapping[str, str] = os.environ, list_all: Callable[[], Sequence[str]] = list_gpus
) -> list[str]:
    """Return the GPUs that this process may use, each as `CUDA_VISIBLE_DEVICES` names it.

    What the user has set there counts, up to the first entry that names none, as CUDA reads it.
    """
    named = environment.get(VISIBLE_GPUS)
    if named is None:
        return list(list_all())
    gpus = []
    for part in map(str.strip, named.split(",")):
        if not part or part.startswith("-"):
            break
        gpus.append(part)
    return gpus


def suitable_workers(models: int, gpus: int, cores: int) -> int:
    """Return how many workers `-n auto` starts: one a model, and no more than there are GPUs, or else cores."""
    return max(1, min(models, gpus or cores))


def physical_cores(logical: bool = False) -> int:
    """Return the number of cores that this process may use; with `logical`, of hardware threads."""
    usable = _usable_cores()
    return usable if logical else min(usable, psutil.cpu_count(logical=False) or usable)


def _usable_cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
