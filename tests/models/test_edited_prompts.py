"""Prompts with positions and cuts of their own: decoded in any batch as the model itself does one at a time."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM

from benchmarks.evaluation import draw_questions
from models import AttentionUnavailable, cut_attention
from models.answer_likelihood import answer_likelihoods, edited_likelihoods
from models.attention.cut_attention import edit_of
from models.decode.edited_prompt import EditedPrompt
from models.decode.generation import answers, edited_answers
from models.loading.load_model import LoadedModel, load
from models.prompt import template_of
from models.sft.tokenized_examples import tokenize_examples
from noise import mini

PROBLEMS = mini.problems("test")[:12]
LIMIT = 32


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, "cpu", "float32")


def questions() -> list[str]:
    return [noisy.question for noisy in draw_questions("inf", PROBLEMS, 0)]


def plain_prompts(loaded: LoadedModel) -> list[EditedPrompt]:
    return [EditedPrompt(tuple(ids)) for ids in loaded.encode(loaded.prompts(questions()))["input_ids"]]


def edited_prompts(loaded: LoadedModel, shared: int = 1) -> list[EditedPrompt]:
    """Return prompts with random cuts, and with a jump in their positions, both behind the first `shared` tokens."""
    rng, prompts = random.Random(0), []
    for prompt in plain_prompts(loaded):
        length = len(prompt.ids)
        cut = torch.zeros(length, length, dtype=torch.bool)
        for _ in range(40):
            cut[rng.randrange(shared, length), rng.randrange(shared, length)] = True
        cut[-1, shared : shared + 3] = True
        cut[range(length), range(length)] = False
        jump, size = rng.randrange(shared, length), rng.randrange(-2, 9)
        positions = tuple(number + size * (number >= jump) for number in range(length))
        prompts.append(EditedPrompt(prompt.ids, positions, cut))
    return prompts


def written_by_the_model(loaded: LoadedModel, prompt: EditedPrompt, count: int) -> list[int]:
    """Return `count` tokens after a prompt: the argmax of full forward passes."""
    ids, positions = list(prompt.ids), list(prompt.positions or range(len(prompt.ids)))
    assert prompt.cut is not None
    with torch.inference_mode(), cut_attention(loaded.model, prompt.cut[None]):
        for _ in range(count):
            mask = torch.ones(1, len(ids), dtype=torch.long)
            output = loaded.model(torch.tensor([ids]), mask, position_ids=torch.tensor([positions]), use_cache=False)
            ids.append(int(output.logits[0, -1].argmax()))
            positions.append(positions[-1] + 1)
    return ids[len(prompt.ids) :]


@pytest.mark.parametrize("slots", [1, 5, 64])
def test_edited_prompts_are_continued_as_the_model_does_one_at_a_time(loaded: LoadedModel, slots: int) -> None:
    prompts = edited_prompts(loaded)
    written = dict(edited_answers(loaded, prompts, edit_of(loaded.model), LIMIT, slots))
    usual = dict(answers(loaded, questions(), LIMIT))
    assert any(written[index].text != usual[index].text for index in written), "no edit changed anything"
    for index, prompt in enumerate(prompts):
        expected = written_by_the_model(loaded, prompt, written[index].tokens)
        assert loaded.tokenizer.decode(expected, skip_special_tokens=True).startswith(written[index].text)


def test_prompts_without_an_edit_are_answered_as_ever(loaded: LoadedModel) -> None:
    written = dict(edited_answers(loaded, plain_prompts(loaded), edit_of(loaded.model), LIMIT))
    assert written == dict(answers(loaded, questions(), LIMIT))


def test_worked_examples_that_prompts_share_are_read_once_and_change_nothing() -> None:
    loaded = load("diffllama", "cpu", "float32", template_of("fewshot:2"))
    prompts = edited_prompts(loaded, shared=60)
    assert min(prompt.usual_tokens for prompt in prompts) >= 60
    written = dict(edited_answers(loaded, prompts, edit_of(loaded.model), LIMIT, 8))
    for index in range(6):
        expected = written_by_the_model(loaded, prompts[index], written[index].tokens)
        assert loaded.tokenizer.decode(expected, skip_special_tokens=True).startswith(written[index].text)


def test_an_edit_that_was_used_before_does_not_cut_what_prompts_share() -> None:
    loaded = load("diffllama", "cpu", "float32", template_of("fewshot:2"))
    prompts = edited_prompts(loaded, shared=60)
    answer_ids = [answer for _, answer in tokenize_examples(loaded, PROBLEMS)]
    used = edit_of(loaded.model)
    for count in (len(prompts), 1):  # a batch leaves its cut in the edit
        examples = list(zip(prompts, answer_ids, strict=True))[:count]
        edited_likelihoods(loaded, [problem.id for problem in PROBLEMS[:count]], examples, used)
        written = dict(edited_answers(loaded, prompts, used, LIMIT, 8))
        assert written == dict(edited_answers(loaded, prompts, edit_of(loaded.model), LIMIT, 8))


def test_likelihoods_of_edited_prompts_are_those_of_the_model_one_at_a_time(loaded: LoadedModel) -> None:
    answer_ids = [answer for _, answer in tokenize_examples(loaded, PROBLEMS)]
    prompts = edited_prompts(loaded)
    ids = [problem.id for problem in PROBLEMS]
    together = edited_likelihoods(loaded, ids, list(zip(prompts, answer_ids, strict=True)), edit_of(loaded.model))
    for prompt, answer, (nats, tokens) in zip(prompts[:6], answer_ids, together, strict=False):
        assert prompt.cut is not None
        assert prompt.positions is not None
        positions = [*prompt.positions, *range(prompt.positions[-1] + 1, prompt.positions[-1] + 1 + len(answer))]
        text = torch.tensor([[*prompt.ids, *answer]])
        with torch.inference_mode(), cut_attention(loaded.model, prompt.cut[None]):
            logits = loaded.model(text, torch.ones_like(text), position_ids=torch.tensor([positions])).logits[0]
        predicted = logits[len(prompt.ids) - 1 : -1].log_softmax(-1)
        expected = predicted[range(len(answer)), answer].sum()
        assert (nats, tokens) == (pytest.approx(float(expected), abs=1e-3), len(answer))


def test_likelihoods_without_an_edit_are_as_ever(loaded: LoadedModel) -> None:
    examples = [(EditedPrompt(tuple(prompt)), answer) for prompt, answer in tokenize_examples(loaded, PROBLEMS)]
    ids = [problem.id for problem in PROBLEMS]
    assert edited_likelihoods(loaded, ids, examples, edit_of(loaded.model)) == answer_likelihoods(loaded, PROBLEMS)


def test_answers_inside_a_cut_are_refused(loaded: LoadedModel) -> None:
    cut = torch.zeros(1, 4, 4, dtype=torch.bool)
    with cut_attention(loaded.model, cut), pytest.raises(ValueError, match="use edited_answers"):
        list(answers(loaded, questions()[:1]))


def test_a_model_that_drops_keys_is_refused() -> None:
    config = MistralConfig(
        vocab_size=40, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, sliding_window=4,
    )  # fmt: skip
    base = load("llama", "cpu", "float32")
    loaded = LoadedModel(**{**vars(base), "model": MistralForCausalLM(config).eval()})
    with pytest.raises(AttentionUnavailable, match="plain full attention"):
        list(edited_answers(loaded, [EditedPrompt((1, 2, 3))], edit_of(loaded.model), 4))


def test_positions_and_cuts_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one for each of 2 tokens, got 3"):
        EditedPrompt((1, 2), (0, 1, 2))
    with pytest.raises(ValueError, match="expected bool of shape"):
        EditedPrompt((1, 2), None, torch.zeros(3, 3, dtype=torch.bool))
