"""Answers are read from what models write, and compared as exact numbers."""

import re
import time
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.grading import (
    GRADING_VERSION,
    extract_answer,
    failed_prediction,
    grade,
    graded_again,
    graded_text,
    is_correct,
    marked_answer,
)
from noise.problems.problem import NoisyProblem, Problem
from reports.store.records import Outcome, Prediction

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("48 / 2 = <<48/2=24>>24\n#### 1,450,000", 1_450_000),
        ("#### -10", -10),
        ("####29", 29),
        ("#### _-10_", -10),
        ("The answer is __.5__.", Fraction(1, 2)),
        ("The answer is _1,450_ pens.", 1450),
        ("#### $1,450.50", Fraction(2901, 2)),
        ("####\n29\nThat took 3 steps.", 29),
        ("####\n24 + 5 = 29\nThat took 3 steps.", 29),
        ("#### {24 + 5} = 29", 29),
        ("#### **29**", 29),
        ("#### 29. \nThat took 3 steps.", 29),
        ("#### 72 Question: Bob has 5 apples", 72),
        (r"\boxed{29} after 3 steps", 29),
        (r"\boxed{\frac{7}{2}}", Fraction(7, 2)),
        (r"\boxed{-\frac{7}{2}}", Fraction(-7, 2)),
        (r"\boxed{3\dfrac12}", Fraction(7, 2)),
        (r"$\boxed{1{,}450}$ in 3 steps", 1450),
        (r"\boxed{1\,450}", 1450),
        (r"\boxed{-\$29}", -29),
        (r"\boxed{\$29}", 29),
        (r"\boxed{50\%}", 50),
        (r"\boxed{x = 5} and 3", 5),
        (r"\boxed{29\text{ dollars}} in 2024", 29),
        ("\\boxed{\n29\n} 3", 29),
        (r"\boxed 29 or 3", 29),
        (r"The answer is $\boxed{\text{29}}$. See page 3.", 29),
        ("The answer is 29. I used 3 steps.", 29),
        ("The final answer is: **$29**\n3 checks", 29),
        ("The answer to part 1 is 29.", 29),
        ("The answer is −10", -10),
        ("The answer is 24 + 5 = 29.", 29),
        ("The answer is 29 = 24 + 5.", 29),
        ("The answer is 24 + 5 = 29 - not 28.", 29),
        ("The answer is 29, since 24 and 5 are to be added.", 29),
        ("#### 7 (since 3 + 5 = 8 and one is lost)", 7),
        ("The answer is 29 because 24 + 6 = 30, less one.", 29),
        ("The answer is 24 (the first) + 5 = 29.", 24),
        ("The answer is 4 * (3 + 2) = 20.", 20),
        ("The answer is that 5 boys and 6 girls make 11.", 11),
        ("the answer is 3½ cups", Fraction(7, 2)),
        ("The answer is that 5 boys and 6 girls make 11! I used 3 steps.", 11),
        ("The answer is that 5 boys and 6 girls make 11, right? I used 3 steps.", 11),
        ("The answer is 29 since 24 + 6 = 30, less one.", 29),
        ("The answer is 29, Since 24 + 6 = 30, less one.", 29),
        ("The answer is 29 as 24 + 6 = 30, less one.", 29),
        ("The answer is 29 [24 + 6 = 30, less one].", 29),
        ("The answer is 5 gas cans + 24 = 29.", 29),
        ("The answer is 5 assets + 24 = 29.", 29),
        ("A: 29", 29),
        ("A: $29 dollars.\nThere were 3 steps.", 29),
        ("**Answer:** 29 apples\n3 checks", 29),
        ("### Final answer: 29 km/h\n3 checks", 29),
        ("She makes **24** at first.\nIn all she makes **29** clips in 2024.", 29),
        ("In all **$29 a day** in 2024.", 29),
    ],
)
def test_a_final_answer_marker_wins_over_the_last_number(text: str, answer: Fraction) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"1,\!450", 1450),
        (r"1\!450", 1450),
        (r"1\ 450", 1450),
        (r"1{,}450{,}000", 1_450_000),
        (r"\frac{7}{2}", Fraction(7, 2)),
        (r"\tfrac{7}{2}", Fraction(7, 2)),
        (r"\dfrac {7} {2}", Fraction(7, 2)),
        (r"\frac{ 7 }{ 2 }", Fraction(7, 2)),
        (r"\frac{-7}{2}", Fraction(-7, 2)),
        (r"\frac{1,450}{2.5}", 580),
        (r"\frac{2.5}{1,000}", Fraction(1, 400)),
        (r"\frac72", Fraction(7, 2)),
        (r"\tfrac 7 2", Fraction(7, 2)),
        (r"\dfrac 72", Fraction(7, 2)),
        (r"3\frac{1}{2}", Fraction(7, 2)),
        (r"3\tfrac{1}{2}", Fraction(7, 2)),
        (r"3\dfrac12", Fraction(7, 2)),
    ],
)
def test_a_number_in_latex_is_read(latex: str, value: Fraction) -> None:
    assert extract_answer(f"${latex}$") == value
    assert extract_answer(f"\\boxed{{{latex}}} of 3") == value


