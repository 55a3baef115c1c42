"""`python -m models chat`: questions in, answers out, and noise added on request."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import pytest

from models.__main__ import main
from models.commands.chat import ChatSettings, chat, mark_distractors
from models.loading.load_model import LoadedModel, load
from noise import Problem, inject, mini

QUESTION = mini.problems("test")[0].question


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return load("llama", device="cpu", dtype="float32")


def replies_to(loaded: LoadedModel, lines: Sequence[str], settings: ChatSettings | None = None) -> list[str]:
    """The replies to `lines`, without the greeting."""
    replies: list[str] = []
    chat(loaded, settings or ChatSettings(), lines, replies.append)
    return replies[1:]


def test_a_question_is_answered(loaded: LoadedModel) -> None:
    assert replies_to(loaded, [f"  {QUESTION}\n", ""]) == ["20*5=100\n100+24=124\n#### 124"]


def test_noise_is_added_and_shown(loaded: LoadedModel) -> None:
    asked, answer = replies_to(loaded, [QUESTION], ChatSettings("inf2", seed=3))
    noisy = inject(Problem(QUESTION, QUESTION, ""), "inf2", 3)
    assert asked == f"asked: {mark_distractors(noisy)}"
    assert asked.replace("«", "").replace("»", "") == f"asked: {noisy.question}"
    assert asked.count("«") == asked.count("»") == 2
    assert answer


def test_an_included_problem_can_be_asked(loaded: LoadedModel) -> None:
    first, second = (problem.question for problem in mini.problems("test")[:2])
    replies = replies_to(loaded, ["/example", "/example", "/example 1"])
    assert [replies[number] for number in (0, 3, 6)] == [
        f"example 1: {first}", f"example 2: {second}", f"example 1: {first}",
    ]  # fmt: skip
    assert replies[2] == f"worked answer: {mini.problems('test')[0].answer}"


def test_noise_and_seed_can_be_changed_in_the_chat(loaded: LoadedModel) -> None:
    replies = replies_to(loaded, ["/noise sd", "/seed 7", QUESTION, "/noise clean", QUESTION, "/quit", QUESTION])
    assert replies[:2] == ["noise sd", "seed 7"]
    assert replies[2] == f"asked: {mark_distractors(inject(Problem(QUESTION, QUESTION, ''), 'sd', 7))}"
    assert replies[4:] == ["noise clean", "20*5=100\n100+24=124\n#### 124"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/example x", "! '/example x': expected /example or /example N"),
        ("/example 0", "! '/example 0': expected a number from 1 to 1,000"),
        ("/noise ifn", "! unknown noise 'ifn'. Did you mean 'inf'?"),
        ("/nosie inf", "! '/nosie inf': expected /example, /noise NAME, /seed N, /help or /quit"),
        ("/seed x", "! '/seed x': expected"),
        ("word " * 3000, "! a prompt of "),
    ],
    ids=["example", "number", "noise", "command", "seed", "too long"],
)
def test_an_error_is_one_sentence_and_the_chat_goes_on(loaded: LoadedModel, line: str, message: str) -> None:
    first, second = replies_to(loaded, [line, QUESTION])
    assert first.startswith(message)
    assert second.endswith("#### 124")


def test_an_answer_at_the_limit_says_so(loaded: LoadedModel) -> None:
    (reply,) = replies_to(loaded, [QUESTION], ChatSettings(max_new_tokens=3))
    assert reply.endswith(" … (stopped after 3 tokens)")


def test_questions_may_come_from_a_pipe(
    loaded: LoadedModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{QUESTION}\n"))
    assert main(["chat", "llama", "--device", "cpu"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["20*5=100", "100+24=124", "#### 124"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lama"], "python -m models chat: unknown model 'lama'. Did you mean 'llama'?"),
        (["llama", "--noise", "ifn"], "python -m models chat: unknown noise 'ifn'. Did you mean 'inf'?"),
    ],
)
def test_a_misspelt_name_is_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chat", *arguments]) == 2
    assert capsys.readouterr().err.startswith(message)
