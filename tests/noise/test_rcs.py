"""The sums of `rcs`, recomputed here by other means."""

from __future__ import annotations

import re

import pytest

from noise import Problem, inject
from noise.text.equations import equations_in

pytestmark = pytest.mark.quick

ROPES = Problem("ropes", "A sail needs 4 ropes of 9 yards. How many yards of rope are needed?", "#### 36")


def sentence(seed: int) -> str:
    noisy = inject(ROPES, "rcs", seed)
    return "".join(noisy.question[start:stop] for start, stop in noisy.spans).strip()


def test_every_sentence_holds_a_true_sum() -> None:
    for seed in range(400):
        equations = equations_in(sentence(seed))
        assert equations, sentence(seed)
        assert all(equation.holds for equation in equations), sentence(seed)


def test_python_agrees_with_the_written_equations() -> None:
    """Independent of the project's own parser: Python computes the equation as written."""
    checked = 0
    for seed in range(400):
        for left, sign, right, result in re.findall(r"(\d+) ([×+÷-]) (\d+) = (\d+)", sentence(seed)):
            operation = {"×": int.__mul__, "+": int.__add__, "-": int.__sub__, "÷": int.__floordiv__}[sign]
            assert operation(int(left), int(right)) == int(result)
            checked += 1
    assert checked > 150


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("7 × 8 = 56", True),
        ("7 × 8 = 54", False),
        ("seven times eight is fifty-six", True),
        ("seven times eight is fifty-four", False),
        ("12 plus 9 makes 21", True),
        ("2 + 3 × 4 = 14", True),
        ("2 + 3 × 4 = 20", False),
        ("half of 18 is 9", True),
        ("a third of 18 is 9", False),
        ("double 8 is 16", True),
        ("the product of 6 and 7 is 42", True),
        ("the sum of 6 and 7 is 42", False),
        ("84 divided by 7 comes to 12", True),
        ("1,200 ÷ 4 = 300", True),
        ("5 ÷ 0 = 0", False),
        ("45 - 18 = 27", True),
        ("0.5 + 0.25 = 0.75", True),
    ],
)
def test_a_written_sum_is_parsed_and_checked(text: str, holds: bool) -> None:
    assert [equation.holds for equation in equations_in(f"On a wall, {text}.")] == [holds]


def test_a_sum_is_quoted_or_follows_a_colon_or_a_word_that_takes_a_clause() -> None:
    """Never in a noun's place: "4 times 23 is 92 is chanted aloud"."""
    number = r"(?:\d+|[a-z]+(?:-[a-z]+)?)"
    operation = r"(?:[×+÷-]|times|plus|minus|multiplied by|divided by)"
    for seed in range(600):
        text = sentence(seed)
        for match in re.finditer(rf"{number} {operation} {number} (?:=|is|equals|makes|gives|leaves) ", text):
            before = text[: match.start()]
            assert re.search(r"(?:[\":] ?|, | so | and | why )$", before), text
            assert before.count('"') % 2 == 0 or '"' in text[match.end() :], text
