"""Claims about the shipped pair: it is matched and informative, and its weights give the answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.evaluation import draw_questions
from benchmarks.grading import grade
from models.decode.generation import batches, generate
from models.loading.load_model import LoadedModel, load
from models.mini.train_mini_pair import data_fingerprint
from models.model_registry import MODELS
from noise import mini
from noise.problems.problem import NoisyProblem, Problem

PAIR = ("diffllama", "llama")
SOURCES = {name: Path(MODELS[name].source) for name in PAIR}
LOGS = {name: json.loads((folder / "training.json").read_text()) for name, folder in SOURCES.items()}


@pytest.fixture(scope="module", params=PAIR)
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


@pytest.mark.parametrize("entry", ["seed", "data", "recipe", "problems", "tokens", "versions"])
def test_the_pair_was_trained_alike(entry: str) -> None:
    assert LOGS["diffllama"][entry] == LOGS["llama"][entry]


def test_the_pair_has_one_tokenizer() -> None:
    assert len({(folder / "tokenizer.json").read_bytes() for folder in SOURCES.values()}) == 1


def test_the_pair_has_the_same_number_of_parameters_within_one_per_cent() -> None:
    counts = [load(name).model.num_parameters() for name in PAIR]
    assert counts == [LOGS[name]["parameters"] for name in PAIR]
    assert max(counts) / min(counts) < 1.01


def test_the_pair_differs_in_configuration_only_by_its_family() -> None:
    configs = [json.loads((folder / "config.json").read_text()) for folder in SOURCES.values()]
    different = {key for key in configs[0].keys() | configs[1].keys() if configs[0].get(key) != configs[1].get(key)}
    assert different == {"architectures", "model_type", "lambda_std_dev", "mlp_bias", "pretraining_tp"}


def test_the_checkpoints_are_small() -> None:
    size = sum(path.stat().st_size for folder in SOURCES.values() for path in folder.iterdir())
    assert size < 25 * 2**20


@pytest.fixture(scope="module")
def training_problems() -> list[Problem]:
    """The whole training text, generated again from the seed in the log."""
    return mini.training(LOGS["llama"]["seed"], LOGS["llama"]["problems"])


@pytest.mark.slow
def test_the_training_text_of_the_log_is_the_one_this_code_generates(training_problems: list[Problem]) -> None:
    """Red when the corpus changed and the pair was not trained again: the splits would not be held out any more."""
    assert data_fingerprint(training_problems) == LOGS["llama"]["data"]


def test_the_training_text_starts_as_it_did_when_the_pair_was_trained() -> None:
    """The quick part of the test above. A change of the corpus on purpose needs a new pair, and then a new value here:
    the fingerprint of its first 2,000 problems."""
    first = mini.training(LOGS["llama"]["seed"], 2_000)
    assert data_fingerprint(first) == "71c48ba50caa2d56cfb813c8a41daae066cd06f37a8446b1d342e51894bd0390"


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
@pytest.mark.parametrize("noise", ["inf", "rcs", "sd"])
def test_a_noise_meets_neither_floor_nor_ceiling(loaded: LoadedModel, noise: str) -> None:
    """Otherwise a degradation could not be measured."""
    assert 0.15 <= accuracy(loaded, draw_questions(noise, mini.problems("test")[:500], seed=0)) <= 0.85


@pytest.mark.parametrize("name", PAIR)
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
    assert accuracies[0] > 0.85
    assert accuracies[0] - 0.2 > accuracies[1] > accuracies[2]
    assert accuracies[2] <= 0.05