@pytest.mark.parametrize("opening", ["**", "_", "$ ", r"\(", "(", "{", "[", ": ", "= ", "≈ ", "~", "\n", " " * 11])
def test_little_may_stand_between_a_marker_and_its_number(opening: str) -> None:
    assert extract_answer(f"#### {opening}29\nThat took 3 steps.") == 29


@pytest.mark.parametrize("says", ["is", "was", "equals", "would be", "will be", "to all of this is", "IS"])
def test_an_answer_is_said_in_several_words(says: str) -> None:
    assert extract_answer(f"The answer {says} 29. I used 3 steps.") == 29
    assert extract_answer(f"THE ANSWER {says} 29. I used 3 steps.") == 29


@pytest.mark.parametrize(
    "before",
    [
        "The answer isn't 24.",
        "She answered that one is 24.",
        "I know the answer. It is 24 at first.",
        "Here is my answer\nIt is 24 at first.",
        "My answer: it is 24 at first.",
        "My answer = x is 24 at first.",
        "The answer to part 1 is 24.",
        "My answer on this 24-page form was late.",
        "She boxed 24.",
        "She takes plan A: 24 clips",
        "A: 24 clips sold in May",
        "A: 24 = 20 + 4",
    ],
)
def test_what_only_sounds_like_a_marker_is_none(before: str) -> None:
    assert extract_answer(f"{before}\nThere were 29 in all.") == 29


@pytest.mark.parametrize(
    "operation", ["24 + 5", "34 - 5", "34 − 5", "2 * 3", "2 × 3", "2 x 3", "8 ÷ 2", "8 / (2)", "2+3"]
)
def test_an_equation_may_begin_with_its_result(operation: str) -> None:
    assert extract_answer(f"The answer is 29 = {operation}.") == 29
    assert extract_answer(f"The answer is 29 = {operation.replace(' ', '  ')}.") == 29


def test_a_result_may_come_before_a_sum_of_money() -> None:
    assert extract_answer("The answer is $29 = $24 + $5.") == 29


@pytest.mark.parametrize(
    "label",
    [
        *("A:", "a:", "Answer:", "  Answer:", "\tAnswer:", "> Answer:", "# Answer:", "**Answer:**", "_Answer_:"),
        *(
            "The answer:",
            "So the answer:",
            "So answer:",
            "Correct answer:",
            "The final answer:",
            "Answer =",
            "Answer :",
        ),
        *("Answer\t:", "**Answer**:"),
    ],
)
def test_a_line_may_be_labelled_as_the_answer_in_several_ways(label: str) -> None:
    assert extract_answer(f"24 + 5\n{label} 29\n3 checks") == 29


@pytest.mark.parametrize("unit", ["", " km/h", " US dollars", "\tdollars", " US\tdollars", "  US dollars", "."])
def test_a_unit_of_two_words_may_follow_a_labelled_answer(unit: str) -> None:
    assert extract_answer(f"A: 29{unit}\n3 checks") == 29


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It costs $29.00", 29),
        ("29 dollars.", 29),
        ("That makes 7/2", Fraction(7, 2)),
        ("350%", 350),
        ("### Step 1\n#### Step 1: add\n3 + 4 = 7\n#### 2. Add up\nIn all 12", 12),
        ("A: 24 clips were sold in May. Then 48 + 24 = 72.", 72),
        ("A: 48 / 2 = 24\n24 + 48 = 72 clips", 72),
        ("**Step 1**: 24 clips, 72 in all", 72),
        ("The answer is unknown. Perhaps 5", 5),
        (r"\boxed{} 5", 5),
        ("#### \n7", 7),
        ("#### 2) Add up\nIn all 12", 12),
        ("#### 2: Add up\nIn all 12", 12),
        ("#### 2.\t Add up\nIn all 12", 12),
    ],
)
def test_without_a_marker_the_last_number_counts(text: str, answer: Fraction) -> None:
    """Headings, labels in front of a worked answer and bold titles look like markers, and are none."""
    assert extract_answer(text) == answer


def test_a_strong_marker_wins_over_a_weak_one_and_a_late_one_over_an_early_one() -> None:
    assert extract_answer("#### 29\nThe answer is 5. \nA: 6\n**7**") == 29
    assert extract_answer("The answer is 29.\nA: 6\n**7**") == 29
    assert extract_answer("#### 5\n#### 29\n####") == 29
    assert extract_answer(r"#### 5, that is \boxed{29}") == 29


