"""Fixtures for the benchmark cases and for custom tests; the root conftest loads them as a plugin.

Fixtures are lazy: a model is loaded when first requested, and torch is imported only then. PYTEST_DONT_REWRITE: there
is no assertion here, and the conftest imports it first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.engines import engine_of
from benchmarks.plan import Plan
from benchmarks.run_case import cell_of, failing_with_user_message
from benchmarks.runner import Runner
from models.model_registry import ModelSpec
from noise.problems.problem import NoisyProblem, Problem
from noise.problems.problem_sources import load_problems
from reports.experiment import Experiment
from reports.gate.regression_gate import Gate
from reports.store.records import Cell

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from models.loading.load_model import LoadedModel

#: The plan of the run; set by the root conftest.
PLAN = pytest.StashKey[Plan]()
#: The regression gate, or None; set by the root conftest.
GATE = pytest.StashKey[Gate | None]()
#: The runner of the session; created when first requested.
RUNNER = pytest.StashKey[Runner]()


def needs_tuning(config: pytest.Config, items: Sequence[pytest.Item]) -> bool:
    """Return whether one of these cases needs a tuned model."""
    plan = config.stash[PLAN]
    return any(plan.is_tuned(cell) for cell in map(cell_of, items) if cell is not None)


def runner_of(config: pytest.Config, items: Sequence[pytest.Item], experiment: Experiment) -> Runner:
    """Return the runner of the session, created at the first call."""
    if RUNNER not in config.stash:
        plan = config.stash[PLAN]
        engine = engine_of(plan)
        config.add_cleanup(engine.close)
        config.stash[RUNNER] = Runner(plan, experiment, needs_tuning(config, items), engine=engine)
    return config.stash[RUNNER]


@pytest.fixture(scope="session")
def plan(pytestconfig: pytest.Config) -> Plan:
    """The plan of the run."""
    return pytestconfig.stash[PLAN]


@pytest.fixture(scope="session")
def gate(pytestconfig: pytest.Config) -> Gate | None:
    """The regression gate of `--baseline`; None without it."""
    return pytestconfig.stash[GATE]


@pytest.fixture
def runner(request: pytest.FixtureRequest, experiment: Experiment) -> Runner:
    """The runner of the session's cells: `runner.run(cell)`. It loads nothing before a cell is run."""
    return runner_of(request.config, request.session.items, experiment)


@pytest.fixture
def spec(request: pytest.FixtureRequest, plan: Plan) -> ModelSpec:
    """The `ModelSpec` of a case. A custom test sets it with `pytest.mark.parametrize("spec", [...], indirect=True)`."""
    parameter = getattr(request, "param", None)
    if isinstance(parameter, ModelSpec):
        return parameter
    cell = cell_of(request.node)
    if cell is None:
        pytest.fail("the fixture spec wants a case with a cell, or a parameter that is a ModelSpec", pytrace=False)
    return plan.spec_of(cell)


@pytest.fixture
def base_model(runner: Runner, spec: ModelSpec) -> LoadedModel:
    """The base model, loaded once for consecutive tests that request it."""
    with failing_with_user_message():
        return runner.base_model(spec)


@pytest.fixture
def sft_checkpoint(runner: Runner, spec: ModelSpec) -> Path:
    """The folder of the model's tuned checkpoint, tuned now unless it exists."""
    with failing_with_user_message():
        return runner.tuned_checkpoint(spec)


@pytest.fixture
def tuned_model(runner: Runner, spec: ModelSpec) -> LoadedModel:
    """The tuned model, loaded from its checkpoint through the normal loader."""
    with failing_with_user_message():
        return runner.tuned_model(spec)


@pytest.fixture
def model(request: pytest.FixtureRequest, runner: Runner, spec: ModelSpec) -> LoadedModel:
    """The model of a case: tuned if its cell is about the tuned model, otherwise the base."""
    cell = cell_of(request.node)
    with failing_with_user_message():
        return runner.base_model(spec) if cell is None else runner.model_of(cell)


@pytest.fixture
def true_attention(model: LoadedModel) -> Iterator[PreTrainedModel]:
    """The model of a case with its true patterns: `(...)(**inputs, output_attentions=True).attentions`."""
    from models.attention.differential import differential_attention

    with differential_attention(model.model) as observed:
        yield observed


@pytest.fixture
def problems(runner: Runner) -> list[Problem]:
    """The clean evaluation problems; each cell uses the first N."""
    with failing_with_user_message():
        return runner.eval_set.problems


@pytest.fixture
def asked(runner: Runner, cell: Cell) -> Sequence[NoisyProblem]:
    """The problems of a cell as its model is asked them; every model is asked the same text."""
    with failing_with_user_message():
        return runner.questions(cell)


@pytest.fixture(scope="session")
def gsm8k(pytestconfig: pytest.Config) -> list[Problem]:
    """GSM8K's training split, for tests that want real text."""
    path = pytestconfig.option.gsm8k
    if path is None:
        pytest.skip("wants real GSM8K: --gsm8k PATH names its training split as .jsonl")
    try:
        return load_problems(path)
    except (ValueError, OSError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
