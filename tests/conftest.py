"""What all tests share."""

from __future__ import annotations

import gc
import os

from hypothesis import settings

# One thread a worker, before torch is imported: two workers of two threads each wait for each other. On two cores,
# `tests/models/test_fine_tuning.py -n 2` takes 55 s of processor time with it, and 236 s without.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A slow or busy machine is no failure: tests of speed compare processor times.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Exempt what is imported by now from garbage collection: a run of pytest inside a test collects several times.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
    """
    gc.collect()
    gc.freeze()
