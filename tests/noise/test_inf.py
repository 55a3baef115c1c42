"""`inf` has numbers of its own, and nothing of the question's."""

from __future__ import annotations

import re

import pytest

from noise import Problem, inject

pytestmark = pytest.mark.quick

SHELLS = Problem(
    "shells", "Ona has 14 shells and 3 jars. She finds 8 shells. How many shells does Ona have?", "14 + 8\n#### 22"
)


def sentence(problem: Problem, seed: int) -> str:
    noisy = inject(problem, "inf", seed)
    return "".join(noisy.question[start:stop] for start, stop in noisy.spans).strip()


def test_every_sentence_has_a_number_that_is_new() -> None:
    for seed in range(300):
        numbers = set(re.findall(r"\d+", sentence(SHELLS, seed).replace(",", "")))
        assert numbers
        assert not numbers & {"14", "3", "8", "22"}


def test_nothing_of_the_question_is_named() -> None:
    for seed in range(300):
        assert not re.search(r"\b(?:ona|shells?|jars?|she|her)\b", sentence(SHELLS, seed), re.IGNORECASE)


def test_there_is_no_money_where_money_is_asked_for() -> None:
    price = Problem("price", "A rug costs $30 and a lamp $12. How much do the rug and the lamp cost?", "#### 42")
    assert not any("$" in sentence(price, seed) for seed in range(300))


def test_there_is_no_person_that_a_later_she_could_mean() -> None:
    left = Problem("left", "Ona has 14 shells. She loses 5 shells. How many shells does she have?", "#### 9")
    assert not any(
        re.match(r"[A-Z]\w+ (?:from \w+ owns|moved|climbed|rowed)|\w+, a poet", sentence(left, s)) for s in range(300)
    )


def test_years_have_no_comma_and_large_counts_have_one() -> None:
    sentences = " ".join(sentence(SHELLS, seed) for seed in range(400))
    assert re.search(r"\bin 1[789]\d\d\b", sentences)
    assert re.search(r"\b\d,\d{3}\b", sentences)
    assert not re.search(r"\bin 1,[789]\d\d\.", sentences)
