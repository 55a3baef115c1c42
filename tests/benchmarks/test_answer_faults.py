"""What is wrong with a wrong answer is said by rule, and agrees with labels given by hand."""

from __future__ import annotations

import json
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.answer_faults import FAULTS, fault_of
from benchmarks.calculations_in_answers import steps_in
from benchmarks.number_sources import number_sources
from benchmarks.numbers_and_signs import tidied
from reports.stats.proportions import wilson
from tests.strategies import questions

pytestmark = pytest.mark.quick
#: Answers of the included pair, and answers written for this file. `part` is "design" where the label was given before
#: there was a rule and the rule was made to agree, "held_out" where it was given after the rule was frozen. The rule is
#: not made for answers with `designed` false. `source` names the model and the noise, or is "written".
LABELLED = [
    json.loads(line)
    for line in Path(__file__).with_name("labelled_faults.jsonl").read_text(encoding="utf-8").splitlines()
]
DESIGN = [row for row in LABELLED if row["part"] == "design"]
HELD_OUT = [row for row in LABELLED if row["part"] == "held_out"]
WRONG = ("incorrect", "no_answer", "truncated")


def fault(row: dict[str, Any]) -> str:
    keys = ("text", "answer", "outcome", "target", "gold", "question", "spans")
    return fault_of(*(row[key] for key in keys))


def noisy(text: str, answer: str = "13", outcome: str = "incorrect") -> str:
    """The fault of an answer to a problem whose worked answer is 5 + 7 = 12, and whose noise has a 9."""
    question = "Ida has 5 pears and buys seven more. A bus has 9 seats. How many pears does she have?"
    start = question.index("A bus")
    return fault_of(
        text,
        answer,
        outcome,
        "12",
        "5+7=<<5+7=12>>12\n#### 12",
        question,
        [(start, start + len("A bus has 9 seats. "))],
    )


@pytest.mark.parametrize("row", [row for row in DESIGN if row.get("designed", True)], ids=lambda row: row["label"])
def test_the_rule_agrees_with_the_labels_it_was_made_for(row: dict[str, Any]) -> None:
    assert fault(row) == row["label"], row["text"]


def test_every_kind_is_labelled_and_no_other() -> None:
    assert len(DESIGN) >= 80
    for part in (DESIGN, HELD_OUT):
        counts = Counter(row["label"] for row in part)
        assert set(counts) == set(FAULTS)
        assert all(count >= 2 for count in counts.values())
        assert sum(row["source"] != "written" for row in part) >= len(part) * 0.4


def test_the_agreement_with_held_out_labels_is_the_one_in_the_document() -> None:
    """The rule was frozen before these were labelled, and was not changed for them."""
    agreed = [fault(row) == row["label"] for row in HELD_OUT]
    written = [same for same, row in zip(agreed, HELD_OUT, strict=True) if row["source"] == "written"]
    low, high = wilson(sum(agreed), len(agreed))
    document = " ".join((Path(__file__).parents[2] / "docs" / "grading.md").read_text(encoding="utf-8").split())
    assert f"{len(agreed)} more were labelled" in document
    assert f"agrees with {sum(agreed)}, {sum(agreed) / len(agreed):.0%}".replace("%", " %") in document
    assert f"{low:.1%} to {high:.1%}".replace("%", " %") in document
    models = len(agreed) - len(written)
    assert f"with {sum(agreed) - sum(written)} of {models} of the included pair's" in document
    assert f"with {sum(written)} of {len(written)} written ones" in document
    assert f"has {len(LABELLED)} wrong answers" in document
    same = sum(fault(row) == row["label"] for row in DESIGN)
    assert f"agree with {len(DESIGN)} of them, and agrees with {same}." in document


