"""The certification rule, tested on pairs labelled by hand and on what it documents."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noise.certify import refusal
from tests.strategies import questions

pytestmark = pytest.mark.quick

PAIRS = [json.loads(line) for line in Path(__file__).with_name("labelled_pairs.jsonl").read_text("utf-8").splitlines()]
PEARS = "Ida has 12 pears. She eats 5 pears. How many pears does Ida have left?"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{'good' if pair['good'] else 'bad'}: {pair['why']}")
def test_the_rule_agrees_with_the_labels(pair: dict[str, str]) -> None:
    target = Fraction(pair["target"]) if "target" in pair else None
    reason = refusal(pair["question"], pair["distractor"], pair["carries"], target)  # type: ignore[arg-type]
    assert (reason is None) == pair["good"], reason


def test_there_are_enough_pairs_and_half_of_them_are_bad() -> None:
    bad = sum(not pair["good"] for pair in PAIRS)
    assert len(PAIRS) >= 60
    assert abs(bad - len(PAIRS) / 2) <= 0.05 * len(PAIRS)
    assert len({(pair["question"], pair["distractor"]) for pair in PAIRS}) == len(PAIRS)


@pytest.mark.parametrize(
    "word",
    "one dozen half twice another more extra few several every all both pair third none one-third".split(),
)
def test_no_quantity_word_is_certified_where_nothing_may_be_counted(word: str) -> None:
    reason = refusal(PEARS, f"The basket looked {word} pleasant in the light.", "nothing")
    assert reason is not None
    assert word in reason


@pytest.mark.parametrize(("in_question", "in_sentence"), [("34", "٣٤"), ("٣٤", "34"), ("٣,٠٠٠", "3000")])
def test_a_number_is_the_same_in_another_script(in_question: str, in_sentence: str) -> None:
    question, sentence = PEARS.replace("12", in_question), f"A market in Porto sold {in_sentence} lanterns."
    assert "is in the question" in (refusal(question, sentence) or "")
    assert "is the answer" in (refusal(PEARS, sentence, target=Fraction(in_sentence)) or "")


@pytest.mark.parametrize("number", ["9" * 5000, "9," * 5000, "1." + "9" * 5000])
def test_a_number_that_python_does_not_convert_is_refused(number: str) -> None:
    sentence = f"On a wall in Porto, {number} × 2 = 18 is written."
    for carries in ("numbers", "sums", "nothing"):
        assert refusal(PEARS, sentence, carries, Fraction(7, 2)) == "it has a number of more than 100 digits"  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["in Porto.r.", "in Porto.Then it closed.", "in Porto. It closed."])
def test_a_second_sentence_is_refused_also_without_a_space(end: str) -> None:
    assert "more than one sentence" in (refusal(PEARS, f"A market sold 34 lanterns {end}") or "")


def test_a_refusal_names_the_word() -> None:
    assert "'pears'" in (refusal(PEARS, "A market in Porto sold 34 pears.") or "")
    assert "Ida" in (refusal(PEARS, "In Porto, Ida owns 34 lanterns.") or "")


@settings(max_examples=150, deadline=None)
@given(question=questions, distractor=st.text(max_size=80), carries=st.sampled_from(("numbers", "sums", "nothing")))
def test_any_two_texts_are_certified_or_refused(question: str, distractor: str, carries: str) -> None:
    reason = refusal(question, distractor, carries)  # type: ignore[arg-type]
    assert reason is None or reason
