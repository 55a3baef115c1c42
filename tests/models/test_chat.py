"""`python -m models chat`: questions in, answers out, and noise put in on the way."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import pytest

from models.__main__ import main
from models.commands.chat import Talk, chat, marked
from models.loading.load_model import LoadedModel, load
from noise import Problem, inject, mini

QUESTION = mini.problems("test")[0].question


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return load("llama", device="cpu", dtype="float32")


def told(loaded: LoadedModel, lines: Sequence[str], talk: Talk | None = None) -> list[str]:
    """What is said to `lines`, without the greeting."""
    said: list[str] = []
    chat(loaded, talk or Talk(), lines, said.append)
    return said[1:]


def test_a_question_is_answered(loaded: LoadedModel) -> None:
    assert told(loaded, [f"  {QUESTION}\n", ""]) == ["20*5=100\n100+24=124\n#### 124"]


def test_noise_is_put_in_and_shown(loaded: LoadedModel) -> None:
    asked, answer = told(loaded, [QUESTION], Talk("inf2", seed=3))
    noisy = inject(Problem(QUESTION, QUESTION, ""), "inf2", 3)
    assert asked == f"asked: {marked(noisy)}"
    assert asked.replace("«", "").replace("»", "") == f"asked: {noisy.question}"
    assert asked.count("«") == asked.count("»") == 2
    assert answer


def test_noise_and_seed_can_be_changed_on_the_way(loaded: LoadedModel) -> None:
    said = told(loaded, ["/noise sd", "/seed 7", QUESTION, "/noise clean", QUESTION, "/quit", QUESTION])
    assert said[:2] == ["noise sd", "seed 7"]
    assert said[2] == f"asked: {marked(inject(Problem(QUESTION, QUESTION, ''), 'sd', 7))}"
    assert said[4:] == ["noise clean", "20*5=100\n100+24=124\n#### 124"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/noise ifn", "! unknown noise 'ifn'. Did you mean 'inf'?"),
        ("/nosie inf", "! '/nosie inf': expected /noise NAME, /seed N, /help or /quit"),
        ("/seed x", "! '/seed x': expected"),
        ("word " * 3000, "! a prompt of "),
    ],
    ids=["noise", "command", "seed", "too long"],
)
def test_what_goes_wrong_is_one_sentence_and_the_talk_goes_on(loaded: LoadedModel, line: str, said: str) -> None:
    first, second = told(loaded, [line, QUESTION])
    assert first.startswith(said)
    assert second.endswith("#### 124")


def test_an_answer_that_is_cut_off_says_so(loaded: LoadedModel) -> None:
    (said,) = told(loaded, [QUESTION], Talk(max_new_tokens=3))
    assert said.endswith(" … (cut off at 3 tokens)")


def test_questions_may_come_from_a_pipe(
    loaded: LoadedModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{QUESTION}\n"))
    assert main(["chat", "llama", "--device", "cpu"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["20*5=100", "100+24=124", "#### 124"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lama"], "python -m models chat: unknown model 'lama'. Did you mean 'llama'?"),
        (["llama", "--noise", "ifn"], "python -m models chat: unknown noise 'ifn'. Did you mean 'inf'?"),
    ],
)
def test_a_misspelt_name_is_one_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat", *arguments]) == 2
    assert capsys.readouterr().err.startswith(said)
