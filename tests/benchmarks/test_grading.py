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
        (r"\frac{1}{-2}", Fraction(-1, 2)),
        (r"\frac{-1}{-2}", Fraction(1, 2)),
        (r"\frac{\$10}{4}", Fraction(5, 2)),
        (r"\frac{$10}{4}", Fraction(5, 2)),
        (r"\cfrac{1}{2}", Fraction(1, 2)),
        (r"\frac1{2}", Fraction(1, 2)),
        (r"\frac{1}2", Fraction(1, 2)),
        (r"\frac{10^3}{4}", 250),
        (r"\frac{10^{3}}{4}", 250),
    ],
)
def test_a_number_in_latex_is_read(latex: str, value: Fraction) -> None:
    assert extract_answer(f"${latex}$") == value
    assert extract_answer(f"\\boxed{{{latex}}} of 3") == value


@pytest.mark.parametrize(
    "latex",
    [r"\frac{3 \times 5}{1}", r"\frac{x+1}{2}", r"\frac{\frac{1}{2}}{4}", r"\frac{10\text{ km}}{4}", r"\frac{3,4}{2}"],
)
def test_of_a_fraction_that_is_not_worked_out_no_part_is_the_answer(latex: str) -> None:
    assert extract_answer(f"In 3 steps: \\boxed{{{latex}}}") is None
    assert extract_answer(f"In 3 steps: ${latex}$") is None


@pytest.mark.parametrize("opening", ["**", "_", "$ ", r"\(", "(", "{", "[", ": ", "= ", "≈ ", "~", "\n", " " * 11])
def test_little_may_stand_between_a_marker_and_its_number(opening: str) -> None:
    assert extract_answer(f"#### {opening}29\nThat took 3 steps.") == 29


@pytest.mark.parametrize("says", ["is", "was", "equals", "would be", "will be", "to all of this is", "IS"])
def test_an_answer_is_said_in_several_words(says: str) -> None:
    assert extract_answer(f"The answer {says} 29. I used 3 steps.") == 29
    assert extract_answer(f"THE ANSWER {says} 29. I used 3 steps.") == 29


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The area is 25 m^2.", 25),
        ("**25 m^2**", 25),
        ("Answer: 25 m^2", 25),
        ("= 24 m^2", 24),
        ("24 square feet (ft^2)", 24),
        (r"$24 \, \text{cm}^2$", 24),
        (r"24\ \mathrm{m}^{2}", 24),
        ("The volume is 12 cm^3.", 12),
        ("The area is 25 m**2.", 25),
        ("The area is 25 m².", 25),
        ("5 m s^{-1}", 5),
        ("5 m s^-1", 5),
        ("5 m s⁻¹", 5),
        ("5 m^{2 and more", 5),
        ("5 m^(2)", 5),
        (r"\boxed{90^{\circ}}", 90),
        (r"90^\circ", 90),
        ("the 5^{th}", 5),
        ("7 and ^2", 7),
    ],
)
def test_the_exponent_of_a_unit_is_no_answer(text: str, answer: int) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("power", "value"),
    [
        ("10^3", 1000),
        ("2^5", 32),
        ("2**5", 32),
        ("2 ** 5", 32),
        ("2^{10}", 1024),
        ("2^(10)", 1024),
        ("10³", 1000),
        ("10⁻²", Fraction(1, 100)),
        ("10^{-2}", Fraction(1, 100)),
        ("10^{−2}", Fraction(1, 100)),
        ("1,000^2", 1_000_000),
        ("1.5^2", Fraction(9, 4)),
        ("-2^2", -4),
        ("(-2)^3", -8),
        ("(1/2)^2", Fraction(1, 4)),
        ("{10}^{3}", 1000),
        ("1/2^2", Fraction(1, 4)),
        ("0^2", 0),
        ("1^700", 1),
        ("2^332", 2**332),
        (r"4\times 10^6", 4_000_000),
        (r"4 \cdot 10^{6}", 4_000_000),
        ("2.5 × 10^3", 2500),
        ("3 x 10^-2", Fraction(3, 100)),
        ("3*10⁻²", Fraction(3, 100)),
        (r"\left(\frac{2}{3}\right)^2", Fraction(4, 9)),
    ],
)
def test_a_power_is_worked_out(power: str, value: Fraction) -> None:
    assert extract_answer(f"So the answer is {power}.") == value
    assert extract_answer(f"\\boxed{{{power}}} of 3") == value
    assert extract_answer(f"Answer: {power} apples\n3 checks") == value


