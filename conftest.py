"""Hooks: the one file that wires the packages together. The fixtures are in `benchmarks.fixtures`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.eval_set import measured_problems
from benchmarks.fixtures import GATE, PLAN, cell_of, gated_cells, spec_of, tunes
from benchmarks.gate_options import gate_of
from benchmarks.options import add_options, plan_of, size_of
from benchmarks.plan import STAGES, GridError
from benchmarks.sft_set import tuning_set
from models.model_registry import UnknownModelError, trained_on
from models.prompt import PLAIN
from reports.experiment import Experiment
from reports.plugin import announce
from reports.store.results_folder import Results
from reports.tables.text_wrap import wrapped

pytest_plugins = ["reports.plugin", "benchmarks.fixtures", "pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_addoption"""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check every option of the grid before anything is collected or loaded.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
    """
    try:
        plan, gate = plan_of(config.option), gate_of(config.option)
    except (GridError, UnknownModelError, ValueError, FileNotFoundError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[PLAN], config.stash[GATE] = plan, gate
    if config.option.results is None:
        config.option.results = "results-quick" if size_of(config.option) == "quick" else "results"
    folder = config.invocation_params.dir / config.option.results
    if folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--results {config.option.results}: expected a folder, found a file")
    inside = [spec for spec in plan.models if Path(spec.source).resolve().is_relative_to(folder.resolve())]
    if config.option.fresh and inside:
        raise pytest.UsageError(
            f"--fresh sets aside all that is in {config.option.results}, and {inside[0].name!r} is read from there"
            f" ({inside[0].source}); write to another folder (--results DIR)"
        )
    seed = plan.seed if plan.noisy_folder is None else None
    experiment = Experiment(Results(folder), seed=seed, options=plan.options(), caveat=plan.caveat)
    announce(config, experiment, config.option.fresh, gate, config.option.save_baseline)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_report_header"""
    return wrapped(config.stash[PLAN].describe(), shutil.get_terminal_size().columns)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case a cell, with ids as `diffllama-inf-zero_shot`; a case says its stage with `pytest.mark.stage`, and what
    it is about where that is not the plan's datasets.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_generate_tests
    """
    stage = metafunc.definition.get_closest_marker("stage")
    if stage is not None:
        cells = metafunc.config.stash[PLAN].cells(stage.args[0], datasets=stage.args[1:])
        metafunc.parametrize(("spec", "cell"), cells, ids=[cell.id for _, cell in cells], indirect=["spec"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and run the cases model by model, each model stage by stage.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_modifyitems
    """
    plan = config.stash[PLAN]
    named = any("::" in argument for argument in config.args)  # whoever names a test wants it
    speed = getattr(config.option, "benchmark_only", False)  # pytest-benchmark's own; without it nothing is timed
    slow_too = config.option.slow or named or "slow" in config.option.markexpr

    def wanted(item: pytest.Item) -> bool:
        cell = cell_of(item)
        if speed != bool(item.get_closest_marker("speed")):
            return False
        if cell is not None and not plan.has_cases(cell.stage):
            return False
        if item.get_closest_marker("slow") and not slow_too:
            return False
        return bool(not config.option.quick or item.get_closest_marker("quick"))

    def place(item: pytest.Item) -> tuple[int, bool, int]:
        cell = cell_of(item)
        if cell is None:
            return -1, False, -1
        spec = spec_of(item)
        return plan.models.index(spec), cell.model != spec.name, STAGES.index(cell.stage)

    for item in items:
        if item.get_closest_marker("stage"):  # a warning of somebody's driver must not end an experiment
            item.add_marker(pytest.mark.filterwarnings("default", "ignore:`is_gradient_checkpointing`:FutureWarning"))
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = sorted(filter(wanted, items), key=place)  # stable: everything that is no cell stays first and in order


def pytest_collection_finish(session: pytest.Session) -> None:
    """Answer now for a baseline that lacks a cell, and for problems that a model cannot be tuned on or measured with,
    and not after the first stages.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
    """
    plan, config = session.config.stash[PLAN], session.config
    tuning = any(map(tunes, session.items))
    worker = hasattr(config, "workerinput")  # xdist's: there the fixtures answer, as a case
    if config.option.collectonly or worker:
        return
    gate = config.stash[GATE]
    lacking = None if gate is None else gate.missing(gated_cells(session.items))
    if lacking:
        raise pytest.UsageError(lacking)
    if not any(map(cell_of, session.items)):
        return
    try:
        if not tuning and not any(map(trained_on, plan.models)) and plan.template == PLAIN:
            return
        said = str(measured_problems(plan, tuning))
        if tuning:
            tuning_set(plan)
    except (ValueError, OSError) as error:
        raise pytest.UsageError(str(error)) from None
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for line in wrapped(said, shutil.get_terminal_size().columns):
            reporter.write_line(line)
