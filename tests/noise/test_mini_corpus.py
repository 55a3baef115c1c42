"""The embedded problems: right, apart from the training text where they say so, and the same each time."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction

import pytest

from noise import mini
from noise.mini.asides import ASIDES
from noise.mini.generate import training_stream
from noise.mini.lexicon import HELD_OUT, MADE_UP, SEEN, plural
from noise.mini.templates import NEW_TEMPLATES, TEMPLATES
from noise.problems import Problem

pytestmark = pytest.mark.quick
TEST_SPLITS = [split for split in mini.SPLITS if split != "train"]


def words_of(problems: list[Problem]) -> set[str]:
    return {word for problem in problems for word in re.findall(r"[A-Za-z]+", problem.question)}


@pytest.fixture(scope="module")
def stream() -> list[Problem]:
    return mini.training(seed=0, n=20_000)


@pytest.mark.parametrize("split", mini.SPLITS)
def test_every_equation_is_true_and_the_last_one_gives_the_target(split: str) -> None:
    for problem in mini.problems(split)[:1_000]:
        *steps, last = problem.answer.splitlines()
        for step in steps:
            left, right = step.split("=")
            first, sign, second = re.fullmatch(r"([\d.]+)([-+*/])([\d.]+)", left).groups()  # type: ignore[union-attr]
            a, b = Fraction(first), Fraction(second)
            assert {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[sign] == Fraction(right), problem
        assert last == f"#### {steps[-1].split('=')[1]}"
        assert problem.target > 0


@pytest.mark.parametrize("split", mini.SPLITS)
def test_a_split_is_the_same_each_time_and_its_ids_are_its_own(split: str) -> None:
    problems = mini.problems(split)
    assert problems == mini.problems(split)
    assert len({problem.id for problem in problems}) == len(problems)


@pytest.mark.parametrize(("split", "n"), [("test", 500), ("new-names", 500), ("new-templates", 200)])
def test_a_test_split_has_the_size_that_is_promised_and_no_question_twice(split: str, n: int) -> None:
    questions = [problem.question for problem in mini.problems(split)]
    assert len(questions) >= n
    assert len(set(questions)) == len(questions)


def test_no_test_question_is_in_the_training_stream(stream: list[Problem]) -> None:
    assert not {problem.question for problem in stream} & mini.test_questions()


def test_the_stream_leaves_out_what_it_is_told_to_avoid() -> None:
    """So the line above is no accident of the draw."""
    first = next(training_stream(0, frozenset()))
    assert first.question not in {
        problem.question for problem in itertools.islice(training_stream(0, frozenset({first.question})), 100)
    }


def test_training_never_holds_a_held_out_name_or_thing(stream: list[Problem]) -> None:
    seen = {word.lower() for word in words_of(stream)}
    held_out = {*HELD_OUT.women, *HELD_OUT.men, *HELD_OUT.things, *map(plural, HELD_OUT.things)}
    assert not seen & {word.lower() for word in held_out}


def test_every_person_of_the_new_names_split_is_held_out() -> None:
    seen_names = {*SEEN.women, *SEEN.men, *MADE_UP.women, *MADE_UP.men}
    assert not words_of(mini.problems("new-names")) & seen_names


def test_training_names_thousands_of_people_and_things(stream: list[Problem]) -> None:
    words = words_of(stream)
    names = {*SEEN.women, *SEEN.men, *MADE_UP.women, *MADE_UP.men}
    things = {plural(noun) for noun in (*SEEN.things, *MADE_UP.things)}
    assert len(words & names) > 2_000
    assert len(words & things) > 2_000


def test_no_new_template_shares_its_sentence_of_question_with_a_trained_one() -> None:
    def ask(text: str) -> str:
        return re.split(r"(?<=[.?]) ", text)[-1]

    assert not {ask(template.text) for template in NEW_TEMPLATES} & {ask(template.text) for template in TEMPLATES}


def test_about_a_tenth_of_the_stream_carries_an_aside(stream: list[Problem]) -> None:
    """Counted by a word run that only one aside in forty can have, so by a sample: the sea."""
    assert 0.5 < sum("The sea is" in problem.question for problem in stream) / (len(stream) * 0.09 / len(ASIDES)) < 1.5


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(KeyError):
        mini.problems("holdout")
