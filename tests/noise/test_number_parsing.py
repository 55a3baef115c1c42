"""Exact numbers are parsed from text as people write them, in linear time."""

import sys
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noise.text.number_parsing import MAX_DIGITS, last_number, numbers_in, target_of

pytestmark = pytest.mark.quick


def values(text: str) -> list[Fraction]:
    return [number.value for number in numbers_in(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("72", 72),
        ("1,450,000", 1_450_000),
        ("-10", -10),
        ("−10", -10),
        ("–10", -10),
        ("12,345,678", 12_345_678),
        ("$29.00", 29),
        ("-$10", -10),
        ("$-10", -10),
        ("$−10", -10),
        ("$–10", -10),
        ("-€10", -10),
        ("-£10", -10),
        ("-¥10", -10),
        ("-₹10", -10),
        ("€1,450.50", Fraction(2901, 2)),
        ("29 dollars", 29),
        ("29.", 29),
        ("_29_", 29),
        ("3.5", Fraction(7, 2)),
        (".5", Fraction(1, 2)),
        (".25", Fraction(1, 4)),
        ("7/2", Fraction(7, 2)),
        ("7⁄2", Fraction(7, 2)),
        ("7/12,500", Fraction(7, 12_500)),
        ("7/1,000,000", Fraction(7, 1_000_000)),
        ("7/2.25", Fraction(28, 9)),
        ("7/.25", 28),
        ("7/1e25", Fraction(7, 10**25)),
        ("7/1E-2", 700),
        ("7/1e+2", Fraction(7, 100)),
        ("1,234 / 2", 617),
        ("3 1/2", Fraction(7, 2)),
        ("-3 1/2", Fraction(-7, 2)),
        ("3 1⁄2", Fraction(7, 2)),
        ("3½", Fraction(7, 2)),
        ("3 ½", Fraction(7, 2)),
        ("⅔", Fraction(2, 3)),
        ("¼", Fraction(1, 4)),
        ("¾", Fraction(3, 4)),
        ("⅐", Fraction(1, 7)),
        ("3¼", Fraction(13, 4)),
        ("3¾", Fraction(15, 4)),
        ("3⅐", Fraction(22, 7)),
        ("3⅔", Fraction(11, 3)),
        ("3⅞", Fraction(31, 8)),
        ("1.5e3", 1500),
        ("1.5E3", 1500),
        ("1.5e+3", 1500),
        ("1.5e-3", Fraction(3, 2000)),
        ("0.1", Fraction(1, 10)),
    ],
)
def test_a_number_is_parsed_exactly_whatever_its_form(text: str, value: Fraction) -> None:
    assert values(text) == [value]
    assert values(f"It is {text} today.") == [value]


def test_percent_and_words_are_units_and_change_nothing() -> None:
    """As in GSM8K's targets: a question about percent has the target 50, one about millions the target 4."""
    assert values("50%") == [50]
    assert values("4 million") == [4]
    assert values("3 dozen") == [3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1, 2, 3", [1, 2, 3]),
        ("1,450,00", [1450, 0]),
        ("1,4505", [1, 4505]),
        ("7/1,4", [7, 4]),
        ("7/1,4505", [7, 4505]),
        ("1..5", [1, 5]),
        ("p.5", [5]),
        ("2e5x", [2]),
        ("7/2e5x", [Fraction(7, 2)]),
        ("10-5", [10, 5]),
        ("--5", [5]),
        ("−−5", [5]),
        ("––5", [5]),
        ("f(10)-5", [10, 5]),
        ("[10]-5", [10, 5]),
        ("{10}-5", [10, 5]),
        ("10%-5", [10, 5]),
        ("pages 5–10", [5, 10]),
        ("48 - 5 = 43", [48, 5, 43]),
        ("10/12/2020", [10, 12, 2020]),
        ("5 10/2", [5, 10, 2]),
        ("5 3/2", [5, 3, 2]),
        ("5 0/2", [5, 0, 2]),
        ("7/0", [7, 0]),
        ("12,450/2.25/7,000", [12_450, Fraction(9, 4), 7000]),
        ("1,450,000/.25/0", [1_450_000, Fraction(1, 4), 0]),
        ("1E3/2e+3/0", [1000, 2000, 0]),
        ("café", []),
        ("vitamin B12", []),
        ("one", []),
        ("", []),
    ],
)
def test_what_is_not_one_number_is_not_joined(text: str, expected: list[Fraction]) -> None:
    assert values(text) == expected


