"""`python -m noise audit` and `strength`: every line has a verdict, and what we draw ourselves is certified."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from noise import NOISES, NoisyProblem, Problem, inject, load_problems
from noise.__main__ import main
from noise.sets.certify_pair import BEHIND_THE_QUESTION, NOT_A_SENTENCE, certificate_refusal, kind_of_reason
from noise.sets.strength import COLUMNS, strength_of, strength_shares

pytestmark = pytest.mark.quick
QUESTION = "Ann has 3 pens. She gives 1 pen to Tom. How many pens does Ann have left?"


def with_added(text: str, at: str, question: str = QUESTION) -> NoisyProblem:
    """The question with `text` before the words `at`, or at its end."""
    start = question.index(at) if at else len(question)
    problem = Problem("a", question, "#### 2")
    return NoisyProblem(problem, "theirs", question[:start] + text + question[start:], ((start, start + len(text)),), 0)


@pytest.mark.parametrize("name", [*NOISES, *(f"{name}3" for name in NOISES)])
def test_what_is_drawn_is_certified(name: str) -> None:
    for problem in load_problems("mini")[:100]:
        assert certificate_refusal(inject(problem, name, seed=3)) is None


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("A bus to Lima seats 77 people. ", "How many", None),
        ("Rain was falling softly. A bus to Lima seats 77 people. ", "How many", None),
        ("In Lima, a hotel has 77 floors. ", "Ann has", None),
        ("with 77 caps ", "to Tom", NOT_A_SENTENCE),
        (" Cats sleep.", "", BEHIND_THE_QUESTION),
        ("Zoe, a nurse from Lima, counted 77 cars. ", "She gives", "which could then refer to this sentence's subject"),
        ("She has 77 caps. ", "How many", "the pronoun 'she' can be read"),
        ("In Lima, a shop sells 77 pens. ", "How many", "'pens' is in the question"),
        ("A bus to Lima seats 2 people. ", "How many", "its number 2 is the answer"),
        ("Rain was falling softly. She has 77 caps. ", "How many", "the pronoun 'she' can be read"),
    ],
)
def test_a_distractor_of_others_is_certified_where_it_stands(text: str, at: str, reason: str | None) -> None:
    refused = certificate_refusal(with_added(text, at))
    assert (refused is None) == (reason is None), refused
    assert (reason or "") in (refused or "")


def test_reasons_are_counted_without_what_they_quote() -> None:
    assert (
        kind_of_reason("'pens' is in the question, so 12.5 could be meant")
        == "… is in the question, so … could be meant"
    )
    assert kind_of_reason("Ann is somebody or something of the question") == (
        "a name is somebody or something of the question"
    )


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("Rain was falling softly. ", set()),
        ("Bob has 77 hats. ", {"number"}),
        ("Bob has two hats. ", {"number", "number_in_range"}),
        ("Tom is tired. ", {"name", "name_or_pronoun"}),
        ("They are tired. ", {"name_or_pronoun"}),
        ("A pen is blue. ", {"content_noun", "asked_unit"}),
        ("Her pens cost $2. ", {"name_or_pronoun", "content_noun", "asked_unit", "number", "number_in_range"}),
    ],
)
def test_the_strength_of_a_distractor_is_what_it_shares(text: str, shared: set[str]) -> None:
    strength = strength_of(with_added(text, "How many"))
    assert {column for column in COLUMNS if getattr(strength, column)} == shared


def test_a_unit_of_the_kind_that_is_asked_for_is_the_asked_unit() -> None:
    asks = "Ann buys 3 pens at $2 each. How much money does she spend?"
    assert strength_of(with_added("A hat is 9 dollars. ", "How much", asks)).asked_unit
    assert not strength_of(with_added("A hat is 9 inches wide. ", "How much", asks)).asked_unit


def test_shares_are_of_all_distractors() -> None:
    noisy = [with_added(text, "How many") for text in ("Tom is tired. ", "Rain was falling. ", "Bob has 7 hats. ")]
    total, shares = strength_shares(noisy)
    assert (total, shares["name"], shares["number"], shares["asked_unit"]) == (3, 1 / 3, 1 / 3, 0)
    assert strength_shares([]) == (0, dict.fromkeys(COLUMNS, 0.0))


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    noisy = [with_added("A bus to Lima seats 77 people. ", "How many"), with_added("She has 77 caps. ", "How many")]
    noisy.append(replace(noisy[0], question="What is the answer?"))
    lines = [{"question": one.question, "original_question": QUESTION, "answer": "2"} for one in noisy]
    path = tmp_path / "theirs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_each_line_has_a_verdict(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = theirs.with_name("audit.csv")
    assert main(["audit", str(theirs), "--csv", str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[:6] == [
        "theirs.jsonl: 2 of 3 lines can be used; not used: 1 changes or drops words of the original question",
        "certified: 1 of 3",
        "not certified: 1 of 3",
        "not used: 1 of 3",
        "      1  the pronoun … can be read as someone or something of the question",
        f"distractors of       n  {'  '.join(column.replace('_', ' ') for column in COLUMNS)}",
    ]
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["verdict"], row["number"]) for row in rows] == [
        ("1", "certified", "1"),
        ("2", "not certified", "1"),
        ("3", "not used", ""),
    ]
    assert rows[1]["reason"] == "the pronoun 'she' can be read as someone or something of the question"
    assert rows[0]["distractor"] == "A bus to Lima seats 77 people."


def test_the_audit_as_json(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(theirs), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["lines"] == {"certified": 1, "not certified": 1, "not used": 1}
    assert (values["distractors"], values["shares"]["number"], len(values["sha256"])) == (2, 1.0, 64)


def test_a_missing_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(tmp_path / "none.jsonl")]) == 1
    assert capsys.readouterr().err == f"python -m noise audit: {tmp_path / 'none.jsonl'}: no such file\n"


def test_a_table_has_drawn_noise_beside_a_set(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["strength", "--problems", "mini", "--datasets", f"inf,sd,theirs={theirs}", "--max-samples", "10"]
    assert main(typed) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[:2] for row in table] == [["inf", "10"], ["sd", "10"], ["theirs", "2"]]
    assert main([*typed, "--json"]) == 0
    shares = json.loads(capsys.readouterr().out)
    assert (shares["inf"]["number"], shares["sd"]["number"], shares["theirs"]["n"]) == (1.0, 0.0, 2)


def test_noise_to_draw_wants_problems(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["strength", "--datasets", "inf"])
    assert caught.value.code == 2
    assert "expected problems to draw 'inf' for, got none" in capsys.readouterr().err
