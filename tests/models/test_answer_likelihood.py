"""The likelihood of a worked answer, ours against the model's own logits one text at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.answer_likelihood import answer_likelihoods
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
    """The sum of log-probabilities of the answer's tokens, of one unpadded text."""
    prompt = loaded.tokenizer(prompt_for(problem.question))["input_ids"]
    text = loaded.tokenizer(prompt_for(problem.question) + completion_for(problem.answer))["input_ids"]
    with torch.inference_mode():
        logarithms = loaded.model(torch.tensor([text])).logits[0].log_softmax(-1)
    places = range(len(prompt), len(text))
    return sum(float(logarithms[place - 1, text[place]]) for place in places), len(places)


def test_it_is_the_sum_over_the_answer_s_own_tokens_whatever_is_read_beside_it(loaded: LoadedModel) -> None:
    for problem, (nats, tokens) in zip(PROBLEMS, answer_likelihoods(loaded, PROBLEMS), strict=True):
        expected, count = by_hand(loaded, problem)
        assert (nats, tokens) == (pytest.approx(expected, abs=1e-3), count)
        assert nats < 0


def test_a_wrong_answer_is_less_likely(loaded: LoadedModel) -> None:
    right = PROBLEMS[0]
    wrong = replace(right, answer=right.answer + "9")
    (one, _), (other, _) = answer_likelihoods(loaded, [right, wrong])
    assert other < one - 1


def test_what_cannot_be_read_is_said(loaded: LoadedModel) -> None:
    long = Problem("long", "How many? " * 2000, "#### 1")
    with pytest.raises(ValueError, match=r"problem 'long' has \d+ tokens with its worked answer, which do not fit"):
        answer_likelihoods(loaded, [PROBLEMS[0], long])


def test_a_figure_that_is_not_finite_is_refused(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = type(loaded.model).forward

    def broken(self: torch.nn.Module, *args: object, **options: object) -> object:
        found = forward(self, *args, **options)
        found.logits[1] = float("nan")
        return found

    monkeypatch.setattr(type(loaded.model), "forward", broken)
    monkeypatch.setattr("models.answer_likelihood.taken", lambda model, inputs: inputs)
    with pytest.raises(ValueError, match=f"problem '{PROBLEMS[1].id}': the likelihood of its answer in float32 is not"):
        answer_likelihoods(loaded, PROBLEMS[:2])