@pytest.mark.parametrize(
    "power",
    ["10^500", "10^99999", "2^333", "2^9999999", "4^{1/2}", "2^3^2", "2^{3+1}", "0^-1", "0^0", "3 x 10^101", "2^{3",
     "2^n", "2^{n}", "3 x 10^{2.5}", "10^2.5", "1/10^-500", "2^-1/3", "9" * 101 + "^2", "1.5/1.2^2", ".5^2", "²" * 30],
)  # fmt: skip
def test_of_a_power_that_is_not_worked_out_no_part_is_the_answer(power: str) -> None:
    assert extract_answer(f"It took 3 steps. The answer is {power}.") in (None, 3)
    assert extract_answer(f"The answer is {power}.") is None


@pytest.mark.parametrize("text", ["She gets **25**", "so it is**25** then", "**Answer**25", "2**3 + 3**2 = **25**"])
def test_bold_marks_are_no_powers(text: str) -> None:
    assert extract_answer(text) == 25


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: 15 (20 - 5)", 15),
        ("Answer: 15 apples (20 - 5).", 15),
        ("Answer: 15 apples (20 - 5 = 15).", 15),
        ("Answer: 15 apples [20 - 5].", 15),
        ("Answer: 5 (not 6)", 5),
        ("Answer: 2.5 hours (150 minutes)", Fraction(5, 2)),
        ("A: 18. She sells 9 eggs at $2.", 18),
        ("A: 18. She sells 9 eggs at $2, so 9 * 2 = 18.\nThat took 3 steps.", 18),
        ("Answer: $18 per day (9 × 2).", 18),
        ("**Answer: 18** (9 × 2)", 18),
        ("Answer: **18** dollars (9 × 2)", 18),
        ("Answer: 18 because 9 eggs are sold at 2", 18),
        ("Answer: 18 dollars since 9 + 10 = 19, less 1", 18),
        ("Answer: 18, and 9 eggs are left", 18),
        ("Answer: 18! There are 2 left.", 18),
        ("In all **18 eggs (9 × 2)** in 3 days", 18),
        ("Answer: 25% (1 of 4)", 25),
        ("Answer: 25 m^2 (5 × 5)", 25),
    ],
)
def test_a_labelled_answer_may_have_an_aside(text: str, answer: Fraction) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "A: 24 clips. Then 48 + 24 = 72 clips",
        "A: 24 clips, so in all 72",
        "A: 24 clips, 40 pens and 8 pins make 72.",
        "A: 24 because 48 / 2 = 24\n24 + 48 = 72 clips",
        "Answer: 24 clips. Then 48 + 24 = 72",
        "Answer: 24 × (2 + 1) = 72",
        "Answer: 24(3) = 72",
        "Answer: 96 eggs – (12 + 12) = 72",
        "Answer: 24 clips (a half) + 48 = 72",
        "Answer:\n1. She has 24.\n2. So 72",
        "A: 1. She has 24.\n2. So 72",
        "A:\n1. 48 / 2 = 24\n2. 24 + 48 = 72",
    ],
)
def test_a_label_in_front_of_a_worked_answer_is_none(text: str) -> None:
    assert extract_answer(text) == 72


