"""Claims about the shipped pairs: they are matched and informative, and their weights give the answers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.evaluation import draw_questions
from benchmarks.grading import grade
from models.decode.generation import batches, generate
from models.loading.load_model import LoadedModel, load
from models.mini.mini_recipe import Recipe
from models.mini.mini_training import data_fingerprint
from models.model_registry import INCLUDED_SEEDS, MODELS
from models.replicate_names import replicate_name
from noise import mini
from noise.problems.problem import NoisyProblem, Problem

FAMILIES = ("diffllama", "llama")
NAMES = [replicate_name(family, seed) for seed in INCLUDED_SEEDS for family in FAMILIES]
SOURCES = {name: Path(MODELS[name].source) for name in NAMES}
LOGS: dict[str, dict[str, Any]] = {
    name: json.loads((folder / "training.json").read_text()) for name, folder in SOURCES.items()
}
#: Those whose accuracies are measured in every run of the tests; the others are slow.
QUICK_SEEDS = (0,)


def pair(seed: int) -> tuple[str, str]:
    first, second = (replicate_name(family, seed) for family in FAMILIES)
    return first, second


def marked(names: list[str]) -> list[Any]:
    quick = [name for seed in QUICK_SEEDS for name in pair(seed)]
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(scope="module", params=marked(NAMES))
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, device="cpu", dtype="float32")


def accuracy(loaded: LoadedModel, problems: list[NoisyProblem]) -> float:
    """pass@1 over `problems`, greedy."""
    outcomes = []
    for indices in batches(loaded, [problem.question for problem in problems], 64):
        batch = [problems[index] for index in indices]
        generations = generate(loaded, [problem.question for problem in batch], 128)
        outcomes += [grade(*pair).outcome for pair in zip(batch, generations, strict=True)]
    return outcomes.count("correct") / len(outcomes)


def clean(split: str, n: int) -> list[NoisyProblem]:
    return draw_questions("clean", mini.problems(split)[:n], seed=0)


@pytest.mark.parametrize("seed", INCLUDED_SEEDS)
@pytest.mark.parametrize("entry", ["seed", "data", "recipe", "problems", "tokens", "versions"])
def test_a_pair_was_trained_alike(entry: str, seed: int) -> None:
    first, second = pair(seed)
    assert LOGS[first][entry] == LOGS[second][entry]
    assert LOGS[first]["seed"] == seed


@pytest.mark.parametrize("entry", ["recipe", "versions"])
def test_all_pairs_were_trained_by_the_recipe_of_this_version(entry: str) -> None:
    assert len({json.dumps(log[entry], sort_keys=True) for log in LOGS.values()}) == 1
    assert LOGS["llama"]["recipe"] == asdict(Recipe())


def test_every_seed_has_training_text_and_weights_of_its_own() -> None:
    assert len({LOGS[name]["data"] for name in NAMES}) == len(INCLUDED_SEEDS)
    assert len({(folder / "model.safetensors").read_bytes() for folder in SOURCES.values()}) == len(NAMES)


def test_all_models_have_one_tokenizer() -> None:
    assert len({(folder / "tokenizer.json").read_bytes() for folder in SOURCES.values()}) == 1


def test_a_pair_has_the_same_number_of_parameters_within_one_per_cent() -> None:
    counts = [load(name).model.num_parameters() for name in FAMILIES]
    assert counts == [LOGS[name]["parameters"] for name in FAMILIES]
    assert max(counts) / min(counts) < 1.01


def test_the_families_differ_in_configuration_only_by_what_makes_them_families() -> None:
    configs = {name: json.loads((folder / "config.json").read_text()) for name, folder in SOURCES.items()}
    for name in NAMES:
        family = name.partition(":")[0]
        assert configs[name] == configs[family]
    first, second = (configs[family] for family in FAMILIES)
    different = {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}
    assert different == {"architectures", "model_type", "lambda_std_dev", "mlp_bias", "pretraining_tp"}


def test_the_weights_are_bfloat16_and_all_checkpoints_together_are_small() -> None:
    assert {value.dtype for value in load_file(SOURCES["llama"] / "model.safetensors").values()} == {torch.bfloat16}
    size = sum(path.stat().st_size for folder in SOURCES.values() for path in folder.iterdir())
    assert size <= 40 * 10**6


@pytest.fixture(scope="module")
def training_problems() -> list[Problem]:
    """The whole training text of seed 0, generated again."""
    return mini.training(0, LOGS["llama"]["problems"])


@pytest.mark.slow
def test_the_training_text_of_the_log_is_the_one_this_code_generates(training_problems: list[Problem]) -> None:
    """Red when the corpus changed and the pair was not trained again: the splits would not be held out any more."""
    assert data_fingerprint(training_problems) == LOGS["llama"]["data"]


@pytest.mark.parametrize("seed", INCLUDED_SEEDS)
def test_the_training_text_starts_as_it_did_when_a_pair_was_trained(seed: int) -> None:
    """The quick part of the test above. A change of the corpus on purpose needs new pairs: `train-mini` refuses to keep
    those that are there."""
    assert data_fingerprint(mini.training(seed, 1_000)) == LOGS[replicate_name("llama", seed)]["data_start"]


@pytest.mark.slow
@pytest.mark.parametrize("split", ["test", "new-names", "new-templates"])
def test_no_worked_answer_of_a_test_split_was_trained_on(training_problems: list[Problem], split: str) -> None:
    """Their numbers are new, so no test question was trained on either, with a training distractor or without."""
    answers = {problem.answer for problem in mini.problems(split)}
    assert not {problem.answer for problem in training_problems} & answers


@pytest.mark.parametrize(
    ("split", "n", "floor"), [("test", 500, 0.85), pytest.param("new-names", 500, 0.70, marks=pytest.mark.slow)]
)
def test_a_miniature_has_learned_something(loaded: LoadedModel, split: str, n: int, floor: float) -> None:
    assert accuracy(loaded, clean(split, n)) >= floor


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["near", "inf", "rcs"])
def test_a_noise_meets_neither_floor_nor_ceiling(loaded: LoadedModel, noise: str) -> None:
    """Otherwise a degradation could not be measured."""
    assert 0.15 <= accuracy(loaded, draw_questions(noise, mini.problems("test")[:500], seed=0)) <= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["near", "inf", "rcs"])
def test_length_alone_costs_little(loaded: LoadedModel, noise: str) -> None:
    """The limit that the recipe was to keep (docs/experiment.md), with the filler's draw of 500 problems."""
    problems = mini.problems("test")[:500]
    cost = accuracy(loaded, clean("test", 500)) - accuracy(loaded, draw_questions(f"filler:{noise}", problems, seed=0))
    assert cost <= 0.03 + 0.02, "three points, and two for the draw"


@pytest.mark.parametrize("name", FAMILIES)
def test_the_more_the_weights_are_damaged_the_lower_the_accuracy(name: str) -> None:
    """The answers come from the weights: random noise of a growing share of each matrix's spread destroys them."""
    loaded = load(name, device="cpu", dtype="float32")
    generator = torch.Generator().manual_seed(0)
    original = {key: weights.clone() for key, weights in loaded.model.state_dict().items()}
    accuracies = []
    for share in (0.0, 0.3, 1.0):
        damaged = {
            key: weights + share * weights.std() * torch.randn(weights.shape, generator=generator)
            if weights.ndim == 2
            else weights
            for key, weights in original.items()
        }
        loaded.model.load_state_dict(damaged)
        accuracies.append(accuracy(loaded, clean("test", 100)))
    assert accuracies[0] >= 0.85
    assert accuracies[0] - 0.2 > accuracies[1] > accuracies[2]
    assert accuracies[2] <= 0.05
