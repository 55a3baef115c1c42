"""Hooks: the cases of the grid, and their order. Options and fixtures are in `benchmarks`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from difflib import get_close_matches
from pathlib import Path

import pytest

from benchmarks.checks_before_cases import (
    check_baseline_covers,
    check_engine,
    check_models,
    check_problems,
)
from benchmarks.error_remedies import user_message
from benchmarks.fixtures import GATE, PLAN, runner_of
from benchmarks.gate_options import gate_of
from benchmarks.options import DEFAULT_DEVICE, DEFAULT_MODELS, add_skip_options
from benchmarks.plan_from_options import plan_of, remote_results, results_folder, size_of
from benchmarks.run_case import cell_of, gated_cells
from benchmarks.runner import Runner
from benchmarks.stages import STAGES, find_stage
from models.model_registry import UnknownModelError
from noise.placebo_names import is_placebo
from noise.problems.problem_sources import is_file_source
from noise.problems.remote_files import is_url, kept_copies
from reports.experiment import Experiment
from reports.plugin import EXPERIMENT, announce
from reports.stages import UnknownStageError
from reports.store.atomic_io import ResultsFolderError
from reports.store.results_folder import Results
from reports.tables.printable_text import printable
from reports.tables.text_wrap import wrapped
from reports.upstream_pytest import starts_workers

pytest_plugins = [
    "reports.plugin",
    "benchmarks.options",
    "benchmarks.fixtures",
    "benchmarks.xdist_plugin",
    "pytester",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that a conftest.py may add stages to. All others are added before any conftest.py is loaded.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_addoption
    """
    add_skip_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check every option of the grid before anything is collected or loaded.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
    """
    for name in STAGES:
        config.addinivalue_line("markers", f"{name}: the cases of the stage {name}")
    ours = Path(__file__).with_name("pytest.ini")
    if config.inipath != ours and config.option.inifilename is None:
        raise pytest.UsageError(
            f"pytest's settings are from {config.inipath or 'no file'}, expected {ours}; name the tests first, as in"
            " `pytest benchmarks --models FOLDER`, or write --models=FOLDER"
        )
    _keep_copies_of_urls(config)
    try:
        plan, gate = plan_of(config.option), gate_of(config.option)
        remote = remote_results(_results_option(config))
        local = str(config.option.results) if remote is None else str(remote.folder)
        folder = results_folder(local, config.invocation_params.dir)
    except OSError as error:  # of the file system, or a sentence of ours about a missing file
        path = f"{error.filename!s:.60}: {error.strerror}" if error.filename else str(error)
        raise pytest.UsageError(path) from None
    except (UnknownModelError, ValueError) as error:
        raise pytest.UsageError(user_message(error) or str(error)) from None
    config.stash[PLAN], config.stash[GATE] = plan, gate
    inside = [spec for spec in plan.models if Path(spec.source).resolve().is_relative_to(folder.resolve())]
    if config.option.fresh and inside:
        raise pytest.UsageError(
            f"--fresh sets aside all that is in {config.option.results}, and {inside[0].name!r} is read from there"
            f" ({inside[0].source}); write to another folder (--results DIR)"
        )
    seed = plan.seed if plan.noisy_folder is None else None
    experiment = Experiment(Results(folder), seed=seed, options=plan.options(), caveat=plan.caveat)
    if not plan.shard.is_whole:
        experiment.notes.append(
            f"shard {plan.shard}: a part of the problems; `python -m reports merge` puts the shards together"
        )
    announce(config, experiment, config.option.fresh, gate, config.option.save_baseline, user_message, remote)


def _keep_copies_of_urls(config: pytest.Config) -> None:
    """Let every process of the run read the same copy of a problem file that is named by a URL."""
    option = config.option
    named = [option.problems, option.sft_problems, *str(option.datasets).split("=")]
    if any(map(is_url, named)) and not hasattr(config, "workerinput"):  # workers have it from the main process
        copies = ExitStack()
        copies.enter_context(kept_copies())
        config.add_cleanup(copies.close)


def _results_option(config: pytest.Config) -> str:
    """Return the value of `--results`, set to its default if it was not given."""
    if config.option.results is None:
        config.option.results = "results-quick" if size_of(config.option) == "quick" else "results"
    return str(config.option.results)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_report_header"""
    plan, width = config.stash[PLAN], shutil.get_terminal_size().columns
    return [line for text in (plan.describe(), *plan.ignored_settings()) for line in wrapped(text, width)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Generate one case per cell, with ids such as `diffllama-inf-zero_shot`.

    `pytest.mark.stage(name, *datasets)` names the stage of a test. The plan's datasets are the default.
    `pytest.mark.added_stages` stands for all stages added by `register_stage`.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_generate_tests
    """
    plan, mark = metafunc.config.stash[PLAN], metafunc.definition.get_closest_marker("stage")
    cells = []
    if mark is not None:
        try:
            stage = find_stage(*mark.args[:1])
        except (UnknownStageError, TypeError) as error:
            message = error if mark.args else f"pytest.mark.stage wants the name of a stage: {', '.join(STAGES)}"
            raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: {message}") from None
        cells = plan.cells(stage.name, datasets=mark.args[1:])
    elif metafunc.definition.get_closest_marker("added_stages") is not None:
        cells = [cell for stage in STAGES.values() if not stage.own_test for cell in plan.cells(stage.name)]
    else:
        return
    marked = [pytest.param(cell, marks=getattr(pytest.mark, cell.stage), id=cell.id) for cell in cells]
    metafunc.parametrize("cell", marked)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is not requested, and run the cases model by model, each model stage by stage.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_modifyitems
    """
    plan = config.stash[PLAN]
    named = any("::" in argument for argument in config.args)  # explicitly selected
    speed = getattr(config.option, "benchmark_only", False)  # pytest-benchmark's own; without it nothing is timed
    slow_too = config.option.slow or named or "slow" in config.option.markexpr

    def wanted(item: pytest.Item) -> bool:
        cell = cell_of(item)
        if cell is None and (item.get_closest_marker("added_stages") or item.get_closest_marker("stage")):
            return False  # no added stages, or no cell of the stage
        if speed != bool(item.get_closest_marker("speed")):
            return False
        if cell is not None and not plan.has_cases(cell.stage):
            return False
        if item.get_closest_marker("slow") and not slow_too:
            return False
        return bool(not config.option.quick or item.get_closest_marker("quick"))

    def order(item: pytest.Item) -> tuple[int, bool, int]:
        cell = cell_of(item)
        if cell is None:
            return -1, False, -1
        spec = plan.spec_of(cell)
        return plan.models.index(spec), cell.model != spec.name, list(STAGES).index(cell.stage)

    for item in items:
        if cell_of(item) is not None:  # a driver warning must not fail a run
            item.add_marker(pytest.mark.filterwarnings("default", "ignore:`is_gradient_checkpointing`:FutureWarning"))
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = sorted(filter(wanted, items), key=order)  # stable: everything that is no cell stays first and in order


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say which stages the options leave out, and where `-k` has chosen a model whose name holds another's.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_report_collectionfinish
    """
    plan, cells = config.stash[PLAN], [cell for cell in map(cell_of, items) if cell is not None]
    if not cells:
        return _nothing_selected(config)
    lines = []
    left_out = [name for name in STAGES if not plan.has_cases(name)]
    if left_out:
        lines.append(f"stages not asked for: {', '.join(left_out)} (pytest --help names their options)")
    selected, word = list(dict.fromkeys(plan.spec_of(cell).name for cell in cells)), config.option.keyword.strip()
    others = [name for name in selected if name != word and word.lower() in name.lower()]
    if word in selected and others:
        lines.append(f"-k {word} selects {', '.join(selected)}; for {word} alone: -k '{word} and not {others[0]}'")
    width = shutil.get_terminal_size().columns
    return [part for line in lines for part in wrapped(printable(line), width)]


def _nothing_selected(config: pytest.Config) -> list[str]:
    """Say what `-k` can name, where it has selected no case of the grid."""
    plan, word = config.stash[PLAN], config.option.keyword.strip()
    if not word or not any(Path(argument).name == "benchmarks" for argument in config.args):
        return []
    known = [*(spec.name for spec in plan.models), *plan.datasets, *filter(plan.has_cases, STAGES)]
    near = get_close_matches(word, known, n=1)
    line = f"-k {word} selects no case; their names are made of {', '.join(known)}"
    if near:
        line += f". Did you mean {near[0]!r}?"
    return [printable(part) for part in wrapped(line, shutil.get_terminal_size().columns)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Report unusable baselines and problems before the first case runs.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
    """
    config = session.config
    if "hypothesis" not in sys.modules:  # its plugin would import it at the end of a run that has no such test
        config.pluginmanager.unregister(name="hypothesispytest")
    if config.option.collectonly or config.getoption("setuponly", False) or config.getoption("setupplan", False):
        return
    if hasattr(config, "workerinput"):  # xdist's: there the cases answer
        return
    gate, gated = config.stash[GATE], gated_cells(session.items)
    if gate is not None:
        check_baseline_covers(gate, gated)
    if not any(map(cell_of, session.items)):
        return
    _lock_results(config)
    check_engine(config.stash[PLAN], several_workers=False)
    runner = runner_of(config, session.items, config.stash[EXPERIMENT])
    _print_wrapped(config, check_problems(runner, gate, gated))
    check_models(runner, (cell for cell in map(cell_of, session.items) if cell is not None))
    _lock_results(config, create=True)


def _lock_results(config: pytest.Config, create: bool = False) -> None:
    """Take the lock of the results folder, which is made if `create`. Raises `pytest.UsageError`."""
    try:
        config.stash[EXPERIMENT].results.lock.acquire(create)
    except ResultsFolderError as error:
        raise pytest.UsageError(user_message(error) or str(error)) from None


def _print_wrapped(config: pytest.Config, lines: Iterable[str]) -> None:
    reporter, width = config.pluginmanager.get_plugin("terminalreporter"), shutil.get_terminal_size().columns
    if reporter is not None:
        for part in (part for line in lines for part in wrapped(line, width)):
            reporter.write_line(printable(part))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check the problems and models that options name before xdist starts its workers: in them an error fails every
    case.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_sessionstart
    """
    config, plan = session.config, session.config.stash[PLAN]
    if not starts_workers(config) or config.option.collectonly:
        return
    check_engine(plan, several_workers=True)
    runner = Runner(plan, config.stash[EXPERIMENT], needs_tuning=False)
    if is_file_source(plan.problems) or plan.files:
        _print_wrapped(config, check_problems(runner))
    if plan.noisy_folder is None and any(map(is_placebo, plan.datasets)):
        _ = runner.placebo_length  # for run.json, which the workers do not write
    if (config.option.models, config.option.device) != (DEFAULT_MODELS, DEFAULT_DEVICE):
        check_models(runner, (cell for stage in STAGES if plan.has_cases(stage) for cell in plan.cells(stage)))
