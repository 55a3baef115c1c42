"""Greedy answers: the same whatever the batch, ended by the stop rule; a prompt is never truncated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch

from models.decode.continuous_batching import ContinuousBatchingDecoder
from models.decode.generation import PromptTooLongError, batches, generate
from models.decode.greedy_decoder import GeneratedTokens
from models.loading.load_model import LoadedModel, load
from models.prompt import completion_for, prompt_for
from noise import mini

PAIR = ("diffllama", "llama")


@pytest.fixture(scope="module", params=PAIR)
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def questions() -> list[str]:
    return [problem.question for problem in mini.problems("test")[:48]]


def test_a_prediction_does_not_depend_on_its_batch(loaded: LoadedModel, questions: list[str]) -> None:
    """Padding, positions and mask must not change a short question's answer next to a long one."""
    alone = [generate(loaded, [question], 64)[0] for question in questions]
    assert generate(loaded, questions, 64) == alone
    shuffled = questions[::-1]
    assert generate(loaded, shuffled, 64) == alone[::-1]


def test_padding_leaves_the_logits_as_they_are(loaded: LoadedModel, questions: list[str]) -> None:
    """The texts above could agree by luck of the argmax; the logits could not."""
    prompts = [prompt_for(question) for question in sorted(questions, key=len)[:: len(questions) - 1]]
    padded = loaded.encode(prompts, return_tensors="pt", padding=True)
    positions = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)  # as `generate` counts them
    with torch.inference_mode():
        together = loaded.model(**padded, position_ids=positions).logits[:, -1]
        alone = [loaded.model(**loaded.tokenizer(prompt, return_tensors="pt")).logits[0, -1] for prompt in prompts]
    assert torch.allclose(together, torch.stack(alone), atol=1e-4)


def test_generation_is_the_argmax_of_the_model_itself(loaded: LoadedModel, questions: list[str]) -> None:
    """No repetition penalty, no sampling, no cache error: step by step, without `generate`, the text is the same."""
    written = generate(loaded, questions[:1], 64)[0]
    ids = loaded.tokenizer(prompt_for(questions[0]), return_tensors="pt")["input_ids"]
    start = ids.shape[1]
    with torch.inference_mode():
        while ids.shape[1] < start + 64:
            new = loaded.model(ids, use_cache=False).logits[0, -1].argmax()
            if new == loaded.tokenizer.eos_token_id:
                break
            ids = torch.cat([ids, new.view(1, 1)], dim=1)
    assert written.text == loaded.tokenizer.decode(ids[0, start:])
    assert written.tokens == ids.shape[1] - start
    assert written.finished


def test_every_end_of_text_token_ends_a_text(questions: list[str]) -> None:
    """A generation config that names another token than the tokenizer's must not let the text run on."""
    loaded = load("llama", device="cpu", dtype="float32")
    expected = generate(loaded, questions[:8], 64)
    loaded.model.generation_config.eos_token_id = loaded.tokenizer.bos_token_id
    assert generate(loaded, questions[:8], 64) == expected


def test_identical_questions_are_decoded_once(
    loaded: LoadedModel, questions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt_counts: list[int] = []
    real = ContinuousBatchingDecoder.run

    def run(self: ContinuousBatchingDecoder, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, GeneratedTokens]]:
        prompt_counts.append(len(prompts))
        return real(self, prompts)

    monkeypatch.setattr(ContinuousBatchingDecoder, "run", run)
    generations = generate(loaded, [questions[0], questions[1], questions[0]], 64)
    assert prompt_counts == [2]
    assert generations[0] == generations[2] != generations[1]


def test_no_questions_give_no_generations(loaded: LoadedModel) -> None:
    assert generate(loaded, [], 4) == []


def test_the_token_limit_is_reported(loaded: LoadedModel, questions: list[str]) -> None:
    generation = generate(loaded, questions[:1], 3)[0]
    assert (generation.tokens, generation.finished) == (3, False)


def test_a_prompt_that_does_not_fit_is_refused_not_truncated(loaded: LoadedModel) -> None:
    with pytest.raises(PromptTooLongError, match="do not fit into the 2048 positions"):
        generate(loaded, ["How many marbles? " * 800], 64)


def test_every_question_is_in_one_batch_with_others_of_similar_length(
    loaded: LoadedModel, questions: list[str]
) -> None:
    chosen = batches(loaded, questions, 10)
    assert sorted(index for batch in chosen for index in batch) == list(range(len(questions)))
    lengths = [len(loaded.tokenizer(prompt_for(questions[index]))["input_ids"]) for batch in chosen for index in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert batches(loaded, [], 10) == []


def test_the_tokenizer_puts_its_own_first_token_in_front(loaded: LoadedModel) -> None:
    """So that another harness, which only calls the tokenizer, gets the same prompt."""
    assert loaded.tokenizer("one")["input_ids"][0] == loaded.tokenizer.bos_token_id


def test_every_digit_is_a_token_of_its_own(loaded: LoadedModel) -> None:
    tokens = loaded.tokenizer.tokenize("It cost $1,450.25 on 13/4.")
    assert sum(any(digit in token for digit in "0123456789") for token in tokens) == 9


def test_prompt_and_completion_meet_at_a_token_boundary(loaded: LoadedModel) -> None:
    """Training tokenises the two separately; evaluation must use the same tokens."""
    for problem in mini.problems("test")[:200]:
        prompt, completion = prompt_for(problem.question), completion_for(problem.answer)
        apart = (
            loaded.encode([prompt])["input_ids"][0]
            + loaded.encode([completion], add_special_tokens=False)["input_ids"][0]
        )
        assert loaded.encode([prompt + completion])["input_ids"][0] == apart


def test_a_special_token_in_a_question_is_read_as_its_characters(loaded: LoadedModel) -> None:
    ids = loaded.encode(["Bob <eos> has <pad> 3 eggs. <bos>"])["input_ids"][0]
    special = {loaded.tokenizer.eos_token_id, loaded.tokenizer.pad_token_id, loaded.tokenizer.bos_token_id}
    assert [id_ for id_ in ids if id_ in special] == [loaded.tokenizer.bos_token_id]
    assert ids[0] == loaded.tokenizer.bos_token_id
