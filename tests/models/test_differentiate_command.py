"""`python -m models differentiate`: the control is a checkpoint like any other, or one sentence says why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from models.__main__ import main
from models.attention.differential import is_differential, lambdas
from models.commands.differentiate import write_differentiated
from models.loading.load_model import load
from models.model_registry import MODELS, TRAINED_ON, TRAINING_LOG, find_model, trained_on


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The control of the included Llama."""
    folder = tmp_path_factory.mktemp("controls") / "control"
    write_differentiated(MODELS["llama"], folder)
    return folder


def test_what_was_written_loads_as_a_diffllama_with_the_tokenizer_of_the_llama(control: Path) -> None:
    loaded, llama = load(str(control), "cpu"), load("llama", "cpu")
    assert is_differential(loaded.model)
    assert lambdas(loaded.model).abs().max() <= 1e-7
    text = "Griandina has 16 eggs."
    assert loaded.encode([text])["input_ids"] == llama.encode([text])["input_ids"]
    assert loaded.model.generation_config.to_diff_dict() == llama.model.generation_config.to_diff_dict()
    assert [path.name for path in control.parent.iterdir()] == [control.name]


def test_its_caveat_and_its_log_say_what_it_is(control: Path) -> None:
    caveat = find_model(str(control)).caveat
    control_alone = "a control: llama rebuilt as a DiffLlama with λ = 0, which computes the same in float32"
    assert caveat.split("; ") == [MODELS["llama"].caveat, control_alone]
    log = json.loads((control / TRAINING_LOG).read_text())
    assert log["control_of"] == "llama"
    assert log["control_of_weights"] == load("llama", "cpu").fingerprint
    assert log["largest_logit_difference"] <= 1e-5 * log["largest_logit"]


def test_the_command_prints_how_far_the_logits_are_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "damaged").mkdir()  # an empty folder may be there
    assert main(["differentiate", "llama", "--lambda", "0.5", "--out", str(tmp_path / "damaged")]) == 0
    output = capsys.readouterr()
    assert "llama as a DiffLlama with λ = 0.5; its logits differ from those of llama by at most" in output.out
    assert output.err == ""
    log = json.loads((tmp_path / "damaged" / TRAINING_LOG).read_text())
    assert log["largest_logit_difference"] > 1
    assert "which is damaged on purpose" in log["caveat"]
    assert torch.allclose(lambdas(load(str(tmp_path / "damaged"), "cpu").model), torch.tensor(0.5))


def test_a_control_of_a_tuned_llama_is_not_tested_on_what_it_was_tuned_on(tmp_path: Path) -> None:
    shutil.copytree(MODELS["llama"].source, tmp_path / "tuned")
    (tmp_path / "tuned" / TRAINED_ON).write_text("one\ntwo\n")
    write_differentiated(find_model(str(tmp_path / "tuned")), tmp_path / "control")
    assert trained_on(find_model(str(tmp_path / "control"))) == {"one", "two"}


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["llama", "--out", "full"], 2, "--out full: expected a new or an empty folder"),
        (["llama", "--out", "full/file"], 2, "--out full/file: expected a new or an empty folder"),
        (["llama", "--out", "new", "--lambda", "1"], 2, "--lambda 1: expected a number between -1 and 1"),
        (["llama", "--out", "new", "--lambda", "nan"], 2, "--lambda nan: expected a number between -1 and 1"),
        (["lama", "--out", "new"], 2, "Did you mean 'llama'?"),
        (["llama:*", "--out", "new"], 2, "expected one model, got 8"),
        (["diffllama", "--out", "new"], 1, "model 'diffllama': expected a Llama (model_type 'llama')"),
        (["full", "--out", "new"], 1, "model 'full': full has no config.json"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(
    arguments: list[str],
    status: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    assert main(["differentiate", *arguments]) == status
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert (tmp_path / "full" / "file").read_text() == "mine"


def test_a_control_that_does_not_compute_the_same_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.commands.differentiate._logit_difference", lambda *_: (0.5, 20.0))
    with pytest.raises(ValueError, match="does not compute what the Llama does"):
        write_differentiated(MODELS["llama"], tmp_path / "control")
    assert list(tmp_path.iterdir()) == []
