"""The likelihood of a worked answer, compared with the model's own logits, one text at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.answer_likelihood import LikelihoodNotFinite, answer_likelihoods
from models.loading.load_model import LoadedModel, load
from models.prompt import completion_for, prompt_for
from noise import mini
from noise.problems.problem import Problem

pytestmark = pytest.mark.quick
PROBLEMS = mini.problems("test")[:6]


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, device="cpu", dtype="float32")


def by_hand(loaded: LoadedModel, problem: Problem) -> tuple[float, int]:
    """Return the sum of log-probabilities of the answer's tokens, from one unpadded text, and their number."""
    prompt = loaded.tokenizer(prompt_for(problem.question))["input_ids"]
    text = loaded.tokenizer(prompt_for(problem.question) + completion_for(problem.answer))["input_ids"]
    with torch.inference_mode():
        log_probabilities = loaded.model(torch.tensor([text])).logits[0].log_softmax(-1)
    positions = range(len(prompt), len(text))
    return sum(float(log_probabilities[position - 1, text[position]]) for position in positions), len(positions)


def test_it_is_the_sum_over_the_answer_s_own_tokens_whatever_else_is_in_the_batch(loaded: LoadedModel) -> None:
    for problem, (nats, tokens) in zip(PROBLEMS, answer_likelihoods(loaded, PROBLEMS), strict=True):
        expected, count = by_hand(loaded, problem)
        assert (nats, tokens) == (pytest.approx(expected, abs=1e-3), count)
        assert nats < 0


def test_a_wrong_answer_is_less_likely(loaded: LoadedModel) -> None:
    right = PROBLEMS[0]
    wrong = replace(right, answer=right.answer + "9")
    (right_nats, _), (wrong_nats, _) = answer_likelihoods(loaded, [right, wrong])
    assert wrong_nats < right_nats - 1


def test_a_text_that_is_too_long_is_refused(loaded: LoadedModel) -> None:
    long = Problem("long", "How many? " * 2000, "#### 1")
    with pytest.raises(
        ValueError, match=r"problem 'long' has \d+ tokens with its worked answer, and .* has 2048 positions"
    ):
        answer_likelihoods(loaded, [PROBLEMS[0], long])


def test_a_figure_that_is_not_finite_is_refused(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = type(loaded.model).forward

    def broken(self: torch.nn.Module, *args: object, **options: object) -> object:
        output = forward(self, *args, **options)
        output.logits[1] = float("nan")
        return output

    monkeypatch.setattr(type(loaded.model), "forward", broken)
    monkeypatch.setattr("models.answer_likelihood.accepted_inputs", lambda model, inputs: inputs)
    with pytest.raises(
        LikelihoodNotFinite, match=f"problem '{PROBLEMS[1].id}': the likelihood of its answer in float32 is not"
    ):
        answer_likelihoods(loaded, PROBLEMS[:2])
