"""What all tests share."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Exempt what is imported by now from garbage collection: a run of pytest inside a test collects several times.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
    """
    gc.collect()
    gc.freeze()
