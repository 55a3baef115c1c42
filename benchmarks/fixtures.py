"""The fixtures of the experiments, for cases and for tests of one's own; a plugin that the root conftest names.

No torch before a model is due. PYTEST_DONT_REWRITE: there is no assertion here, and the conftest imports it first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.case_failures import failing_with
from benchmarks.eval_set import MeasuredProblems, measured_problems
from benchmarks.plan import Plan, is_tuned
from benchmarks.sft_set import TuningSet, tuned_checkpoint, tuning_set
from models.model_registry import ModelSpec
from models.sft.sft_options import SUFFIX
from noise.problems.problem import NoisyProblem, Problem
from noise.problems.problem_sources import load_problems
from reports.experiment import Experiment
from reports.gate.baseline_file import BaselineError
from reports.gate.regression_gate import Gate
from reports.plugin import progress_of
from reports.stats.problem_scores import all_scores
from reports.store.records import AttentionReading, Cell, Likelihood, Prediction, record_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from models.loading.load_model import LoadedModel

#: What this run was asked to do; the root conftest puts it there.
PLAN = pytest.StashKey[Plan]()
#: What its accuracies are held against, if anything; likewise.
GATE = pytest.StashKey[Gate | None]()


def cell_of(item: pytest.Item) -> Cell | None:
    """Which cell of the grid a case is about; None for a test that is about none."""
    cell = item.callspec.params.get("cell") if hasattr(item, "callspec") else None
    return cell if isinstance(cell, Cell) else None


def spec_of(item: pytest.Item) -> ModelSpec:
    """Which model a case is about."""
    spec: ModelSpec = item.callspec.params["spec"]  # type: ignore[attr-defined]
    return spec


def tunes(item: pytest.Item) -> bool:
    """Whether a case needs a tuned model."""
    cell = cell_of(item)
    return cell is not None and is_tuned(spec_of(item), cell)


def gated_cells(items: Iterable[pytest.Item]) -> list[Cell]:
    """The cells among these cases whose accuracy `--baseline` is about."""
    cells = (cell_of(item) for item in items)
    return [cell for cell in cells if cell is not None and record_of(cell.stage) is Prediction]


@pytest.fixture(scope="session")
def plan(pytestconfig: pytest.Config) -> Plan:
    """What this run was asked to do."""
    return pytestconfig.stash[PLAN]


@pytest.fixture(scope="session")
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Which model a case is about: the one parameter of session scope, so that no model is loaded twice."""
    found: ModelSpec = request.param
    return found


@pytest.fixture(scope="session")
def base_model(spec: ModelSpec, plan: Plan) -> LoadedModel:
    """The model as it is, loaded once for all its cases."""
    from models.loading.load_model import LoadError, load

    with failing_with(LoadError):
        return load(spec, plan.device, plan.dtype, plan.template, plan.device_map)


@pytest.fixture(scope="session")
def tuning_problems(plan: Plan) -> TuningSet:
    """What every model of this run is tuned on."""
    with failing_with(ValueError, OSError):
        return tuning_set(plan)


@pytest.fixture(scope="session")
def sft_checkpoint(spec: ModelSpec, plan: Plan, tuning_problems: TuningSet, pytestconfig: pytest.Config) -> Path:
    """The folder of the model's tuned checkpoint: made from the base on disk, unless it is there already. The base in
    memory is never touched."""
    from models.loading.load_model import LoadError
    from models.sft.reload_checks import TuningNotApplied
    from models.sft.sft_trainer import TrainingDiverged

    folder = pytestconfig.invocation_params.dir / pytestconfig.option.results
    with failing_with(LoadError, ValueError, OSError, TrainingDiverged, TuningNotApplied):
        return tuned_checkpoint(folder, spec, plan, tuning_problems, progress_of(pytestconfig))


@pytest.fixture(scope="session")
def tuned_model(spec: ModelSpec, plan: Plan, sft_checkpoint: Path) -> LoadedModel:
    """The tuned model, loaded from its checkpoint as anybody would load it."""
    from models.loading.load_model import LoadError, load

    with failing_with(LoadError):
        tuned = replace(spec, name=spec.name + SUFFIX, source=str(sft_checkpoint), subfolder="", revision=None)
        return load(tuned, plan.device, plan.dtype, plan.template)


@pytest.fixture
def model(request: pytest.FixtureRequest, spec: ModelSpec) -> LoadedModel:
    """The model of a case: the base, or the tuned one where that is what the case's cell is about. A test of one's own
    says which with `pytest.mark.parametrize("spec", [...], indirect=True)`, each a `ModelSpec`."""
    loaded: LoadedModel = request.getfixturevalue("tuned_model" if tunes(request.node) else "base_model")
    return loaded


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest, plan: Plan) -> MeasuredProblems:
    """The problems that the cells of this run take theirs from."""
    with failing_with(ValueError, OSError):
        return measured_problems(plan, tunes=any(map(tunes, request.session.items)))


@pytest.fixture(scope="session")
def problems(measured: MeasuredProblems) -> list[Problem]:
    """The problems that cells take the first ones of, clean: those of `--problems` that no model is tuned on."""
    return measured.problems


