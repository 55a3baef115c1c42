"""Answers are greedy, whatever generation settings a checkpoint comes with; the header of a run names them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.choices import choose_models
from benchmarks.plan import Plan
from models.decode.generation import generate
from models.loading.generation_settings import ignored_settings
from models.loading.load_model import load
from models.model_registry import MODELS, ModelSpec
from noise import mini

QUESTIONS = [problem.question for problem in mini.problems("test")[:8]]


def checkpoint(folder: Path, **settings: Any) -> Path:
    """A copy of the included Llama with more generation settings."""
    shutil.copytree(MODELS["llama"].source, folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    return folder


@pytest.fixture(scope="module")
def expected() -> list[str]:
    return [generation.text for generation in generate(load("llama", "cpu", "float32"), QUESTIONS, 96)]


@pytest.mark.parametrize(
    "settings",
    [
        {"repetition_penalty": 1.5},
        {"no_repeat_ngram_size": 2},
        {"encoder_repetition_penalty": 1.5},
        {"suppress_tokens": [20, 21, 22]},
        {"exponential_decay_length_penalty": [5, 1.3]},
        {"max_time": 0.01},
        {"forced_eos_token_id": 2},
        {"stop_strings": ["x"]},
        {"bad_words_ids": [[20]]},
        {"num_beams": 3},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_setting_changes_no_answer_and_is_named(
    tmp_path: Path, expected: list[str], settings: dict[str, Any]
) -> None:
    spec = ModelSpec("mine", str(checkpoint(tmp_path / "mine", **settings)))
    assert [generation.text for generation in generate(load(spec, "cpu", "float32"), QUESTIONS, 96)] == expected
    assert ignored_settings(spec) == settings
    (line,) = Plan(models=(spec,), datasets=("clean",), stages=("zero_shot",)).ignored_settings()
    ((name, value),) = settings.items()
    assert line == f"mine: answers are greedy; settings ignored in generation_config.json: {name}={value!r:.40}"


@pytest.mark.quick
def test_what_changes_no_greedy_answer_is_not_named(tmp_path: Path) -> None:
    settings = {"do_sample": False, "temperature": 0.6, "top_p": 0.9, "repetition_penalty": 1.0, "max_length": 20}
    assert ignored_settings(ModelSpec("mine", str(checkpoint(tmp_path / "mine", **settings)))) == {}
    assert Plan(models=choose_models("llama"), datasets=("clean",), stages=("zero_shot",)).ignored_settings() == []


def test_every_token_that_ends_a_text_still_does(tmp_path: Path, expected: list[str]) -> None:
    eos = json.loads((Path(MODELS["llama"].source) / "generation_config.json").read_text())["eos_token_id"]
    hashes = load("llama", "cpu", "float32").tokenizer.convert_tokens_to_ids("####")
    folder = checkpoint(tmp_path / "mine", eos_token_id=[eos, hashes])
    texts = [generation.text for generation in generate(load(str(folder), "cpu", "float32"), QUESTIONS, 96)]
    assert texts == [text.partition("####")[0] for text in expected]
