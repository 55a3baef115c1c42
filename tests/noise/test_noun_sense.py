"""A noun stands for its thing where it is the head of its phrase and has the sense of the lexicon."""

from __future__ import annotations

import pytest

from noise.text.question_features import question_features

pytestmark = pytest.mark.quick


def things(question: str) -> set[str]:
    return {noun.entry.singular for noun in question_features(question).nouns}


@pytest.mark.parametrize(
    ("question", "not_meant"),
    [
        ("A computer mouse costs $12. How much do 3 cost?", {"mouse", "computer"}),
        ("A mouse and a keyboard cost $40. How much do 3 cost?", {"mouse"}),
        ("The basketball court has 12 seats. How many are taken?", {"basketball", "court"}),
        ("The coin return gave Ida 3 dimes. How much is that?", {"coin"}),
        ("Ida has 12 stuffed animals. How many does she sell?", {"animal"}),
        ("Ida likes a tart taste. How many lemons does she buy?", {"tart"}),
        ("Ida ate 3 hot dogs. How many are left?", {"dog"}),
        ("Each student has 3 pens. How many pens are there?", {"student"}),
        ("Ida used 3 cups of flour. How much is left?", {"cup"}),
    ],
)
def test_a_noun_in_a_compound_or_in_another_sense_is_not_meant(question: str, not_meant: set[str]) -> None:
    assert not things(question) & not_meant


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("Ida has 12 pears and a basket. How many pears are left?", {"pear", "basket"}),
        ("The old dog lives in a red house. How many hours?", {"dog", "house"}),
        ("Ida raised chickens and sold the eggs. How many eggs?", {"chicken", "egg"}),
        ("Her cat's tail is 3 inches long. How long are two?", {"cat", "tail"}),
        ("The farmer planted trees near the school. How many?", {"farmer", "tree", "school"}),
    ],
)
def test_a_noun_of_its_own_is_meant(question: str, meant: set[str]) -> None:
    assert meant <= things(question)


def test_a_noun_that_is_not_sure_is_kept_apart() -> None:
    features = question_features("The basketball court has 12 seats. How many are taken?")
    assert {noun.entry.singular for noun in features.other_nouns} >= {"basketball"}
