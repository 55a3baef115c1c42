"""`ic`: one cell of a 2 × 2 × 2 design for each problem and draw, and factors that say the truth."""

from __future__ import annotations

import random
import re
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest

from noise import Problem, inject, strip
from noise.certify import refusal
from noise.ic import IC, free_factors
from noise.ic_design import CELLS, FACTORS, DesignCell, design_cell
from noise.proposals import Proposal
from noise.registry import default_noises
from noise.text.given_names import MEN_NAMES, NEWCOMERS, WOMEN_NAMES
from noise.text.question_features import question_features

pytestmark = pytest.mark.quick

BOB = "Bob has 16 eggs and 40 plums. He eats 3 eggs. How many eggs does Bob have left?"
BOX = "A box holds 16 eggs. A cook takes 3 eggs. How many eggs are in the box?"
QUESTIONS = (
    BOB,
    BOX,
    "Ida has 16 eggs in a box and sells 5 for $2 each. How much money does she earn?",
    "Bob and Ida share 24 kites with their 2 guests. How many kites does each person get?",
    "Tim runs 12 miles in 3 hours. How many miles does he run in 5 hours?",
    "Rob has 90 coins and 12 stamps. He gives 7 away. How many are left?",
)
KIN = re.compile(
    r"\b(?:(?:grand|step|god)?(?:mother|father|brother|sister)|uncle|aunt|niece|nephew|cousin|neighbor|coworker"
    r"|roommate|classmate|teammate|acquaintance)\b"
)


def stems_of(text: str) -> set[str]:
    """Return the words of a text without a plural's ending."""
    return {re.sub(r"(?<=x)es$|s$", "", word) for word in re.findall(r"[a-z]{3,}", text)}


def drawn(question: str, seed: int, id: str = "") -> tuple[dict[str, str], str]:
    """Return the factors and the sentence of a draw."""
    noisy = inject(Problem(id or f"p{seed}", question, "#### 9999999"), "ic", seed)
    ((start, stop),), (factors,) = noisy.spans, noisy.factors
    return dict(part.split("=") for part in factors.split()), noisy.question[start:stop].strip()


def test_over_any_ids_and_seeds_the_cells_are_about_equally_frequent() -> None:
    """Within five standard deviations of an equal share."""
    for seed in (0, 1, 7, 8, 12_345):
        counts = Counter(design_cell(f"mine-{number:05}", seed) for number in range(4_000))
        assert set(counts) == set(CELLS)
        assert all(abs(count - 500) < 5 * (4_000 * 7 / 64) ** 0.5 for count in counts.values()), counts


@pytest.mark.parametrize("first", [0, 8, 800])
def test_eight_draws_of_a_problem_have_the_eight_cells_and_two_share_no_level(first: int) -> None:
    for number in range(200):
        cells = [design_cell(f"p{number}", seed) for seed in range(first, first + 8)]
        assert sorted(cells) == sorted(CELLS)
        for left, right in (cells[:2], cells[2:4], cells[4:6], cells[6:]):
            assert all(a != b for a, b in zip(left, right, strict=True))


def test_no_two_factors_go_together_over_problems() -> None:
    for number in (1, 2, 4):
        pairs = Counter(
            (cell[a], cell[b], a, b)
            for id in range(3_000)
            for cell in [design_cell(f"p{id}", seed) for seed in range(number)]
            for a, b in pairwise((0, 1, 2, 0))
        )
        assert all(abs(count - 750 * number) < 130 * number for count in pairs.values()), pairs


def test_a_draw_depends_on_its_problem_and_seed_alone() -> None:
    problems = [Problem(f"p{number}", question, "#### 5") for number, question in enumerate(QUESTIONS)]
    alone = [inject(problem, "ic", 3) for problem in problems]
    random.Random(0).shuffle(problems)
    again = {noisy.problem.id: noisy for noisy in (inject(problem, "ic", 3) for problem in problems)}
    assert all(again[noisy.problem.id] == noisy for noisy in alone)
    assert all(again[noisy.problem.id].factors == noisy.factors for noisy in alone)


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_reversible_and_certified(question: str) -> None:
    for seed in range(24):
        noisy = inject(Problem("p", question, "#### 9999999"), "ic", seed)
        ((start, stop),) = noisy.spans
        assert strip(noisy) == question
        assert refusal(question, noisy.question[start:stop].strip(), "scene") is None


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_factors_say_what_the_sentence_is(question: str) -> None:
    """Read from the text by other means than the noise's own."""
    numbers = [float(number) for number in re.findall(r"\d+", question)]
    stems = stems_of(question)
    names = {"Bob", "Ida", "Tim", "Rob"} & set(re.findall(r"[A-Z][a-z]+", question))
    for seed in range(60):
        factors, sentence = drawn(question, seed)
        (number,) = re.findall(r"\d[\d,]*", sentence)
        inside = min(numbers) <= float(number.replace(",", "")) <= max(numbers)
        assert factors["range"] == ("in" if inside else "out"), sentence
        close = bool(KIN.search(sentence)) and any(name in sentence for name in names)
        stranger = set(re.findall(r"[A-Z][a-z]+", sentence)) & set(NEWCOMERS)
        assert factors["role"] == ("own" if close else "other" if stranger else "none"), sentence
        about = (
            stems_of(sentence)
            & stems
            & {"egg", "plum", "box", "cook", "kite", "guest", "person", "mile", "coin", "stamp"}
        )
        if "mile" not in about:  # a unit is no topic
            assert factors["topic"] == ("in" if about else "off"), sentence