@pytest.mark.parametrize("distance", range(380, 404))
def test_a_number_far_from_its_marker_is_read_whole_or_not_at_all(distance: int) -> None:
    """A marker reaches 400 characters; the last number of the text is the same here."""
    assert extract_answer(f"The answer is {'w' * distance} 12345 3/4.") == 12345 + Fraction(3, 4)
    assert extract_answer(f"#### 2 + {'w' * distance} = 1.5e3.") in (1500, 2)


def test_a_marked_answer_is_never_the_last_number_of_the_text() -> None:
    """Of a text that was cut off, the last number is not what it was going to end up with."""
    assert marked_answer("24 + 5 = 29, so") is None
    assert marked_answer("#### 29\nThat took 3") == 29


@pytest.mark.parametrize("text", ["", "####", "no number at all", r"\boxed{", "****", "A:", "the answer is"])
def test_text_without_a_number_has_no_answer(text: str) -> None:
    assert extract_answer(text) is None
    assert not is_correct(text, 0)


def test_answers_are_compared_as_numbers() -> None:
    assert is_correct("#### 3.50", Fraction(7, 2))
    assert is_correct("$1,450.00", 1450)
    assert not is_correct("#### 14", 145)
    assert not is_correct("#### 10", -10)


@pytest.mark.parametrize("target", [0.1, "29", None])
def test_a_target_that_is_not_exact_is_refused(target: object) -> None:
    got = re.escape(f"{type(target).__name__} {target!r}")
    with pytest.raises(TypeError, match=f"expected the target as a Fraction or an int, got {got}"):
        is_correct("29", target)  # type: ignore[arg-type]


PIECES = [
    "####",
    "\\boxed{",
    "\\boxed",
    "}",
    "\\frac{1}{2}",
    "the answer is",
    "A:",
    "**",
    "=",
    "$",
    "1,450",
    "-",
    "½",
    "\n",
    ".",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map(" ".join)))
def test_no_text_makes_it_raise(text: str) -> None:
    answer = extract_answer(text)
    assert answer is None or is_correct(text, answer)


@pytest.mark.parametrize("digits", ["9" * 5000, "1e999999999", "1e-999999999", "1/" + "0" * 5000, "1," + "000," * 5000])
def test_absurd_numbers_are_no_answer(digits: str) -> None:
    """They would be refused by Python, or fill the memory."""
    extract_answer(f"#### {digits}")
    assert extract_answer(f"The answer is 29.\nThat is {digits}") == 29


@pytest.mark.parametrize(
    "piece",
    ["1", ",1", "-", "=", "$", "\n", " ", "**", "#### ", "#### 1. a", "\\boxed{", "\\boxed{1", "\\frac{1}{", "1{,}",
     "answer ", "the answer is", "\nA:", "A: 1 a\n", "**1 a b c d e**"],
)  # fmt: skip
def test_time_is_linear_in_the_length_of_the_text(piece: str) -> None:
    """A quadratic pattern would take hours; the bound leaves room for a busy machine."""
    start = time.perf_counter()
    extract_answer("#### " + piece * (200_000 // len(piece)))
    assert time.perf_counter() - start < 3


@given(st.fractions(min_value=-(10**6), max_value=10**6))
def test_every_marker_brings_any_fraction_back(value: Fraction) -> None:
    for form in ("#### {}", "The answer is {}.", "A: {}", r"so \boxed{{{}}}", "It is **{}**", "In all ${}"):
        assert is_correct(f"First 3 of 4.\n{form.format(value)}", value)


@pytest.mark.parametrize(
    "form", ["#### {}", "The answer is {}.", "A: {}", r"\boxed{{{}}}", "**{}**", "${}.00", "{} dollars"]
)
def test_real_targets_are_read_in_every_form(gsm8k: list[Problem], form: str) -> None:
    wrong = [p.id for p in gsm8k if not is_correct(f"First 3 of 4.\n{form.format(f'{int(p.target):,}')}", p.target)]
    assert wrong == []


def test_every_gold_solution_is_correct_for_its_own_target(gsm8k: list[Problem]) -> None:
    assert [problem.id for problem in gsm8k if not is_correct(problem.answer, problem.target)] == []


def test_a_gold_solution_is_correct_for_its_neighbour_only_where_the_targets_are_equal(gsm8k: list[Problem]) -> None:
    for problem, neighbour in zip(gsm8k, gsm8k[1:] + gsm8k[:1], strict=True):
        assert is_correct(problem.answer, neighbour.target) == (problem.target == neighbour.target)


def test_gold_solutions_of_every_shape_are_correct_for_their_own_target() -> None:
    """The shapes that real solutions have, where real ones are not at hand."""
    answers = [
        "She has 3 * 4 = <<3*4=12>>12 pens.\n#### 12",
        "It sold for 2 * $725,000 = $<<2*725000=1450000>>1,450,000.\n#### 1,450,000",
        "The lake is at 5 - 15 = <<5-15=-10>>-10 degrees.\n#### -10",
        "Each gets 7 / 2 = <<7/2=3.5>>3.5 cups\n#### 3.5",
    ]
    for answer in answers:
        assert is_correct(answer, Problem("p", "How many?", answer).target)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3*6=18. The answer is 1", None),
        ("#### 1", None),
        ("so \\boxed{1", None),
        ("so \\boxed{\\frac{1}{2}", None),
        ("The answer is 3 * 6", None),
        ("The answer is 18.", None),
        ("The answer is 18. I used", 18),
        ("#### 18\nShe", 18),
        ("#### 18\n", 18),
        ("so \\boxed{18} and", 18),
        ("\\boxed{18} and", 18),
        ("The answer is 18.\n\nThe answer is 1", 18),
    ],
)
def test_of_a_text_that_was_cut_off_only_a_finished_answer_counts(text: str, answer: int | None) -> None:
    """`The answer is 1` may be the beginning of 18, and `18.` that of 18.5."""
    assert marked_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>\n#### 12\nno: 13\n</think>\n#### 13", 13),
        ("16-3=12, so\n#### 12\n</think>\n#### 13", 13),
        ("<think>\n#### 12\nno, wait", None),
        ("\n#### 2 numbers are given\n16-3=13\nThe answer is 13.", 13),
        ("#### 13 eggs are left", 13),
        ("#### 18 dollars was earned\nThat is 9 eggs at 2.", 18),
        ("#### 18 eggs remain.\nCheck: 18+3 = 21", 18),
        ("She sells 9.\n#### 18 is the final answer.\n\nCheck: 9 is odd", 18),
    ],
)
def test_a_thought_and_a_heading_are_no_answers(text: str, answer: int | None) -> None:
    assert extract_answer(text) == answer


