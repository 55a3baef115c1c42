"""Options and fixtures: the one file that wires the packages together. No torch before a model is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.grid import (
    ATTENTION_SIZES,
    DATASETS,
    QUERIES,
    SIZES,
    STAGES,
    GridError,
    Looking,
    Plan,
    choose_datasets,
    choose_models,
    choose_numbers,
)
from models.registry import MODELS, UnknownModelError
from noise.datasets import existing_noisy_file
from noise.problems import NoisyProblem, Problem
from noise.sources import SOURCES, is_file_source, load_problems, split_source
from reports.experiment import Experiment
from reports.plugin import announce
from reports.records import AttentionReading, Cell, Prediction
from reports.store import Results

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from models.loading import LoadedModel

pytest_plugins = ["reports.plugin", "pytester"]

_PLAN = pytest.StashKey[Plan]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_addoption"""
    group = parser.getgroup("differential attention under noise")
    add = group.addoption
    add(
        "--models",
        default="diffllama,llama",
        metavar="A,B",
        help=f"models: {', '.join(MODELS)}, a checkpoint folder, a hub id, NAME=SOURCE (default: %(default)s)",
    )
    add("--datasets", default=",".join(DATASETS), metavar="A,B", help="clean and noises (default: %(default)s)")
    add(
        "--problems",
        default="mini",
        metavar="SOURCE",
        help=f"where problems come from: {', '.join(SOURCES)}, with a split as in mini:new-names, or a .jsonl path in"
        " GSM8K's form (default: %(default)s)",
    )
    add(
        "--max-samples",
        type=int,
        metavar="N",
        help=f"problems a cell, −1 for all (default: {SIZES['default']}, with --quick {SIZES['quick']})",
    )
    add("--quick", action="store_true", help="only what is marked quick: the grid at small size, and the fast tests")
    add(
        "--mode",
        choices=("quick", "medium", "full"),
        help=f"a size by name: {SIZES['quick']}, {SIZES['medium']} or all problems a cell",
    )
    add("--results", default="results", metavar="DIR", help="folder of results, which resumes (default: %(default)s)")
    add("--fresh", action="store_true", help="start over: set the folder's earlier predictions aside first")
    add("--seed", type=int, metavar="N", help="seed of the noise (default: 0)")
    add("--batch-size", type=int, default=64, metavar="N", help="problems asked at once (default: %(default)s)")
    add(
        "--max-new-tokens",
        type=int,
        default=256,
        metavar="N",
        help="limit of an answer, in tokens (default: %(default)s)",
    )
    add("--device", default="auto", help="auto (CUDA, then MPS, then CPU) or a torch device (default: %(default)s)")
    add(
        "--dtype",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="precision; auto is bfloat16 where native, float32 on a CPU (default: %(default)s)",
    )
    add(
        "--skip-data-gen",
        action="store_true",
        help="draw no noise: read the noisy files beside the file of --problems (`python -m noise` writes them)",
    )
    add("--skip-attention", action="store_true", help="leave out the stage attention")
    add("--attention-layers", metavar="N,M-K", help="layers to measure and to draw, from 0 (default: all are measured)")
    add("--attention-heads", metavar="N,M-K", help="heads to measure and to draw, from 0 (default: all are measured)")
    add(
        "--attention-queries",
        default=QUERIES[0],
        choices=QUERIES,
        help="who looks: the tokens of the worked answer, the last token of the prompt, or all of the prompt"
        " (default: %(default)s)",
    )
    add(
        "--attention-maps",
        type=int,
        default=1,
        metavar="N",
        help="problems a cell whose patterns are drawn; of all layers and heads, the one that looks most at the noise"
        " (default: %(default)s)",
    )
    add("--skip-zero-shot", action="store_true", help="leave out the stage zero_shot")
    add("--slow", action="store_true", help="also run what is marked slow, which is left out otherwise")
    add(
        "--gsm8k", type=Path, metavar="PATH", help="GSM8K's training split as .jsonl, for the tests that want real text"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check every option of the grid before anything is collected or loaded.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
    """
    try:
        plan = _plan(config.option)
    except (GridError, UnknownModelError, ValueError, FileNotFoundError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_PLAN] = plan
    folder = config.invocation_params.dir / config.option.results
    if folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--results {config.option.results}: expected a folder, found a file")
    seed = plan.seed if plan.noisy_folder is None else None
    experiment = Experiment(Results(folder), seed=seed, options=plan.options(), caveat=plan.caveat)
    announce(config, experiment, fresh=config.option.fresh)


def _plan(option: object) -> Plan:
    get = vars(option).__getitem__
    source = get("problems")
    if not is_file_source(source):
        split_source(source)
    elif not Path(source).is_file():
        raise FileNotFoundError(f"--problems {source}: there is no such file")
    if get("skip_data_gen") and not is_file_source(source):
        raise GridError(f"--skip-data-gen reads the noisy files beside the file of --problems, but that is {source!r}")
    if get("skip_data_gen") and get("seed") is not None:
        raise GridError(
            "--seed draws noise and --skip-data-gen draws none: the files carry the seed they were made with"
        )
    datasets = choose_datasets(get("datasets"))
    noisy_folder = Path(source).parent if get("skip_data_gen") else None
    if noisy_folder is not None:
        for name in datasets:
            if name != "clean":
                existing_noisy_file(source, name, noisy_folder)
    size = "quick" if get("quick") else get("mode") or "default"
    return Plan(
        models=choose_models(get("models")),
        datasets=datasets,
        stages=tuple(stage for stage in STAGES if not get(f"skip_{stage}")),
        problems=source,
        max_samples=SIZES[size] if get("max_samples") is None else get("max_samples"),
        attention_samples=ATTENTION_SIZES[size] if get("max_samples") is None else get("max_samples"),
        attention_maps=get("attention_maps"),
        looking=Looking(
            queries=get("attention_queries"),
            layers=choose_numbers("--attention-layers", get("attention_layers")),
            heads=choose_numbers("--attention-heads", get("attention_heads")),
        ),
        seed=get("seed") or 0,
        batch_size=get("batch_size"),
        max_new_tokens=get("max_new_tokens"),
        device=get("device"),
        dtype=get("dtype"),
        noisy_folder=noisy_folder,
    )


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
        metafunc.parametrize(("model", "cell"), cells, ids=[cell.id for _, cell in cells], indirect=["model"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and run the cases model by model, each model stage by stage.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_collection_modifyitems
    """
    plan = config.stash[_PLAN]
    models = [spec.name for spec in plan.models]
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

    def place(item: pytest.Item) -> tuple[int, int]:
        cell = cells.get(item)
        return (models.index(cell.model), STAGES.index(cell.stage)) if isinstance(cell, Cell) else (-1, -1)

    for item in cells:
        if item.get_closest_marker("stage"):  # a warning of somebody's driver must not end an experiment
            item.add_marker(pytest.mark.filterwarnings("default"))
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = sorted(filter(wanted, items), key=place)  # stable: everything that is no cell stays first and in order


@contextmanager
def failing_with(*expected: type[Exception]) -> Iterator[None]:
    """Errors that are answers to the user fail a case with their sentence alone, without a traceback or a chain."""
    try:
        yield
    except expected as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def plan(pytestconfig: pytest.Config) -> Plan:
    """What this run was asked to do."""
    return pytestconfig.stash[_PLAN]


@pytest.fixture(scope="session")
def model(request: pytest.FixtureRequest, plan: Plan) -> LoadedModel:
    """The model of a case, loaded once for all its cases. Parametrised with a `ModelSpec`."""
    from models.loading import LoadError, load

    with failing_with(LoadError):
        return load(request.param, plan.device, plan.dtype)


@pytest.fixture(scope="session")
def problems(plan: Plan) -> list[Problem]:
    """Every problem of `--problems`, clean; a cell takes the first ones."""
    with failing_with(ValueError, OSError):
        return load_problems(plan.problems)


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

    with failing_with(*_not_this_folder(), ValueError):
        return measure_attention(experiment, model, cell, asked, plan.source, plan.looking, plan.batch_size)


@pytest.fixture
def needle_readings(
    experiment: Experiment, cell: Cell, model: LoadedModel, problems: list[Problem], plan: Plan
) -> dict[str, AttentionReading]:
    """Where the model of a case looks in its problems among distractors, by depth and problem: `25 mine-00001`."""
    from benchmarks.attention import measure_attention
    from benchmarks.retrieval import DEPTHS, needles

    found: dict[str, AttentionReading] = {}
    for depth in DEPTHS:
        texts = needles(plan.sample(problems, cell.stage), depth, plan.seed)
        if texts:
            at_depth = Cell(cell.model, f"{cell.noise}{depth}", cell.stage)
            with failing_with(*_not_this_folder(), ValueError):
                some = measure_attention(experiment, model, at_depth, texts, plan.source, plan.looking, plan.batch_size)
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
