"""The commands behind docs/speed.md: answers of given lengths, the limits of a machine, and the printed summary."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.speed import peers
from benchmarks.speed.peer_harnesses import answer_here, answer_one_at_a_time
from benchmarks.speed.peers_report import LOOP, OURS, draw, summary_lines
from benchmarks.speed.roofline import least_seconds
from benchmarks.speed.scaling_workloads import endless_problems
from benchmarks.speed.study_shape import CLASSES, LENGTHS, VOCABULARY, questions, study_shape
from models.decode.generation import answers
from models.loading.load_model import LoadedModel
from noise import mini

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
FIRST_LENGTHS = LENGTHS[:6]


@pytest.fixture(scope="module")
def small() -> LoadedModel:
    return study_shape("diffllama", "float32", SMALL)


def test_answers_have_the_lengths_that_prompts_ask_for(small: LoadedModel) -> None:
    texts = questions(FIRST_LENGTHS)
    assert [len(ids) for ids in small.encode(small.prompts(texts))["input_ids"]] == [
        prompt for prompt, _ in FIRST_LENGTHS
    ]
    generations = dict(answers(small, texts, 300))
    assert [generations[index].tokens for index in range(6)] == [answer for _, answer in FIRST_LENGTHS]
    assert all(generation.finished for generation in generations.values())


def test_the_free_choice_of_tokens_is_the_model_s_own(small: LoadedModel) -> None:
    """Otherwise equal answers of two ways would show nothing."""
    texts = questions(FIRST_LENGTHS[:2])
    ours = answer_here(small, texts, 300, 2)
    assert ours == answer_one_at_a_time(small, texts, 300)
    assert ours != answer_here(study_shape("llama", "float32", SMALL), texts, 300, 2)
    assert len(set(" ".join(ours).split())) > 20


def test_lengths_fit_into_the_classes() -> None:
    assert VOCABULARY % CLASSES == 0
    assert max(answer for _, answer in LENGTHS) < CLASSES


def test_the_least_time_is_the_larger_of_arithmetic_and_reading(small: LoadedModel) -> None:
    body = sum(parameter.numel() for name, parameter in small.model.named_parameters() if "embed" not in name)
    head = VOCABULARY * 32
    arithmetic = least_seconds(small, [(10, 5), (20, 7)], 4, matrix=1e9, memory=1e30)
    assert arithmetic == pytest.approx((2 * body * 42 + 2 * head * 12) / 1e9)
    reading = least_seconds(small, [(10, 5), (20, 7)], 4, matrix=1e30, memory=1e9)
    assert reading == pytest.approx(3 * 4 * (body + head) / 1e9)


def row(way: str, faster: float, same: int = 3, case: str = "llama") -> dict[str, Any]:
    return {
        "case": case,
        "way": way,
        "problems": 3,
        "tokens a second": 60.0,
        "ours is faster by": faster,
        "same answers": same,
        "fraction of the limit": 0.5,
    }


def test_the_summary_gives_ratios_with_their_spread(tmp_path: Path) -> None:
    rows = [row(OURS, 1.0), *(row(LOOP, ratio) for ratio in (6.0, 7.5, 7.0))]
    assert list(summary_lines(rows)) == [
        "llama: this harness: 60.0 answer tokens/s (median); 0.50 / 0.50 / 0.50 of the limit",
        "llama: one at a time: 60.0 answer tokens/s (median); this harness is 6.0 / 7.0 / 7.5× as fast; 9 of 9"
        " answers the same",
    ]
    draw(rows, tmp_path / "peers.png")
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")


def test_mistakes_on_the_command_line_are_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as misuse:
        peers.main(["--rounds", "0"])
    assert misuse.value.code == 2
    assert "--rounds 0: expected a number from 1 up" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(SystemExit) as missing:
        peers.main(["--out", "/nowhere"])
    assert missing.value.code == 2
    assert "pip install -r requirements-peers.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    "what", ["noise rcs", *(pytest.param(what, marks=pytest.mark.slow) for what in ("problems", "cells", "report"))]
)
def test_a_figure_of_growth_is_measured_in_a_process_of_its_own(what: str) -> None:
    command = [sys.executable, "-m", "benchmarks", "scaling", "--one", what, "8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    figure = json.loads(done.stdout.splitlines()[-1])
    assert (figure["what"], figure["count"]) == (what, 8)
    assert figure["seconds"] > 0
    assert figure["peak MB"] > 20


def test_endless_problems_never_repeat() -> None:
    stream = endless_problems()
    first = [next(stream) for _ in range(9001)]
    assert len({problem.id for problem in first}) == len({problem.question for problem in first}) == 9001
    assert {problem.question.strip() for problem in first} == {problem.question for problem in mini.problems("test")}


def test_a_bfloat16_model_is_initialised_in_bfloat16() -> None:
    assert study_shape("llama", "bfloat16", SMALL).model.dtype is torch.bfloat16
    assert torch.get_default_dtype() is torch.float32
