"""Threads of xdist workers: torch takes every core in each of them, and then they wait for each other."""

from __future__ import annotations

import os
from collections.abc import MutableMapping


def divide_cores(workers: int, environment: MutableMapping[str, str] = os.environ) -> None:
    """Let a worker, one of `workers`, use its share of the cores, unless the user has said how many threads it has.

    It must be called before torch is imported, which reads the variable once.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    environment.setdefault("OMP_NUM_THREADS", str(max(1, cores // workers)))
