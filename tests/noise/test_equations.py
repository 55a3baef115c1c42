"""A text without a word that stands before a result holds no equation, and is not searched for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noise.text.equations import equations_in, may_hold_an_equation
from noise.text.word_tokens import tokenize

pytestmark = pytest.mark.quick

RESULTS = (
    "=", "is", "make", "makes", "equal", "equals", "give", "gives", "leave", "leaves", "come to", "comes to",
    "amount to", "amounts to", "add up to", "adds up to", "work out at", "works out as", "yield", "yields",
)  # fmt: skip
SUMS = (
    "3 plus 4", "1,200 + 2.5", "3*4", "seven × 8", "twelve divided by 4", "forty two minus 2", "the sum of 3 and 4",
    "half of 8", "twice 4", "a tenth of 80", "the difference between 9 and 4", "the product of Twenty-five and two",
    "3 and 4",
)  # fmt: skip


def may_hold(text: str) -> bool:
    return may_hold_an_equation(word.text for word in tokenize(text))


@pytest.mark.parametrize("result", RESULTS)
def test_a_sum_with_a_result_may_be_an_equation(result: str) -> None:
    texts = [f"Note that {total}{space}{result}{space}{end}." for total in SUMS for space in (" ", "") for end in "7x"]
    held = [text for text in texts if equations_in(text)]
    assert held
    assert all(map(may_hold, held))


@given(words=st.lists(st.sampled_from([*RESULTS, *SUMS, "3", "7", "and", "of", "times", "together", "double"])))
def test_a_text_that_holds_an_equation_may_hold_one(words: list[str]) -> None:
    text = " ".join(words)
    assert may_hold(text) or not equations_in(text)


def test_a_fact_holds_none() -> None:
    assert not may_hold("Bob's sister has 9 eggs.")