@pytest.mark.parametrize(
    ("text", "answer", "is_called", "is_rather"),
    [
        ("She earns $27 a day, and $56 in two days.", "56", "other", "arithmetic"),
        ("9*37=333", "333", "unstated_number", "noise_number"),
        ("In 6 hours she is done. The answer is 6.", "6", "other", "stopped_early"),
        ("It is not 377. It is 30.", "30", "noise_number", "other"),
    ],
)
def test_what_the_rule_gets_wrong(text: str, answer: str, is_called: str, is_rather: str) -> None:
    """Listed in the document. A change for the better belongs there too."""
    question = "Ida earns $9 an hour, 3 hours a day, for 2 days. A bus took 377 people. How much is that?"
    start = question.index("A bus")
    span = (start, start + len("A bus took 377 people. "))
    kind = fault_of(text, answer, "incorrect", "54", "9*3=27\n27*2=54\n#### 54", question, [span])
    assert kind == is_called != is_rather


def test_what_the_rule_gets_wrong_of_the_held_out_answers() -> None:
    """A share that is implied by two others, and a right way of its own whose result is copied wrongly."""
    wrong = [(fault(row), row["label"]) for row in HELD_OUT if fault(row) != row["label"]]
    assert wrong == [("unstated_number", "wrong_operation"), ("wrong_operation", "other")]


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("6 trays x 12 rolls/tray = 72 rolls", ([6, 12], 72, True)),
        ("$12/hour * 3 hours = $36", ([12, 3], 36, True)),
        ("48/2 = <<48/2=24>>24", ([48, 2], 24, True)),
        ("12,400 − 3,150 = 9,250", ([12400, 3150], 9250, True)),
        ("20% of $50 is $10", ([20, 50], 10, True)),
        ("10/50 = 20%", ([10, 50], Fraction(1, 5), True)),
        ("100% - 20% = 80%", ([100, 20], Fraction(4, 5), True)),
        ("Half of 18 is 9", ([1, 2, 18], 9, True)),
        ("seven times eight is 56", ([7, 8], 56, True)),
        (r"\frac{2}{3} \times 240 = 160", ([2, 3, 240], 160, True)),
        ("(9 × 24 + 31) / 5 = 49.4", ([9, 24, 31, 5], Fraction(247, 5), True)),
        ("20/3 = 6.67", ([20, 3], Fraction(667, 100), True)),
        ("20/3 = 6", ([20, 3], 6, False)),
        ("20/3 = 9.67", ([20, 3], Fraction(967, 100), False)),
        ("20/3 is about 7", ([20, 3], 7, True)),
        ("12 + 7 = 20", ([12, 7], 20, False)),
        ("15 = 5 * 3", ([5, 3], 15, True)),
        ("- 5 + 3 = 8", ([5, 3], 8, True)),
        ("2(3 + 4) = 14", ([2, 3, 4], 14, True)),
        ("the rest (17 × 6 = 102) is gone", ([17, 6], 102, True)),
    ],
)
def test_a_calculation_is_read_with_units_signs_and_rounding(
    written: str, step: tuple[list[int], Fraction, bool]
) -> None:
    first = steps_in(tidied(written))[0]
    assert ([*first.numbers], first.result, first.holds) == step


@pytest.mark.parametrize(
    "written", ["3 + x = 8", "3x + 2 = 35", "8 - n = 5", "7-8 boxes", "5 + = 8", "10/12/2020", "5/0 = 1", "3/4 is $15"]
)
def test_what_has_no_value_is_no_calculation(written: str) -> None:
    assert not steps_in(tidied(written))


def test_several_equals_signs_are_several_calculations() -> None:
    steps = steps_in(tidied("2 * (3 + 4) = 2 * 7 = 14, and 5 + 3 = 8 * 2 = 16"))
    assert [step.result for step in steps] == [14, 14, 8, 16]
    assert all(step.holds for step in steps)


def test_an_annotation_is_read_where_it_stands() -> None:
    steps = steps_in(tidied("48/2=<<48/2=24>>24\n24+1=<<24+1=25>>26"))
    assert [step.result for step in steps] == [24, 24, 26, 25]