@pytest.fixture
def asked(cell: Cell, problems: list[Problem], plan: Plan) -> Sequence[NoisyProblem]:
    """The problems of a cell as the model is asked them. Every model is asked the same text."""
    from benchmarks.evaluation import ask_with
    from noise.problems.noisy_files import load_noisy_for

    sample = plan.sample(problems, cell.stage)
    if plan.noisy_folder is None or cell.noise == "clean":
        return ask_with(cell.noise, sample, plan.seed, plan.draws(cell.stage))
    with failing_with(ValueError, OSError):
        return load_noisy_for(sample, plan.problems, cell.noise, plan.noisy_folder)


def _not_this_folder() -> tuple[type[Exception], ...]:
    """The answers to somebody whose results folder cannot be used for this run."""
    from reports.store.atomic_io import ResultsDamaged, ResultsFolderError
    from reports.store.results_folder import ResultsMismatch

    return ResultsMismatch, ResultsDamaged, ResultsFolderError


def _not_this_model() -> tuple[type[Exception], ...]:
    """The answers to somebody whose model has not the attention that was asked for."""
    from models.attention.differential import AttentionUnavailable

    return ValueError, AttentionUnavailable


@pytest.fixture
def predictions(
    experiment: Experiment,
    cell: Cell,
    model: LoadedModel,
    asked: Sequence[NoisyProblem],
    measured: MeasuredProblems,
    plan: Plan,
) -> dict[str, Prediction]:
    """What the model of a case wrote for its problems: read from the results folder, and made where missing there."""
    from benchmarks.evaluation import evaluate

    with failing_with(*_not_this_folder()):
        return evaluate(experiment, model, cell, asked, measured.source, plan.batch_size, plan.max_new_tokens)


@pytest.fixture
def fail_on_loss(
    request: pytest.FixtureRequest, experiment: Experiment, cell: Cell, predictions: dict[str, Prediction]
) -> Callable[[], None]:
    """Fails the case, once called, where its accuracy is significantly below that of `--baseline`."""
    gate = request.config.stash[GATE]

    def check() -> None:
        if gate is not None:
            (scores,) = all_scores(experiment.results, {cell: predictions.keys()})
            with failing_with(BaselineError):
                loss = gate.loss(scores, cells=len(gated_cells(request.session.items)))
            request.node.user_properties += loss.facts().items()
            if loss.failed:
                pytest.fail(str(loss), pytrace=False)
            if loss.blind:
                pytest.fail(loss.blind, pytrace=False)

    return check


@pytest.fixture
def readings(
    experiment: Experiment,
    cell: Cell,
    model: LoadedModel,
    asked: Sequence[NoisyProblem],
    measured: MeasuredProblems,
    plan: Plan,
) -> dict[str, AttentionReading]:
    """Where the model of a case looks: read from the results folder, and measured where missing there."""
    from benchmarks.stages.attention import measure_attention

    with failing_with(*_not_this_folder(), *_not_this_model()):
        return measure_attention(experiment, model, cell, asked, measured.source, plan.looking, plan.rows)


@pytest.fixture
def likelihoods(
    experiment: Experiment,
    cell: Cell,
    model: LoadedModel,
    asked: Sequence[NoisyProblem],
    measured: MeasuredProblems,
    plan: Plan,
) -> dict[str, Likelihood]:
    """How likely the model of a case holds the worked answers: read from the results folder, and measured where
    missing there."""
    from benchmarks.stages.likelihood import measure_likelihood

    with failing_with(*_not_this_folder()):
        return measure_likelihood(experiment, model, cell, asked, measured.source, plan.rows)


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
    from benchmarks.stages.attention import map_places, save_maps
    from models.attention.differential import AttentionUnavailable
    from reports.plots.attention_maps import keep_only
    from reports.store.atomic_io import ResultsDamaged, ResultsFolderError

    folder = experiment.results.folder
    places = map_places(
        list(readings.values()), named=plan.looking.layers is not None or plan.looking.heads is not None
    )
    if not plan.attention_maps or not places:
        return []
    with failing_with(ResultsFolderError, ResultsDamaged):
        try:
            kept = save_maps(folder, model, cell, asked[: plan.attention_maps], places)
        except AttentionUnavailable as error:  # what was measured stands
            warnings.warn(str(error), stacklevel=1)
            return []
        keep_only(folder, cell.model, cell.stage, cell.noise, kept)
    return kept


@pytest.fixture
def needle_readings(
    experiment: Experiment, cell: Cell, model: LoadedModel, measured: MeasuredProblems, plan: Plan
) -> dict[str, AttentionReading]:
    """Where the model of a case looks in its problems among distractors, by depth and problem: `25 mine-00001`."""
    from benchmarks.needles import DEPTHS, NEEDLE_PARTS, needles
    from benchmarks.stages.attention import measure_attention

    if plan.noisy_folder is not None:
        pytest.skip("--skip-data-gen draws no noise, and a needle needs some around it")
    found: dict[str, AttentionReading] = {}
    for depth in DEPTHS:
        texts = needles(plan.sample(measured.problems, cell.stage), depth, plan.seed)
        if texts:
            at_depth = Cell(cell.model, f"{cell.noise}{depth}", cell.stage)
            with failing_with(*_not_this_folder(), *_not_this_model()):
                some = measure_attention(
                    experiment, model, at_depth, texts, measured.source, plan.looking, plan.rows, NEEDLE_PARTS
                )
            found |= {f"{depth} {id}": reading for id, reading in some.items()}
    return found


@pytest.fixture
def true_attention(model: LoadedModel) -> Iterator[PreTrainedModel]:
    """The model of a case with its true patterns: `(...)(**inputs, output_attentions=True).attentions`."""
    from models.attention.differential import differential_attention

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
