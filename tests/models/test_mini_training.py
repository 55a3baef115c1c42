"""The recipe of the miniatures, for a few steps: it learns, and it gives the same weights each time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from models.__main__ import main
from models.mini.mini_training import FAMILIES, Recipe, make_tokenizer, train
from noise import mini

SMALL = Recipe(
    hidden=64, intermediate=128, layers=2, steps=12, batch=8, tokenizer_problems=96, bucket=4, warmup=2
)  # some processors multiply bfloat16, in which Muon computes, slowly


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("family", FAMILIES)
def test_training_lowers_the_loss_and_repeats_to_the_bit(family: str, one_thread: None) -> None:
    problems = mini.training(seed=3, n=SMALL.steps * SMALL.batch)
    losses: list[float] = []
    weights = []
    for _ in range(2):
        model, log = train(
            family,
            problems,
            make_tokenizer(problems, SMALL),
            SMALL,
            seed=3,
            progress=lambda step, loss: losses.append(loss),
        )
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert losses[: SMALL.steps] == losses[SMALL.steps :]
    assert losses[SMALL.steps - 1] < losses[0] - 1
    assert log["recipe"]["steps"] == SMALL.steps


def test_the_loss_is_that_of_the_answer_alone(one_thread: None) -> None:
    """Compared with transformers' loss, which ignores labels of −100. Ours projects the answer's positions only."""
    from models.mini.mini_training import _batches, make_model

    problems = mini.training(seed=4, n=8)
    tokenizer = make_tokenizer(problems, SMALL)
    ids, labels = next(_batches(problems, tokenizer, SMALL, seed=0))
    for row in range(len(ids)):
        answer = tokenizer.decode(labels[row][labels[row] != -100])
        assert answer.startswith(" ")
        assert "####" in answer
        assert answer.endswith("<eos>")
    torch.manual_seed(0)
    first_loss: list[float] = []
    train(
        "llama", problems, tokenizer, Recipe(steps=1, batch=8), seed=0, progress=lambda _, loss: first_loss.append(loss)
    )
    torch.manual_seed(0)
    theirs = make_model("llama", Recipe(steps=1, batch=8), tokenizer)(input_ids=ids, labels=labels).loss.item()
    assert first_loss[0] == pytest.approx(theirs, abs=1e-4)


@pytest.mark.slow
def test_the_command_writes_two_checkpoints_with_their_logs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["train-mini", "--seed", "5", "--steps", "2", "--out", str(tmp_path / "pair")]
    assert main(arguments) == 0
    logs = {family: json.loads((tmp_path / "pair" / family / "training.json").read_text()) for family in FAMILIES}
    assert logs["diffllama"]["data"] == logs["llama"]["data"]
    assert logs["llama"]["seed"] == 5
    assert main(arguments) == 1
    assert "llama exists already; choose another --out, or move it away" in capfd.readouterr().err