def test_a_number_has_its_range() -> None:
    text = "She paid -$1,450.50 for 3 1/2 pies at $-3, $−4 or $–5."
    ranges = [text[number.start : number.stop] for number in numbers_in(text)]
    assert ranges == ["-$1,450.50", "3 1/2", "$-3", "$−4", "$–5"]


@pytest.mark.parametrize("text", ["-7 / 0", "-7 / 0 / 12", "-7/0", "-7 12/0"])
def test_the_parts_of_no_quotient_have_their_own_ranges(text: str) -> None:
    assert [text[number.start : number.stop] for number in numbers_in(text)] == text.replace("/", " ").split()


@given(st.fractions(min_value=-(10**9), max_value=10**9))
def test_every_fraction_is_read_back_from_its_text(value: Fraction) -> None:
    assert values(str(value)) == [value]


@given(st.integers(-(10**30), 10**30))
def test_groups_of_three_make_no_difference(value: int) -> None:
    assert values(f"{value:,}") == values(str(value)) == [value]


@given(st.text(alphabet=st.sampled_from("0123456789.,/-−$% e½a\n")))
def test_numbers_are_in_order_and_disjoint_in_any_text(text: str) -> None:
    end = 0
    for number in numbers_in(text):
        assert end <= number.start < number.stop <= len(text)
        end = number.stop


@given(st.text(alphabet=st.sampled_from("0123456789.,/-$e½ a")))
def test_the_last_number_is_the_last_of_all_numbers(text: str) -> None:
    assert last_number(text) == (numbers_in(text) or [None])[-1]


def test_numbers_with_too_many_digits_are_left_out() -> None:
    """Python refuses to convert them, and such a power of ten would fill the memory."""
    assert values("7 and " + "9" * (MAX_DIGITS + 1)) == [7]
    assert values(f"7 and 1e{MAX_DIGITS + 1}") == [7]
    assert values("7 and 1e999999999") == [7]
    assert values("7 and 1e-999999999") == [7]


def test_parsed_numbers_can_be_written_at_the_strictest_limit() -> None:
    longest = "9" * MAX_DIGITS
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        small, large = f".{longest}e-{MAX_DIGITS}", f"{longest}e{MAX_DIGITS}"
        for text in (
            longest,
            small,
            large,
            f"{small}/{large}",
            f"{large}/{small}",
            f"{longest} {longest[1:]}/{longest}",
        ):
            assert [str(value) for value in values(text)]
    finally:
        sys.set_int_max_str_digits(limit)


@pytest.mark.parametrize("piece", ["1", ",1", "-", "1,111,", "1/", "1 1/", "$-", "1e", "½", "1 "])
def test_time_is_linear_in_the_length_of_the_text(piece: str) -> None:
    start = time.perf_counter()
    last_number(piece * (200_000 // len(piece)))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("24+5=29\n#### 29", 29),
        ("#### 1,450,000", 1_450_000),
        ("#### -10", -10),
        ("####3.5\n", Fraction(7, 2)),
        ("#### 29\nThat took 3 steps.", 29),
        ("#### 5\nno, wait\n#### $29.00 dollars\r\n", 29),
        ("#### 29%", 29),
        ("#### 29 m²", 29),
        ("#### 3½", Fraction(7, 2)),
    ],
)
def test_the_target_is_after_the_last_marker(answer: str, target: Fraction) -> None:
    assert target_of(answer) == target


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        ("29", "no '####' in '29'"),
        ("29 ####", "got ''"),
        ("#### some", "got 'some'"),
        ("#### 5 of 6", "got '5 of 6'"),
        ("#### - 10", "got '- 10'"),
        ("#### x = 10", "got 'x = 10'"),
        ("#### 5²", "got '5²'"),
        ("#### 5⁻²", "got '5⁻²'"),
        ("#### 5!", "got '5!'"),
        ("#### 0x10", "got '0x10'"),
        ("#### 3½²", "got '3½²'"),
    ],
)
def test_a_target_is_never_guessed(answer: str, got: str) -> None:
    with pytest.raises(ValueError, match=r"expected .*####.*got ") as caught:
        target_of(answer)
    assert got in str(caught.value)
