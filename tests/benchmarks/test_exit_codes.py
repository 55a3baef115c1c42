"""The exit statuses of docs/howto.md, one by one: a CI tells a regression from wrong use by them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from models.model_registry import MODELS
from tests.benchmarks.typed_commands import typed

#: Two cases of one model.
CASES = ["benchmarks/test_zero_shot.py", "--skip-sft", "--datasets", "clean,inf", "--max-samples", "2"]


def damaged_copy(folder: Path, damage: Callable[[Path], None]) -> str:
    copy = folder / "copy"
    shutil.copytree(MODELS["llama"].source, copy)
    damage(copy)
    return f"copy={copy}"


def zero_weights(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({name: 0 * tensor for name, tensor in weights.items()}, folder / "model.safetensors", {"format": "pt"})


def test_0_is_fine(tmp_path: Path) -> None:
    done = typed(*CASES, "--models", "llama", "--results", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_1_is_a_case_that_failed_and_says_why_once(tmp_path: Path) -> None:
    """What only the weights show: the case that reads them fails, and the others are skipped."""
    model = damaged_copy(tmp_path, zero_weights)
    done = typed(*CASES, "--models", model, "--results", f"{tmp_path}/results", "-rs")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 skipped" in done.stdout
    assert "an earlier case has failed for the same reason: model 'copy': " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--models", "lama"], "unknown model 'lama'. Did you mean 'llama'?"),
        (["--models", "llama,other={tmp}"], "model 'other': {tmp} has no config.json; expected a checkpoint folder"),
        (["--models", "llama", "--device", "meta:7x"], "device='meta:7x'"),
        (["--problems", "{tmp}/bad.jsonl"], "bad.jsonl:1: expected a JSON object, got list []"),
        (["--models", "llama", "--baseline", "{tmp}/none.json"], "none.json does not exist"),
    ],
)
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "with workers"])
def test_4_is_wrong_use_and_is_answered_once(
    tmp_path: Path, workers: list[str], arguments: list[str], sentence: str
) -> None:
    (tmp_path / "bad.jsonl").write_text("[]\n")
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    done = typed(*CASES, *given, *workers, "--results", f"{tmp_path}/results")
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.count(sentence.replace("{tmp}", str(tmp_path))) == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()


def test_4_is_a_tokenizer_that_cannot_be_read(tmp_path: Path) -> None:
    def damage(folder: Path) -> None:
        (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0"}))

    done = typed(*CASES, "--models", damaged_copy(tmp_path, damage), "--results", f"{tmp_path}/results")
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.count("is not a usable checkpoint") == 1


def test_4_is_a_folder_of_a_run_with_other_settings(tmp_path: Path) -> None:
    """Only its cases can tell: the first says so, in JUnit XML too, and the others with the same difference skip."""
    arguments = [*CASES, "--models", "llama", "--results", f"{tmp_path}/results"]
    assert typed(*arguments).returncode == 0
    done = typed(*arguments, "--max-new-tokens", "77", "--junitxml", f"{tmp_path}/junit.xml")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "max_new_tokens was 256 and is now 77" in " ".join(done.stdout.split())
    assert "1 failed, 1 skipped" in done.stdout
    assert '<property name="failed_by" value="wrong use" />' in (tmp_path / "junit.xml").read_text()


def test_4_is_a_noisy_file_with_a_bad_line_and_no_model_is_loaded_for_it(tmp_path: Path) -> None:
    problem = {"question": "Ann has 3 caps. She buys 2 more. How many caps does Ann have?", "answer": "#### 5"}
    (tmp_path / "mine.jsonl").write_text(json.dumps(problem) + "\n")
    (tmp_path / "mine_inf.jsonl").write_text('{"question": 5}\n')
    given = ["--problems", f"{tmp_path}/mine.jsonl", "--skip-data-gen", "--results", f"{tmp_path}/results"]
    done = typed(*CASES, *given)
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.count("mine_inf.jsonl:1: ") == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("llamax", "Did you mean 'llama'?"),
        ("no_such", "-k no_such selects no case; their names are made of diffllama, "),
    ],
)
def test_5_is_nothing_selected_and_says_what_can_be(tmp_path: Path, word: str, hint: str) -> None:
    done = typed("benchmarks", *CASES[1:], "-k", word, "--results", str(tmp_path))
    assert done.returncode == 5
    assert hint in done.stdout


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (["--max-new-tokens", "77"], "has other settings: max_new_tokens was 256 and is now 77"),
        (["--max-samples", "9"], "has 8 problems, and 1 of the 9 asked now are not among them"),
        (["--results", "/proc/none"], "cannot write"),
    ],
)
def test_4_is_a_baseline_or_a_folder_that_cannot_be_used_and_nothing_is_asked_first(
    tmp_path: Path, changed: list[str], sentence: str
) -> None:
    cases = ["benchmarks/test_zero_shot.py", "--skip-sft", "--datasets", "clean", "--models", "llama"]
    arguments = [*cases, "--max-samples", "8", "--results", f"{tmp_path}/results"]
    assert typed(*arguments, "--save-baseline", f"{tmp_path}/ci.json").returncode == 0
    shutil.rmtree(tmp_path / "results")
    done = typed(*arguments, "--baseline", f"{tmp_path}/ci.json", *changed)
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.count(sentence) == 1, done.stderr
    assert not (tmp_path / "results").exists()