NOISY = NoisyProblem(Problem("p", "How many?", "24 + 5\n#### 29"), "inf", "Bob has 3. How many?", ((0, 11),), 0)
#: What every prediction of NOISY has.
ASKED = Prediction(
    "p", NOISY.question, NOISY.spans, "24 + 5\n#### 29", "29", "", None, "error", 0, None, True, GRADING_VERSION
)


@pytest.mark.parametrize(
    ("text", "finished", "outcome", "answer"),
    [
        ("#### 29", True, "correct", "29"),
        ("In all 30", True, "incorrect", "30"),
        ("I do not know", True, "no_answer", None),
        ("24 + 5 = 29, so", False, "truncated", None),
        ("#### 29\nThat", False, "correct", "29"),
        ("#### 30\nThat", False, "incorrect", "30"),
    ],
)
def test_a_prediction_is_the_text_with_its_verdict(
    text: str, finished: bool, outcome: Outcome, answer: str | None
) -> None:
    expected = replace(ASKED, text=text, answer=answer, outcome=outcome, tokens=7, finished=finished)
    assert graded_text(NOISY, text, 7, finished) == expected
    generation: Any = SimpleNamespace(text=text, tokens=7, finished=finished)
    assert grade(NOISY, generation) == expected


def test_a_failed_prediction_has_the_error_and_no_text() -> None:
    assert failed_prediction(NOISY, "out of memory") == replace(ASKED, error="out of memory")


@pytest.mark.parametrize("text", ["In all 30", "30, so", "#### 30\nThat"])
@pytest.mark.parametrize("finished", [True, False])
def test_a_prediction_that_is_graded_again_is_as_if_its_problem_had_had_that_answer(text: str, finished: bool) -> None:
    corrected = replace(NOISY, problem=replace(NOISY.problem, answer="25 + 5\n#### 30"))
    stored = graded_text(NOISY, text, 7, finished)
    expected = graded_text(corrected, text, 7, finished)
    assert graded_again(stored, "25 + 5\n#### 30", "30") == expected
    assert graded_again(replace(expected, grading="1"), "25 + 5\n#### 30", "30") == expected


def test_a_prediction_is_not_graded_again_where_nothing_changed_or_nothing_was_said() -> None:
    stored, failed = graded_text(NOISY, "#### 29", 7, True), failed_prediction(NOISY, "out of memory")
    assert graded_again(stored, stored.gold, stored.target) is None
    assert graded_again(failed, "25 + 5\n#### 30", "30") is None


def test_a_stored_text_that_was_cut_off_stays_cut_off() -> None:
    """Predictions of the first version do not say that they are unfinished, but by their outcome."""
    stored = replace(graded_text(NOISY, "24 + 5 = 29, so", 7, False), finished=True, grading="1")
    again = graded_again(stored, stored.gold, stored.target)
    assert again is not None
    assert (again.outcome, again.answer, again.finished) == ("truncated", None, False)
