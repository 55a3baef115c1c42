"""Hooks and fixtures: the one file that wires the packages together. No torch before a model is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.failing import failing_with
from benchmarks.grid import STAGES, GridError, Plan, is_tuned
from benchmarks.options import add_options, plan_of
from benchmarks.tuning import TuningSet, measured_problems, tuned_checkpoint, tuning_set
from models.registry import ModelSpec, UnknownModelError
from models.tuning_options import SUFFIX
from noise.problems import NoisyProblem, Problem
from noise.sources import load_problems
from reports.experiment import Experiment
from reports.plugin import announce, progress_of
from reports.records import AttentionReading, Cell, Prediction
from reports.store import Results

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from models.loading import LoadedModel

pytest_plugins = ["reports.plugin", "pytester"]

_PLAN = pytest.StashKey[Plan]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_addoption"""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check every option of the grid before anything is collected or loaded.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
    """
    try:
        plan = plan_of(config.option)
    except (GridError, UnknownModelError, ValueError, FileNotFoundError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_PLAN] = plan
    folder = config.invocation_params.dir / config.option.results
    if folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--results {config.option.results}: expected a folder, found a file")
    seed = plan.seed if plan.noisy_folder is None else None
    experiment = Experiment(Results(folder), seed=seed, options=plan.options(), caveat=plan.caveat)
    announce(config, experiment, fresh=config.option.fresh)


def pytest_report_header(config: pytest.Config) -> str:
    """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_report_header"""
    return config.stash[_PLAN].describe()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case a cell, with ids as `diffllama-inf-zero_shot`; a case says its stage with `pytest.mark.stage`, and what
    it is about where that is not the plan's datasets.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_generate_tests
    """
    stage = metafunc.definition.get_closest_marker("stage")
    if stage is not None:
        cells = metafunc.config.stash[_PLAN].cells(stage.args[0], datasets=stage.args[1:])
        metafunc.parametrize(("spec", "cell"), cells, ids=[cell.id for _, cell in cells], indirect=["spec"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and run the cases model by model, each model stage by stage.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_modifyitems
    """
    plan = config.stash[_PLAN]
    named = any("::" in argument for argument in config.args)  # whoever names a test wants it
    slow_too = config.option.slow or named or "slow" in config.option.markexpr
    cells = {item: item.callspec.params.get("cell") for item in items if hasattr(item, "callspec")}

    def wanted(item: pytest.Item) -> bool:
        cell = cells.get(item)
        if isinstance(cell, Cell) and cell.stage not in plan.stages:
            return False
        if item.get_closest_marker("slow") and not slow_too:
            return False
        return bool(not config.option.quick or item.get_closest_marker("quick"))

    def place(item: pytest.Item) -> tuple[int, bool, int]:
        cell = cells.get(item)
        if not isinstance(cell, Cell):
            return -1, False, -1
        spec = spec_of(item)
        return plan.models.index(spec), cell.model != spec.name, STAGES.index(cell.stage)

    for item in cells:
        if item.get_closest_marker("stage"):  # a warning of somebody's driver must not end an experiment
            item.add_marker(pytest.mark.filterwarnings("default", "ignore:`is_gradient_checkpointing`:FutureWarning"))
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = sorted(filter(wanted, items), key=place)  # stable: everything that is no cell stays first and in order


def spec_of(item: pytest.Item) -> ModelSpec:
    """Which model a case is about."""
    spec: ModelSpec = item.callspec.params["spec"]  # type: ignore[attr-defined]
    return spec


def tunes(item: pytest.Item) -> bool:
    """Whether a case needs a tuned model."""
    cell = item.callspec.params.get("cell") if hasattr(item, "callspec") else None
    return isinstance(cell, Cell) and is_tuned(spec_of(item), cell)


def pytest_collection_finish(session: pytest.Session) -> None:
    """If a model will be tuned, answer now for what it cannot be tuned on, and not after the first stages have run.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_finish
    """
    worker = hasattr(session.config, "workerinput")  # xdist's: there the fixture answers, as a case
    if session.config.option.collectonly or worker or not any(map(tunes, session.items)):
        return
    try:
        tuning_set(session.config.stash[_PLAN])
    except (ValueError, OSError) as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def plan(pytestconfig: pytest.Config) -> Plan:
    """What this run was asked to do."""
    return pytestconfig.stash[_PLAN]


@pytest.fixture(scope="session")
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Which model a case is about: the one parameter of session scope, so that no model is loaded twice."""
    found: ModelSpec = request.param
    return found


@pytest.fixture(scope="session")
def base_model(spec: ModelSpec, plan: Plan) -> LoadedModel:
    """The model as it is, loaded once for all its cases."""
    from models.loading import LoadError, load

    with failing_with(LoadError):
        return load(spec, plan.device, plan.dtype)


@pytest.fixture(scope="session")
def tuning_problems(plan: Plan) -> TuningSet:
    """What every model of this run is tuned on."""
    with failing_with(ValueError, OSError):
        return tuning_set(plan)


@pytest.fixture(scope="session")
def sft_checkpoint(spec: ModelSpec, plan: Plan, tuning_problems: TuningSet, pytestconfig: pytest.Config) -> Path:
    """The folder of the model's tuned checkpoint: made from the base on disk, unless it is there already. The base in
    memory is never touched."""
    from models.loading import LoadError
    from models.tuning_proof import TuningNotApplied
    from models.tuning_trainer import TrainingDiverged

    folder = pytestconfig.invocation_params.dir / pytestconfig.option.results
    with failing_with(LoadError, ValueError, OSError, TrainingDiverged, TuningNotApplied):
        return tuned_checkpoint(folder, spec, plan, tuning_problems, progress_of(pytestconfig))


@pytest.fixture(scope="session")
def tuned_model(spec: ModelSpec, plan: Plan, sft_checkpoint: Path) -> LoadedModel:
    """The tuned model, loaded from its checkpoint as anybody would load it."""
    from models.loading import LoadError, load

    with failing_with(LoadError):
        tuned = replace(spec, name=spec.name + SUFFIX, source=str(sft_checkpoint), subfolder="", revision=None)
        return load(tuned, plan.device, plan.dtype)


@pytest.fixture
def model(request: pytest.FixtureRequest, spec: ModelSpec) -> LoadedModel:
    """The model of a case: the base, or the tuned one where that is what the case's cell is about. A test of one's own
    says which with `pytest.mark.parametrize("spec", [...], indirect=True)`, each a `ModelSpec`."""
    loaded: LoadedModel = request.getfixturevalue("tuned_model" if tunes(request.node) else "base_model")
    return loaded


@pytest.fixture(scope="session")
def problems(request: pytest.FixtureRequest, plan: Plan) -> list[Problem]:
    """The problems that cells take the first ones of, clean: those of `--problems` that no model is tuned on."""
    with failing_with(ValueError, OSError):
        return measured_problems(plan, tunes=any(map(tunes, request.session.items)))


@pytest.fixture
def asked(cell: Cell, problems: list[Problem], plan: Plan) -> Sequence[NoisyProblem]:
    """The problems of a cell as the model is asked them. Every model is asked the same text."""
    from benchmarks.evaluate import ask_with
    from noise.datasets import load_noisy_for

    sample = plan.sample(problems, cell.stage)
    if plan.noisy_folder is None or cell.noise == "clean":
        return ask_with(cell.noise, sample, plan.seed)
    with failing_with(ValueError, OSError):
        return load_noisy_for(sample, plan.problems, cell.noise, plan.noisy_folder)


def _not_this_folder() -> tuple[type[Exception], ...]:
    """The answers to somebody whose results folder cannot be used for this run."""
    from reports.disk import ResultsDamaged, ResultsFolderError
    from reports.store import ResultsMismatch

    return ResultsMismatch, ResultsDamaged, ResultsFolderError


def _not_this_model() -> tuple[type[Exception], ...]:
    """The answers to somebody whose model has not the attention that was asked for."""
    from models.differential import AttentionUnavailable

    return ValueError, AttentionUnavailable


@pytest.fixture
def predictions(
    experiment: Experiment, cell: Cell, model: LoadedModel, asked: Sequence[NoisyProblem], plan: Plan
) -> dict[str, Prediction]:
    """What the model of a case wrote for its problems: read from the results folder, and made where missing there."""
    from benchmarks.evaluate import evaluate

    with failing_with(*_not_this_folder()):
        return evaluate(experiment, model, cell, asked, plan.source, plan.batch_size, plan.max_new_tokens)


@pytest.fixture
def readings(
    experiment: Experiment, cell: Cell, model: LoadedModel, asked: Sequence[NoisyProblem], plan: Plan
) -> dict[str, AttentionReading]:
    """Where the model of a case looks: read from the results folder, and measured where missing there."""
    from benchmarks.attention import measure_attention

    with failing_with(*_not_this_folder(), *_not_this_model()):
        return measure_attention(experiment, model, cell, asked, plan.source, plan.looking, plan.batch_size)


@pytest.fixture
def attention_maps(
    experiment: Experiment,
    cell: Cell,
    model: LoadedModel,
    asked: Sequence[NoisyProblem],
    readings: dict[str, AttentionReading],
    plan: Plan,
) -> list[Path]:
    """The patterns that a case keeps to be drawn: of the first problems, and of the heads that were named, or else of
    the one that looks most at the noise. They replace earlier maps of the cell."""
    from benchmarks.attention import map_places, save_maps
    from reports.attention_maps import keep_only
    from reports.disk import ResultsDamaged, ResultsFolderError

    folder = experiment.results.folder
    places = map_places(
        list(readings.values()), named=plan.looking.layers is not None or plan.looking.heads is not None
    )
    if not plan.attention_maps:
        return []
    with failing_with(ResultsFolderError, ResultsDamaged):
        kept = save_maps(folder, model, cell, asked[: plan.attention_maps], places)
        keep_only(folder, cell.model, cell.stage, cell.noise, kept)
    return kept


@pytest.fixture
def needle_readings(
    experiment: Experiment, cell: Cell, model: LoadedModel, problems: list[Problem], plan: Plan
) -> dict[str, AttentionReading]:
    """Where the model of a case looks in its problems among distractors, by depth and problem: `25 mine-00001`."""
    from benchmarks.attention import measure_attention
    from benchmarks.retrieval import DEPTHS, NEEDLE_PARTS, needles

    if plan.noisy_folder is not None:
        pytest.skip("--skip-data-gen draws no noise, and a needle needs some around it")
    found: dict[str, AttentionReading] = {}
    for depth in DEPTHS:
        texts = needles(plan.sample(problems, cell.stage), depth, plan.seed)
        if texts:
            at_depth = Cell(cell.model, f"{cell.noise}{depth}", cell.stage)
            with failing_with(*_not_this_folder(), *_not_this_model()):
                some = measure_attention(
                    experiment, model, at_depth, texts, plan.source, plan.looking, plan.batch_size, NEEDLE_PARTS
                )
            found |= {f"{depth} {id}": reading for id, reading in some.items()}
    return found


@pytest.fixture
def true_attention(model: LoadedModel) -> Iterator[PreTrainedModel]:
    """The model of a case with its true patterns: `(...)(**inputs, output_attentions=True).attentions`."""
    from models.differential import differential_attention

    with differential_attention(model.model) as observed:
        yield observed


@pytest.fixture(scope="session")
def gsm8k(pytestconfig: pytest.Config) -> list[Problem]:
    """GSM8K's training split, for tests that want real text."""
    path = pytestconfig.option.gsm8k
    if path is None:
        pytest.skip("wants real GSM8K: --gsm8k PATH names its training split as .jsonl")
    with failing_with(ValueError, OSError):
        return load_problems(path)
