"""Hooks for `-n N`: one model stays on one worker, and workers divide the cores and the GPUs. xdist may be absent."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.error_remedies import user_message
from benchmarks.fixtures import PLAN
from benchmarks.plan_from_options import plan_of
from benchmarks.worker_resources import divide_cores, divide_gpus, physical_cores, suitable_workers, visible_gpus

#: Whether the user has left it to us how cases are distributed.
_LEFT_TO_US = pytest.StashKey[bool]()
_ROOT = Path(__file__).resolve().parents[1]
_GPUS = "gpus"  # a key of what xdist gives to its workers


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Keep whether `--dist` was given, before xdist sets it.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_cmdline_main
    """
    option = config.option
    config.stash[_LEFT_TO_US] = getattr(option, "dist", "no") == "no" and not getattr(option, "distload", False)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """In a worker, take its share of the cores and its GPU, before anything imports torch.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
    """
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        divide_cores(worker["workercount"])
        number = worker["workerid"].removeprefix("gw")
        if number.isdigit():  # a worker that --tx names has no number: the user divides the GPUs
            divide_gpus(int(number), worker.get(_GPUS, ()))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which GPUs the workers share.

    https://github.com/pytest-dev/pytest-xdist/blob/master/src/xdist/newhooks.py
    """
    node.workerinput[_GPUS] = _shared_gpus(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return the number of workers of `-n auto` for the grid. For other tests, and where xdist's own variable has the
    number, leave it to xdist.

    https://github.com/pytest-dev/pytest-xdist/blob/master/src/xdist/newhooks.py
    """
    if not _all_inside(config, "benchmarks") or os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    try:
        models = len(plan_of(config.option).models)
    except Exception as error:
        if user_message(error) is None and not isinstance(error, (OSError, ValueError)):
            raise
        return 1  # the options are refused in a moment, in words
    cores = physical_cores(logical=config.option.numprocesses == "logical")
    return suitable_workers(models, len(_shared_gpus(config)), cores)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what keeps a model's cases on one worker, unless the user named another `--dist`, or runs our own tests.

    https://github.com/pytest-dev/pytest-xdist/blob/master/src/xdist/newhooks.py
    """
    if not config.stash.get(_LEFT_TO_US, False) or _all_inside(config, "tests"):
        return None
    from benchmarks.model_scheduling import ModelScheduling

    return ModelScheduling(config, log, config.stash[PLAN])


def _all_inside(config: pytest.Config, folder: str) -> bool:
    """Whether every test that the command line names is in a folder of the project."""
    paths = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return bool(paths) and all(path.resolve().is_relative_to(_ROOT / folder) for path in paths)


def _shared_gpus(config: pytest.Config) -> list[str]:
    """Return the GPUs that the workers share: none where the command line says which are used."""
    divided = config.option.device in ("auto", "cuda") and config.option.device_map is None
    return visible_gpus() if divided else []