@pytest.mark.parametrize("outcome", ["correct", "error", "measured"])
def test_what_is_not_wrong_has_no_fault(outcome: str) -> None:
    assert noisy("5+9=14", "14", outcome) == ""


@pytest.mark.parametrize("outcome", ["no_answer", "truncated"])
def test_an_answer_that_cannot_be_read_is_none(outcome: str) -> None:
    assert noisy("5+9=14", "14", outcome) == "no_answer"


def test_the_noise_comes_before_a_slip_wherever_it_is_used() -> None:
    assert noisy("5+7=13. 13-9=4.", "4") == "noise_number"


def test_a_number_of_the_noise_that_was_calculated_is_not_blamed() -> None:
    assert noisy("7+2=9. 9+5=14.", "14") == "unstated_number"


def test_a_false_calculation_may_come_to_the_noise() -> None:
    assert noisy("5+7=9", "9") == "noise_number"


def without_noise(text: str, answer: str, gold: str) -> str:
    question = "Ida has 12 pears, 4 bowls and 3 bags. 24 pears or 50 are too many, and one is gone."
    target = gold.rpartition("#### ")[2]
    return fault_of(text, answer, "incorrect", target, gold, question, ())


def test_a_value_on_the_way_is_not_reached_twice() -> None:
    gold = "4*3=12\n3+1=4\n12+4=16\n#### 16"
    assert without_noise("4*3=12. 3+1=4. 12/3=4.", "4", gold) == "wrong_operation"
    assert without_noise("4*3=12. 3+1=4. 3+1=4.", "4", gold) == "stopped_early"


def test_the_numbers_of_a_step_must_come_to_what_they_come_to_there() -> None:
    """12/4 is on the way in another order, and 12−9 comes to the same by chance."""
    gold = "12*3/4=9\n12+9=21\n#### 21"
    assert without_noise("12*3/4=9. 12-9=3.", "3", gold) == "wrong_operation"
    assert without_noise("12/4=3.", "3", gold) == "stopped_early"


def test_a_rounded_value_is_on_the_way() -> None:
    assert without_noise(
        "(50+24)/3=24.67", "2467/100", "It is 16.67 each.\n16.67+8=24.67\n24.67+1=25.67\n#### 25.67"
    ) == ("stopped_early")


def test_a_number_calculated_in_the_head_is_known_once_it_is_stated() -> None:
    gold = "4*3=12\n12*12=144\n#### 144"
    assert without_noise("That is 48 pears. 48+3=51.", "51", gold) == "wrong_operation"
    assert without_noise("48+3=51.", "51", gold) == "unstated_number"
    assert without_noise("That is 71 pears. 71+3=74.", "74", gold) == "unstated_number"


def test_an_answer_may_say_that_the_noise_does_not_matter() -> None:
    assert noisy("The 9 seats are irrelevant. 5+7=13.") == "arithmetic"
    assert noisy("We add the 9 seats and get 21.", "21") == "noise_number"


def test_a_slip_on_another_right_way_is_a_slip() -> None:
    gold = "9*3=27\n27*2=54\n#### 54"
    question = "Ida earns $9 an hour, 3 hours a day, for 2 days. How much is that?"
    assert fault_of("3*2=6. 6*9=56.", "56", "incorrect", "54", gold, question, ()) == "arithmetic"
    assert fault_of("3*2=7. 7*9=63.", "63", "incorrect", "54", gold, question, ()) == "arithmetic"
    assert fault_of("3*2=6.", "6", "incorrect", "54", gold, question, ()) == "stopped_early"


def test_a_thought_before_the_answer_does_not_count() -> None:
    assert noisy("<think>5 + 9 = 14?</think>5+7=13") == "arithmetic"


