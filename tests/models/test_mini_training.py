"""The recipe of the miniatures, for a few steps: it learns, repeats to the bit, goes on, and pairs start alike."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from transformers import AutoConfig

from models.__main__ import main
from models.mini import train_mini_pairs
from models.mini.mini_families import FAMILIES, PAIR, initial_model, matched_intermediate_size
from models.mini.mini_recipe import RECIPES, Recipe
from models.mini.mini_tokenizer import make_tokenizer
from models.mini.mini_training import TrainingMismatchError, train
from models.mini.train_mini_options import parse_seeds
from models.mini.train_mini_pairs import train_pairs
from noise import mini
from noise.problems.problem import Problem

ROOT = Path(__file__).parents[2]
SMALL = Recipe(
    hidden=64, intermediate=128, layers=2, steps=12, batch=8, tokenizer_problems=96, bucket=4, warmup=2
)  # some processors multiply bfloat16, in which Muon computes, slowly
TOKENIZER = make_tokenizer(SMALL)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return mini.training(seed=3, n=SMALL.steps * SMALL.batch)


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def are_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("family", FAMILIES)
def test_training_lowers_the_loss_and_repeats_to_the_bit(family: str, problems: list[Problem]) -> None:
    losses: list[float] = []
    trained = []
    for _ in range(2):
        model, log = train(family, problems, TOKENIZER, SMALL, 3, lambda step, loss: losses.append(loss))
        trained.append(weights(model))
    assert are_equal(*trained)
    assert losses[: SMALL.steps] == losses[SMALL.steps :]
    assert losses[SMALL.steps - 1] < losses[0] - 0.5
    assert log["recipe"]["steps"] == SMALL.steps


class InterruptedError_(Exception):
    pass


@pytest.mark.parametrize("family", FAMILIES)
def test_an_interrupted_training_comes_to_the_same_weights_and_log(
    family: str, problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.mini.mini_training._SNAPSHOT_EVERY", 5)
    whole, whole_log = train(family, problems, TOKENIZER, SMALL, 3)
    steps: list[int] = []

    def interrupt(step: int, loss: float) -> None:
        steps.append(step)
        if len(steps) == 8:
            raise InterruptedError_

    snapshot = tmp_path / "snapshot"
    with pytest.raises(InterruptedError_):
        train(family, problems, TOKENIZER, SMALL, 3, interrupt, snapshot)
    model, log = train(family, problems, TOKENIZER, SMALL, 3, lambda step, loss: steps.append(step), snapshot)
    assert steps == [*range(1, 9), *range(6, SMALL.steps + 1)], "it went on behind the fifth step"
    assert are_equal(weights(whole), weights(model))
    assert (log["tokens"], log["data"]) == (whole_log["tokens"], whole_log["data"])
    assert [entry["loss"] for entry in log["loss"]] == [entry["loss"] for entry in whole_log["loss"]]
    with pytest.raises(TrainingMismatchError, match="belongs to a different training run; move it away"):
        train(family, problems, TOKENIZER, replace(SMALL, warmup=3), 3, snapshot=snapshot)
    for damaged in (b"", b"no snapshot", snapshot.read_bytes()[:1_000]):
        snapshot.write_bytes(damaged)
        with pytest.warns(UserWarning, match="snapshot is damaged: training restarts from step 0"):
            model, _ = train(family, problems, TOKENIZER, SMALL, 3, snapshot=snapshot)
        assert are_equal(weights(whole), weights(model))


def test_a_pair_starts_with_the_same_weights_but_for_lambda() -> None:
    first, second = (weights(initial_model(family, SMALL, TOKENIZER, 5)) for family in ("diffllama", "llama"))
    only = first.keys() - second.keys()
    assert second.keys() <= first.keys()
    assert only
    assert all("lambda" in name for name in only)
    assert are_equal({name: first[name] for name in second}, second)
    other = weights(initial_model("llama", SMALL, TOKENIZER, 6))
    assert not torch.equal(other["model.embed_tokens.weight"], second["model.embed_tokens.weight"])


@pytest.mark.parametrize("family", ["diffv2", "gda"])
def test_another_family_starts_with_what_it_shares_with_llama(family: str) -> None:
    """Of a wider or a narrower weight, the rows and columns that both have."""
    own, shared = (weights(initial_model(name, SMALL, TOKENIZER, 5)) for name in (family, "llama"))
    assert shared.keys() <= own.keys()
    other_shapes = 0
    for name, weight in shared.items():
        both = tuple(slice(min(sizes)) for sizes in zip(weight.shape, own[name].shape, strict=True))
        assert torch.equal(own[name][both], weight[both])
        other_shapes += weight.shape != own[name].shape
    assert other_shapes


@pytest.mark.parametrize("size", RECIPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_as_many_parameters_as_llama(family: str, size: str) -> None:
    recipe = RECIPES[size]
    with torch.device("meta"):
        count, of_llama = (initial_model(name, recipe, TOKENIZER, 0).num_parameters() for name in (family, "llama"))
    assert abs(count - of_llama) <= recipe.layers * 3 * recipe.hidden / 2, "less than a column of the MLP is left"
    if family in PAIR:
        assert matched_intermediate_size(family, recipe, TOKENIZER) == recipe.intermediate


def test_all_seeds_have_one_tokenizer() -> None:
    assert TOKENIZER.backend_tokenizer.to_str() == make_tokenizer(SMALL).backend_tokenizer.to_str()
    assert "seed" not in make_tokenizer.__code__.co_varnames


@pytest.mark.parametrize(("size", "millions"), [("0.3M", 0.3), ("1M", 1.0), ("3M", 3.0)])
def test_a_size_is_called_after_its_parameters(size: str, millions: float) -> None:
    for family in PAIR:
        with torch.device("meta"):
            count = sum(p.numel() for p in initial_model(family, RECIPES[size], TOKENIZER, 0).parameters())
        assert count / 1e6 == pytest.approx(millions, rel=0.1)


def test_the_loss_is_that_of_the_answer_alone() -> None:
    """Compared with transformers' loss, which ignores labels of −100. Ours projects the answer's positions only."""
    from models.mini.mini_training import _batches

    problems = mini.training(seed=4, n=8)
    ids, labels = next(_batches(problems, TOKENIZER, SMALL, seed=0))
    for row in range(len(ids)):
        answer = TOKENIZER.decode(labels[row][labels[row] != -100])
        assert answer.startswith(" ")
        assert "####" in answer
        assert answer.endswith("<eos>")
    recipe, first_loss = replace(SMALL, steps=1), list[float]()
    train("llama", problems, TOKENIZER, recipe, 0, lambda _, loss: first_loss.append(loss))
    theirs = initial_model("llama", recipe, TOKENIZER, 0)(input_ids=ids, labels=labels).loss.item()
    assert first_loss[0] == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "seeds"), [("0-7", list(range(8))), ("3", [3]), ("5,0-1", [0, 1, 5]), (" 2 , 2", [2])]
)
def test_seeds_are_read_as_numbers_and_ranges(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "0-", "0-99999", "99999999999"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^--seeds .*expected numbers from 0 to 4,294,967,295, as in 0-7 or 0,3, got"):
        parse_seeds(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "2M"], "--size '2M': expected 1M, 0.3M, 3M"),
        (["--steps", "0"], "--steps 0: expected a number from 1 to 10,000,000"),
        (["--distractor-share", "1.5"], "--distractor-share 1.5: expected a share from 0 to 1"),
        (["--workers", "0"], "--workers 0: expected a number from 1 to 1,024"),
    ],
)
def test_an_option_that_means_nothing_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train-mini", "--out", "nowhere", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not Path("nowhere").exists()


@pytest.mark.slow
def test_the_command_trains_pairs_keeps_what_is_there_and_refuses_another_recipe(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pairs"
    arguments = ["train-mini", "--seeds", "5-6", "--steps", "2", "--out", str(out)]
    assert main([*arguments[:2], "5", *arguments[3:]]) == 0
    before = (out / "llama/5/model.safetensors").read_bytes()
    assert main(arguments) == 0
    printed = capfd.readouterr().out
    assert "2 of 4 models already trained" in printed
    assert f"{out / 'llama/6'}: loss " in printed
    assert "2 models in " in printed
    assert (out / "llama/5/model.safetensors").read_bytes() == before
    logs = {
        (family, seed): json.loads((out / family / str(seed) / "training.json").read_text())
        for family in PAIR
        for seed in (5, 6)
    }
    for seed in (5, 6):
        assert logs["diffllama", seed]["data"] == logs["llama", seed]["data"]
    assert logs["llama", 5]["data"] != logs["llama", 6]["data"]
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    assert main([*arguments[:4], "3", *arguments[5:]]) == 1
    assert "already exists, with another 'recipe' in its training.json; choose another --out" in capfd.readouterr().err


def test_a_changed_corpus_is_no_model_of_this_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "llama" / "0"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    log = {"family": "llama", "seed": 0, "recipe": vars(SMALL) | {}, "data_start": "of another corpus"}
    (folder / "training.json").write_text(json.dumps(log))
    monkeypatch.setattr(train_mini_pairs, "_train_all", lambda *_: pytest.fail("nothing may be trained"))
    with pytest.raises(TrainingMismatchError, match="with another 'data_start' in its"):
        train_pairs(tmp_path, [0], SMALL)
    (folder / "model.safetensors").unlink()
    with pytest.raises(TrainingMismatchError, match=r"already exists, without model\.safetensors"):
        train_pairs(tmp_path, [0], SMALL)


def test_two_trainings_do_not_write_into_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train_again(*_: object) -> None:
        with pytest.raises(BlockingIOError, match="another train-mini is already writing to"):
            train_pairs(tmp_path, [1], SMALL)

    monkeypatch.setattr(train_mini_pairs, "_train_all", train_again)
    train_pairs(tmp_path, [0], SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_no_model_is_trained_on_behind_a_command_that_ended(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "models", "train-mini", "--out", str(tmp_path), "--steps", "2000"]
    started = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    workers: list[psutil.Process] = []
    for _ in range(600):
        workers = [
            child for child in psutil.Process(started.pid).children() if "spawn_main" in " ".join(child.cmdline())
        ]
        if len(workers) == 2 and all(child.cpu_times().user > 5 for child in workers):
            break
        time.sleep(0.2)
    assert len(workers) == 2
    started.send_signal(how)
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert started.wait(10) == (130 if how is signal.SIGINT else -how)


@pytest.mark.parametrize("size", RECIPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_every_family_and_size_can_be_saved_and_read(family: str, size: str, tmp_path: Path) -> None:
    """transformers checks a configuration when it is saved, and a training ends with that."""
    with torch.device("meta"):
        config = initial_model(family, RECIPES[size], TOKENIZER, 0).config
    config.save_pretrained(tmp_path)
    read = AutoConfig.from_pretrained(tmp_path)
    assert type(read) is type(config)
    assert read.to_diff_dict() == config.to_diff_dict()