@pytest.mark.parametrize("minus", ["negative ", "minus ", "Minus ", "- ", "− ", "- $"])
@pytest.mark.parametrize(
    "form", ["The answer is {}7.", "#### {}7", "\\boxed{{{}7}}", "Answer: {}7", "**{}7**", "x = {}7"]
)
def test_a_sign_may_be_apart_or_a_word(form: str, minus: str) -> None:
    assert extract_answer(form.format(minus)) == -7


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 5 - 12 = - 7.", -7),
        ("It is minus 7 degrees", -7),
        ("The answer is _- 7_.", -7),
        ("The answer is 10 - 7.", 10),
        ("10 minus 7", 7),
        ("The answer is:\n- 7 apples", 7),
        ("The answer is – 7.", 7),
        (r"\boxed{\frac{- 7}{2}}", Fraction(-7, 2)),
    ],
)
def test_a_dash_between_numbers_or_before_an_item_is_no_sign(text: str, answer: Fraction) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 1 000 000.", 1_000_000),
        ("The answer is - $1 450.50 today.", Fraction(-2901, 2)),
        ("A: 1 450", 1450),
        (r"\boxed{1 450}", 1450),
        ("**1 450**", 1450),
        ("x = 1 450", 1450),
        ("In all 1\u00a0450", 1450),
        ("In all 1\u202f450\u202f000 pens", 1_450_000),
        ("#### 1_000", 1000),
        ("In all _1_000_ pens", 1000),
        (r"\boxed{12\thinspace500}", 12_500),
        (r"\boxed{12\text{,}500}", 12_500),
        ("The answer is 1.234.567.", 1_234_567),
        ("#### 1.234,56", Fraction(123_456, 100)),
        ("The answer is 2019 450.", 2019),
        ("in 2019 450 people", 450),
        ("In all 3 450", 450),
        ("In all 1._3", 3),
        ("The answer is 1 4505.", 1),
        ("The answer is 3 100/200.", Fraction(7, 2)),
        ("The answer is 3 250-ml bottles.", 3),
        ("The answer is 1.234.", Fraction(1234, 1000)),
        ("The answer is 3 and 1/2 cups.", Fraction(7, 2)),
        ("The answer is 3 and ½ cups.", Fraction(7, 2)),
    ],
)
def test_groups_of_three_may_be_apart(text: str, answer: Fraction) -> None:
    """By a space only right behind a marker: elsewhere it may stand between two numbers."""
    assert extract_answer(text) == answer


@pytest.mark.parametrize("number", ["12,5", "12,5 km", "3,4", "1,4505", "1,450,00", "1,20,500", "1,45½", "1 450,50"])
@pytest.mark.parametrize("form", ["It is {}", "The answer is {}.", "#### {}", "\\boxed{{{}}}", "A: {}", "x = {}"])
def test_a_comma_that_groups_nothing_leaves_no_number(form: str, number: str) -> None:
    assert extract_answer(f"3 checks.\n{form.format(number)}") is None


@pytest.mark.parametrize(
    "text",
    [r"\boxed{(3,4)}", r"\boxed{(3, 4)}", r"\boxed{3; 4}", r"\boxed{x = 3, y = 4}", r"\boxed{3 \text{ and } 4}",
     "Answer: 3, 4", "Answer: 3, 4, and 5", "The answer is 3, 4 and 5.", "Answer: 3 or 4"],
)  # fmt: skip
def test_several_numbers_are_no_answer(text: str) -> None:
    assert extract_answer(f"In 3 steps:\n{text}") is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is:\n\n1. 15 apples", 15),
        ("The answer is:\n1) $15", 15),
        ("The answer is:\n**1.** 15 apples", 15),
        ("Answer:\n\n1. 15 apples", 15),
        ("The answer is:\n\n1. She has 9.\nIn all 15", 15),
        ("The answer is:\n1. 9 apples\n2. 15 pears", 15),
        ("The answer is 1. I used 3 steps.", 1),
        ("The answer is\n15. I used 3 steps.", 15),
    ],
)
def test_the_number_of_an_item_is_no_answer(text: str, answer: int) -> None:
    assert extract_answer(text) == answer


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
    "^",
    "^{2",
    "**2",
    "²",
    "10^9",
    "minus",
    "1 000",
    "12,5",
    "1. ",
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
     "answer ", "the answer is", "\nA:", "A: 1 a\n", "**1 a b c d e**", "2^", "^2", "2^9 ", "2**", "²", "10^",
     "{2", "(1/", "1,111,", "1.111", "1,1", "1_111", "1 111", "1\u202f111", "= - ", "minus ", "negative 1",
     "\nA: 1. a (", "A: 1,1", "\nA: 1, 1", "\\text{", "\\frac{1}{2}^2", "\\frac1", "\\boxed{1, "],
)  # fmt: skip
def test_time_is_linear_in_the_length_of_the_text(piece: str) -> None:
    """A quadratic pattern would take hours; the bound leaves room for a busy machine."""
    start = time.process_time()
    extract_answer("#### " + piece * (200_000 // len(piece)))
    assert time.process_time() - start < 3


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
