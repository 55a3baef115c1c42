"""What all tests share."""

from __future__ import annotations

import gc

from hypothesis import settings

# A slow or busy machine is no failure: tests of speed compare processor times.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Exempt what is imported by now from garbage collection: a run of pytest inside a test collects several times.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
    """
    gc.collect()
    gc.freeze()
