"""A fine-tuning reads the prompts of the evaluation, and has its loss on the selected tokens."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from models.loading.load_model import LoadedModel, load
from models.prompt import completion_for, prompt_for
from models.sft.sft_trainer import AnswerTrainer
from models.sft.tokenized_examples import IGNORED, pad_left, training_rows
from models.sft.tuning_errors import ExampleTooLong
from noise import mini
from noise.problems.problem import Problem

PROBLEMS = mini.problems("train")[:40]


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, device="cpu", dtype="float32")


def test_the_prompt_of_a_row_is_to_the_token_that_of_the_evaluation(loaded: LoadedModel) -> None:
    prompts = loaded.encode([prompt_for(problem.question) for problem in PROBLEMS])["input_ids"]
    for row, prompt, problem in zip(training_rows(loaded, PROBLEMS), prompts, PROBLEMS, strict=True):
        without_loss = row["labels"].count(IGNORED)
        assert row["input_ids"][:without_loss] == prompt
        assert row["labels"][without_loss:] == row["input_ids"][without_loss:]
        assert loaded.tokenizer.decode(row["input_ids"][without_loss:-1]) == completion_for(problem.answer)
        assert row["input_ids"][-1] == loaded.tokenizer.eos_token_id
        assert row["length"] == len(row["input_ids"])


def test_the_loss_can_be_over_all_of_the_text(loaded: LoadedModel) -> None:
    assert all(row["labels"] == [IGNORED, *row["input_ids"][1:]] for row in training_rows(loaded, PROBLEMS, loss="all"))


def test_nothing_is_truncated(loaded: LoadedModel) -> None:
    long = Problem("long", "How many marbles? " * 900, "#### 1")
    with pytest.raises(ExampleTooLong, match=r"problem 'long' has \d+ tokens .* 2048 positions; nothing is truncated"):
        training_rows(loaded, [*PROBLEMS, long])


@pytest.mark.parametrize("loss", ["answer", "all"])
def test_loss_and_gradients_are_those_of_each_row_alone(loaded: LoadedModel, loss: str) -> None:
    """Neither padding nor leaving out the logits of the prompt changes anything, compared with the definition."""
    rows = training_rows(loaded, PROBLEMS[:5], loss).to_list()
    model = loaded.model
    total, count = torch.zeros(()), 0
    for row in rows:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"])
        logits = model(ids).logits[0]
        total = total + cross_entropy(logits[:-1], labels[1:], ignore_index=IGNORED, reduction="sum")
        count += int((labels[1:] != IGNORED).sum())
    (expected,) = torch.autograd.grad(total / count, [model.get_input_embeddings().weight])
    batch_loss = AnswerTrainer.compute_loss(None, model, pad_left(rows, pad_token_id=0))  # type: ignore[arg-type]
    (gradient,) = torch.autograd.grad(batch_loss, [model.get_input_embeddings().weight])
    assert torch.isclose(batch_loss, total / count, rtol=1e-5)
    assert (gradient - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_a_batch_ends_where_its_answers_end(loaded: LoadedModel) -> None:
    rows = training_rows(loaded, PROBLEMS[:3]).to_list()
    batch = pad_left(rows, pad_token_id=7)
    longest = max(len(row["input_ids"]) for row in rows)
    assert {name: tuple(value.shape) for name, value in batch.items()} == dict.fromkeys(batch, (3, longest))
    for row, ids, mask, positions in zip(
        rows, batch["input_ids"], batch["attention_mask"], batch["position_ids"], strict=True
    ):
        length = len(row["input_ids"])
        assert ids[longest - length :].tolist() == row["input_ids"]
        assert ids[: longest - length].tolist() == [7] * (longest - length)
        assert mask.sum() == length
        assert positions[-length:].tolist() == list(range(length))
