"""`sd` speaks of the question's own things, checked by code that shares nothing with the noise."""

from __future__ import annotations

import re

import pytest

from noise import Problem, inject

pytestmark = pytest.mark.quick

# What stands before a noun, and words that are never nouns.
_BEFORE = (
    r"(?:\b(?:a|an|the|his|her|their|its|my|your|each|every|some|many|more|of|for|with|and|or|these|those|in|to|by|on|at|from|"
    r"than|as|about|into|per|all|any|no|both|two|three|four|five|how|much|took|take|earns?|sells?|buys?|bought|has|have)\b|"
    r"\d|s'|'s\b|’s\b|[.,(\"])"
)
_NOT_NOUNS = frozenset(
    """
    the and for with was were are has had have from into about that this there their while which where when what some
    very old new long soft quiet local nearby famous happy often like likes known popular enjoy playing talking
    """.split()
)


def sentence(problem: Problem, seed: int = 0) -> str:
    noisy = inject(problem, "sd", seed)
    return "".join(noisy.question[start:stop] for start, stop in noisy.spans).strip()


_IRREGULAR = {"children": "child", "people": "person", "men": "man", "women": "woman", "mice": "mouse"}


def stems(word: str) -> set[str]:
    """Return every form that `word` may be the plural of, and `word` itself: `tie` and `ty` for `ties`."""
    forms = {_IRREGULAR.get(word, word)}
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe")):
        if word.endswith(ending) and not word.endswith("ss"):
            forms.add(word[: -len(ending)] + instead)
    return forms


def shared_nouns(question: str, distractor: str) -> set[str]:
    """Return words of both texts, whatever their endings, that are in a noun's position in the question."""
    distractor_stems = set[str]().union(*map(stems, re.findall(r"[a-z]{3,}", distractor.lower()))) - _NOT_NOUNS
    lower = question.lower()
    return {
        word
        for word in set(re.findall(r"[a-z]{3,}", lower)) - _NOT_NOUNS
        if stems(word) & distractor_stems
        and (word.endswith("s") or re.search(rf"{_BEFORE}[\s-]+(?:[a-z'-]+\s+){{0,2}}{word}\b", lower))
    }


KITES = Problem("kites", "Wen has 6 kites and 2 lanterns. She sells 3 kites. How many kites does Wen have?", "#### 3")


def test_it_names_a_thing_of_the_question() -> None:
    for seed in range(200):
        assert re.search(r"\b(?:kite|lantern)s?\b", sentence(KITES, seed))


def test_it_never_holds_a_digit_or_a_pronoun() -> None:
    for seed in range(200):
        assert not re.search(r"\d|\b(?:he|she|it|they|his|her|their|its)\b", sentence(KITES, seed), re.IGNORECASE)


def test_a_singular_stays_a_singular() -> None:
    fridge = Problem("fridge", "A fridge uses 3 watts. How many watts does it use in 4 hours?", "#### 12")
    assert not any(re.search(r"\bthe fridges\b", sentence(fridge, seed), re.IGNORECASE) for seed in range(200))


def test_an_adjective_is_not_taken_for_a_thing() -> None:
    """An orange book is not an orange."""
    books = Problem("books", "Jo read an orange book of 90 pages. How many pages did Jo read in 3 days?", "#### 30")
    assert not any("oranges" in sentence(books, seed) for seed in range(100))


def test_19_in_20_real_questions_share_a_noun(gsm8k: list[Problem]) -> None:
    shared = sum(bool(shared_nouns(problem.question, sentence(problem))) for problem in gsm8k)
    assert shared >= 0.95 * len(gsm8k), f"{shared} of {len(gsm8k)}"


def test_no_thing_is_said_of_itself() -> None:
    """No books about books."""
    for thing in ("books", "people", "neighbors", "friends", "movies", "songs", "visitors"):
        problem = Problem(thing, f"Jo saw 12 {thing} and 5 stones. How many {thing} did Jo see first?", "#### 12")
        for seed in range(60):
            words = re.findall(r"\w+", sentence(problem, seed).lower())
            assert words.count(thing) + words.count(thing[:-1]) <= 1


def test_a_plural_with_a_capital_is_no_person() -> None:
    wood = Problem("wood", "A log weighs 400 pounds. Termites eat 30 pounds. How heavy is the log?", "#### 370")
    assert not any("Termites" in sentence(wood, seed) for seed in range(100))


def test_three_in_five_real_draws_speak_of_the_own_thing_or_person(gsm8k: list[Problem]) -> None:
    """Of a noun of the question after "the", or of its person."""
    own = 0
    for problem in gsm8k:
        text = sentence(problem)
        nouns = [noun for noun in re.findall(r"\bthe ([a-z-]+)", text.lower()) if noun not in ("word", "look")]
        asked = set().union(*map(stems, re.findall(r"[a-z-]{3,}", problem.question.lower())))
        person = text.split()[0] in problem.question.split() and text.split()[0] not in ("The", "A", "Talk", "Music")
        own += person or any(stems(noun) & asked for noun in nouns)
    assert own >= 0.6 * len(gsm8k), f"{own} of {len(gsm8k)}"
