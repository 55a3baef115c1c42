"""The numbers of a worked answer, and those that equal a target, are told as reading all of them tells."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noise.text.question_numbers import has_value
from noise.text.word_tokens import number_text, numbers_in_digits
from noise.text.worked_numbers import WorkedNumbers

pytestmark = pytest.mark.quick

answers = st.text(st.sampled_from("0123456789,,..  =<>/x\u0663\u00bd"), max_size=40)
numbers = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True).map(number_text)


@given(answer=answers, number=numbers)
def test_a_number_is_in_a_worked_answer_where_reading_it_whole_finds_it(answer: str, number: str) -> None:
    known, worked = numbers_in_digits(answer), WorkedNumbers(answer)
    assert (number in worked) == (number in known)
    assert all(each in worked for each in known)


@pytest.mark.parametrize("number", ["1200", "0.5", "7"])
def test_a_number_that_is_only_a_part_of_another_is_not_in_the_answer(number: str) -> None:
    assert number not in WorkedNumbers("11,200.0 / 30.55 = 77")


@given(number=numbers, target=st.one_of(st.none(), numbers.map(Fraction), st.integers(-9, 9999).map(Fraction)))
def test_a_number_has_the_value_that_it_equals(number: str, target: Fraction | None) -> None:
    assert has_value(number, target) == (Fraction(number) == target)
    assert has_value(number, Fraction(number))