def test_where_every_cell_can_be_each_draw_has_the_one_wanted() -> None:
    assert free_factors(question_features(BOB)) == set(FACTORS)
    for seed in range(64):
        factors, sentence = drawn(BOB, seed)
        assert DesignCell(**factors) == design_cell(f"p{seed}", seed), sentence


def test_what_the_question_leaves_no_choice_of_is_said_and_the_rest_is_as_wanted() -> None:
    """Nobody of the box has a sister, so the fact is about somebody with a name."""
    for seed in range(64):
        factors, sentence = drawn(BOX, seed)
        wanted = design_cell(f"p{seed}", seed)
        assert (factors["role"], factors["fixed"]) == ("other", "role"), sentence
        assert (factors["topic"], factors["range"]) == (wanted.topic, wanted.range), sentence


def test_where_people_may_be_counted_it_is_about_nobody() -> None:
    for seed in range(24):
        factors, sentence = drawn(QUESTIONS[3], seed)
        assert factors["role"] == "none"
        assert "role" in factors["fixed"]
        assert not KIN.search(sentence)


@pytest.mark.parametrize(("pronoun", "wrong"), [("he", MEN_NAMES), ("she", WOMEN_NAMES)])
def test_a_later_pronoun_cannot_mean_the_stranger(pronoun: str, wrong: tuple[str, ...]) -> None:
    question = f"Robin has 16 eggs and eats 3 eggs. How many eggs does {pronoun} have left?"
    strangers = {sentence for seed in range(80) for _, sentence in [drawn(question, seed)]}
    assert not {name for name in wrong if any(re.search(rf"\b{name}\b", sentence) for sentence in strangers)}
    assert refusal(question, f"{wrong[0]} has 9 eggs.", "scene") is not None
    assert refusal(question, f"A cousin of {wrong[0]} has 9 eggs.", "scene") is not None


def test_a_question_with_neither_person_nor_thing_gets_a_fact_with_its_own_factors() -> None:
    for seed in range(8):
        factors, _ = drawn("What is 5 plus 7?", seed)
        assert factors["fixed"].split("+")[0] == "topic"


def test_a_sentence_without_its_cell_is_not_offered() -> None:
    """The templates have words, such as pages, that a question may have."""
    question = "Bob reads 16 pages and 40 poems. How many pages does Bob read?"
    offered = [IC.propose(question_features(question), random.Random(seed)) for seed in range(200)]
    off = [proposal.text for proposal in filter(None, offered) if proposal.factors.startswith("topic=off")]
    assert off
    assert not any(re.search("pages|poems", text) for text in off)
    assert isinstance(offered[0], Proposal | None)


def test_all_sentences_of_a_dose_have_the_cell_of_the_draw() -> None:
    noisy = inject(Problem("p", BOB, "#### 13"), "ic4", 5)
    assert noisy.factors == (design_cell("p", 5).text(),) * 4


def test_the_range_is_that_of_values() -> None:
    """Of 1/2 and 1/6 neither 2 nor 6 is a number of the question."""
    question = "Bob gives 1/2 of 1 pie to Ida and 1/6 to Tom. How much pie does Bob have left?"
    assert question_features(question).values == {Fraction(1, 2), Fraction(1), Fraction(1, 6)}
    assert all(drawn(question, seed)[0]["range"] == "out" for seed in range(24))


def test_a_family_name_has_no_uncle_and_no_stranger_sounds_like_a_person_of_the_question() -> None:
    question = "Miss Jerome has 16 eggs and eats 3 eggs. How many eggs does Miss Jerome have left?"
    sentences = [drawn(question, seed)[1] for seed in range(80)]
    assert not any(re.search(r"of Jerome|Jerome's|Jerry|Jeremy|Jeremiah", sentence) for sentence in sentences)


def test_it_is_drawn_only_where_it_is_named() -> None:
    assert "ic" not in default_noises()


def test_real_questions_leave_the_design_what_it_needs(gsm8k: list[Problem]) -> None:
    """Topic and range are a choice in nine of ten, the role in six of ten; what is free is as wanted in 97 of 100."""
    free: Counter[str] = Counter()
    kept = asked = 0
    for problem in gsm8k:
        (factors,) = inject(problem, "ic", 0).factors
        levels = dict(part.split("=") for part in factors.split())
        fixed = levels.pop("fixed", "").split("+")
        known = free_factors(question_features(problem.question))
        free.update(known)
        for name, level in zip(FACTORS, design_cell(problem.id, 0), strict=True):
            if name in known:
                asked, kept = asked + 1, kept + (levels[name] == level)
                assert name in fixed or levels[name] == level
    assert free["topic"] >= 0.9 * len(gsm8k)
    assert free["range"] >= 0.9 * len(gsm8k)
    assert free["role"] >= 0.6 * len(gsm8k)
    assert kept >= 0.97 * asked