@given(st.text(max_size=300) | st.from_regex(r"[0-9+*/=()%$ .,<>a-]{0,80}"), questions, st.data())
def test_no_text_raises_and_every_wrong_one_has_a_kind(text: str, question: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(question)))
    spans = [(start, data.draw(st.integers(start, len(question))))]
    answer = data.draw(st.none() | st.fractions(max_denominator=100).map(str))
    outcome = data.draw(st.sampled_from(("correct", "error", *WRONG)))
    gold = data.draw(st.sampled_from((text, "1+1=2\n#### 2")))
    kind = fault_of(text, answer, outcome, "2", gold, question, spans)
    assert kind in FAULTS if outcome in WRONG else kind == ""


_COUNTS = st.integers(2, 400)


@given(_COUNTS, _COUNTS, _COUNTS, st.sampled_from(("{0}+{2}={3}\n#### {3}", "{0} x {2} = {3}", "{2}", "It is {2}.")))
def test_a_number_of_the_noise_that_is_also_in_the_problem_is_never_blamed(
    a: int, b: int, other: int, form: str
) -> None:
    noise = f"A bus has {b} seats. "
    question = f"Ida has {a} pears. {noise}She buys {b} more. How many pears has she?"
    start = question.index("A bus")
    text = form.format(a, other, b, other)
    kind = fault_of(
        text,
        str(other),
        "incorrect",
        str(a + b),
        f"{a}+{b}={a + b}\n#### {a + b}",
        question,
        [(start, start + len(noise))],
    )
    assert kind != "noise_number"


@given(
    _COUNTS,
    _COUNTS,
    st.integers(500, 900),
    st.sampled_from(("{0}+{1}={2}", "{0} plus {1} is {2}", "The answer is {1}.")),
)
def test_a_number_that_only_the_noise_has_is_always_blamed(a: int, b: int, c: int, form: str) -> None:
    noise = f"A bus has {c} seats. "
    question = f"Ida has {a} pears. {noise}She buys {b} more. How many pears has she?"
    start = question.index("A bus")
    if c == a + b:
        return
    gold = f"{a}+{b}={a + b}\n#### {a + b}"
    text = form.format(a, c, a + c)
    answer = str(c if "answer" in form else a + c)
    assert (
        fault_of(text, answer, "incorrect", str(a + b), gold, question, [(start, start + len(noise))]) == "noise_number"
    )


@given(_COUNTS, _COUNTS, st.integers(1, 50))
def test_a_false_sum_of_the_right_numbers_is_a_slip(a: int, b: int, off: int) -> None:
    question, gold = f"Ida has {a} pears and buys {b}. How many has she?", f"{a}+{b}={a + b}\n#### {a + b}"
    said = a + b + off
    assert fault_of(f"{a} + {b} = {said}", str(said), "incorrect", str(a + b), gold, question, ()) == "arithmetic"


def test_words_imply_numbers_and_percent_its_factors() -> None:
    sources = number_sources("#### 1", "A shop takes 20% off for a week. A bus has 7 seats. How much?", [(33, 51)])
    assert {Fraction(1, 5), Fraction(4, 5), Fraction(6, 5), 80, 120, 7} <= sources.known
    assert not sources.noise


def test_number_words_of_the_noise_are_numbers() -> None:
    question = "How many? He heard that twelve multiplied by six is seventy-two, from one of 8%."
    noise = number_sources("#### 2", question, [(9, len(question))]).noise
    assert {12, 6, 72, 8, Fraction(8, 100)} <= noise
    assert number_sources("#### 2", "How many? Zero or one of us knows.", [(9, 34)]).noise == set()


@pytest.mark.parametrize(
    "part", ["7*6=42\n", "((((", "1 ", "-", "we ignore 9. ", "5*3=15 so 15 * 2 = 30. ", "2(3)", "half of "]
)
def test_time_is_linear_in_the_text(part: str) -> None:
    def seconds(length: int) -> float:
        text = (part * (length // len(part) + 1))[:length]
        begin = time.process_time()
        noisy(text)
        return time.process_time() - begin

    short = min(seconds(4_000) for _ in range(3))
    assert seconds(32_000) < 24 * max(short, 0.005)
