"""`near`: facts of the problem's own scene, about somebody who is not asked about."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from noise import Problem, inject
from noise.certify import refusal
from noise.text.asked_scene import KIN, MEN, WOMEN, asked_scene
from noise.text.question_features import question_features

pytestmark = pytest.mark.quick

BOB = "Bob has 16 eggs and 40 plums. He eats 3 eggs. How many eggs does Bob have left?"
SEEDS = range(40)


def added(question: str, seed: int, answer: str = "#### 13") -> tuple[str, str]:
    """Return the level and the sentence of a draw."""
    noisy = inject(Problem(f"p{seed}", question, answer), "near", seed)
    ((start, stop),) = noisy.spans
    return noisy.factors[0], noisy.question[start:stop].strip()


def level_of(question: str) -> str:
    ((level, _),) = Counter(added(question, seed)[0] for seed in SEEDS).most_common(1)
    return level


def test_somebody_close_has_some_of_what_is_asked_for() -> None:
    for seed in SEEDS:
        level, sentence = added(BOB, seed)
        assert level == "asked"
        assert "Bob" in sentence
        assert "eggs" in sentence
        assert not KIN.isdisjoint(re.findall(r"[a-z]+", sentence))


def test_its_number_is_in_the_range_of_the_problem_and_none_of_its_own() -> None:
    for seed in SEEDS:
        (number,) = re.findall(r"\d+", added(BOB, seed, "16-3=<<16-3=13>>13\n#### 13")[1])
        assert 3 < int(number) < 40
        assert int(number) not in (16, 40, 3, 13)


@pytest.mark.parametrize(
    ("question", "level"),
    [
        (BOB, "asked"),
        ("Bob has 16 eggs. He eats 3 and sells 2. How much money does Bob get for his eggs?", "asked"),
        ("Bob has 16 eggs in a box. He eats 3 eggs. How many eggs are in the box?", "scene"),
        ("A box holds 16 eggs. A cook takes 3 eggs. How many eggs are in the box?", "topic"),
        ("Bob and Ida share 16 eggs with their guests. How many eggs does each person get?", "topic"),
        ("What is 5 plus 7?", "far"),
    ],
)
def test_the_nearest_level_that_is_certified_is_taken_and_recorded(question: str, level: str) -> None:
    assert level_of(question) == level


@pytest.mark.parametrize(("pronoun", "wrong"), [("he", MEN), ("she", WOMEN)])
def test_a_later_pronoun_cannot_mean_the_newcomer(pronoun: str, wrong: tuple[str, ...]) -> None:
    question = f"Robin has 16 eggs and eats 3 eggs. How many eggs does {pronoun} have left?"
    for seed in SEEDS:
        assert set(wrong).isdisjoint(re.findall(r"[a-z]+", added(question, seed)[1]))


def test_a_relative_of_the_question_is_no_newcomer() -> None:
    question = "Bob has 16 eggs. His sister gives him 40 eggs. How many eggs does Bob have?"
    assert "sister" not in asked_scene(question_features(question)).kin
    assert all("sister" not in added(question, seed)[1].split() for seed in SEEDS)


def test_nobody_of_the_family_comes_in_where_the_family_is_counted() -> None:
    question = "Bob has 3 brothers and 40 cousins. How many siblings does Bob have?"
    assert {*MEN, *WOMEN, "cousin"}.isdisjoint(asked_scene(question_features(question)).kin)


@pytest.mark.parametrize(
    "question",
    [
        "The river that flows through Moreland is 15 feet deep. By May, Moreland has 40 boats. How deep is the river?",
        "The town of Belize has 40 homes. A fifth of the homes are white. How many homes are white?",
        "Lake View has 15 boats. Lake View's boats are sold for $40. How many boats are sold?",
        "Russia has 15 ports and 40 lakes. How many more lakes than ports does Russia have?",
        "Cones cost $2 and Dan sells $100 worth of cones. How many free cones are given away?",
        "One-third of 60 people had lunch. How many people had lunch?",
        "Bucket C has 9 pieces of fruit and bucket D has 15. How many pieces of fruit does bucket C have?",
    ],
)
def test_what_is_no_person_has_no_relatives(question: str) -> None:
    for seed in SEEDS:
        words = re.findall(r"[A-Za-z-]+", added(question, seed)[1])
        nobody = {"Moreland", "Belize", "View", "Russia", "Cones", "One-third", "C"} & set(words)
        assert KIN.isdisjoint(words) or not nobody


def test_nobody_is_too_young_for_a_relation() -> None:
    question = "Ida will be 6 in 4 years, and Bob is 9. How old is Ida?"
    for seed in SEEDS:
        sentence = added(question, seed)[1]
        assert not re.search("(uncle|aunt|grand|god|coworker|roommate)", sentence) or not re.search(
            "is|turned", sentence
        )


def test_a_noun_has_its_article() -> None:
    question = "Ida and Bob share a bill for 12 oysters, $30 in all. How much will they each pay for them?"
    sentences = [added(question, seed)[1] for seed in SEEDS]
    assert any(" an oyster" in sentence for sentence in sentences)
    assert not any(" a oyster" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("question", "sentence", "reason"),
    [
        (BOB, "A sister of Bob has 16 eggs.", "is in the question"),
        (BOB, "Bob has 9 eggs.", "Bob is somebody"),
        (BOB, "A sister of Bob gave him 9 eggs.", "'him' can be read"),
        (BOB, "Each sister of Bob has 9 eggs.", "'each' can be read"),
        ("Bob has 16 eggs in a box. How many eggs are in the box?", "A sister of Bob has 9 eggs.", "names no owner"),
        ("Bob has 16 eggs. Ida has 5. Who has more?", "A sister of Bob has 9 eggs.", "asks who"),
        ("Ida has 16 eggs. How many eggs does she have?", "A sister of Ida has 9 eggs.", "a later pronoun"),
        ("Bob has 16 eggs. How much is each person owed?", "A sister of Bob saw a play for 9 minutes.", "counted in"),
        ("Bob has 16 eggs. If Bob sells the eggs, how many are sold?", "A sister of Bob has 9 eggs.", "'the eggs'"),
        ("Bob works 16 hours. What is he paid that week?", "A sister of Bob ran 9 miles last week.", "'that week'"),
        ("Bob has 16 eggs. How many are left?", "A sister of Bob has 9 eggs.", "goes on with"),
        ("Bob gets $16 for eggs. How much are the eggs?", "A sister of Bob paid $9 for a hat.", "speaks of money"),
    ],
)
def test_what_could_touch_the_answer_is_refused(question: str, sentence: str, reason: str) -> None:
    assert reason in (refusal(question, sentence, "scene") or "certified")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (BOB, "A sister of Bob has 9 eggs."),
        (BOB, "Bob's brother bought 9 eggs last month."),
        ("Bob has 16 eggs in a box. How many eggs are in the box?", "A sister of Bob wrote 9 pages about eggs."),
        ("A box holds 16 eggs. How many eggs are in the box?", "A museum in the next town shows 9 paintings of eggs."),
        ("Ida has 16 eggs. How many eggs does she have?", "A brother of Ida has 9 eggs."),
    ],
)
def test_what_cannot_is_certified(question: str, sentence: str) -> None:
    assert refusal(question, sentence, "scene") is None


def test_nine_in_ten_real_questions_get_a_fact_that_is_near(gsm8k: list[Problem]) -> None:
    """It names what the question is about in nine of ten, and somebody of it in six of ten."""
    levels, nouns, names, in_range = Counter[str](), 0, 0, 0
    for problem in gsm8k:
        noisy = inject(problem, "near", 0)
        ((start, stop),) = noisy.spans
        sentence, features = noisy.question[start:stop], question_features(problem.question)
        levels[noisy.factors[0]] += 1
        nouns += not question_features(sentence).meanings.isdisjoint(features.meanings)
        names += any(re.search(rf"\b{re.escape(person)}\b", sentence) for person in features.people)
        known = [float(number) for number in features.numbers]
        drawn = [float(number) for number in question_features(sentence).numbers]
        in_range += bool(known) and any(min(known) <= number <= max(known) for number in drawn)
    assert levels["far"] <= 0.1 * len(gsm8k)
    assert nouns >= 0.9 * len(gsm8k)
    assert names >= 0.55 * len(gsm8k)
    assert in_range >= 0.75 * len(gsm8k)
