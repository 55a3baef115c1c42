"""The embedded problems are correct, reproducible, and disjoint from the training text where they claim to be."""

from __future__ import annotations

import itertools
import random
import re
from fractions import Fraction

import pytest

from noise import NOISES, inject, mini
from noise.mini.mini_vocabulary import HELD_OUT, MADE_UP, SEEN, plural
from noise.mini.problem_generator import (
    DISTRACTOR_SHARE,
    HELD_OUT_EVERY,
    draw_numbers,
    draw_training_distractor,
    is_held_out,
    training_stream,
)
from noise.mini.problem_templates import NEW_TEMPLATES, TEMPLATES, Template
from noise.mini.training_distractors import TRAINING_DISTRACTORS
from noise.problems.problem import Problem
from noise.text.given_names import NEWCOMERS

pytestmark = pytest.mark.quick
TEST_SPLITS = [split for split in mini.SPLITS if not split.endswith("train")]


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
def test_a_test_split_has_the_documented_size_and_no_question_twice(split: str, n: int) -> None:
    questions = [problem.question for problem in mini.problems(split)]
    assert len(questions) >= n
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("split", TEST_SPLITS)
def test_every_worked_answer_of_a_test_split_is_held_out(split: str) -> None:
    assert all(is_held_out(problem.answer) for problem in mini.problems(split))


def test_training_holds_no_worked_answer_that_is_held_out(stream: list[Problem]) -> None:
    """So no test question is in it either, with a distractor or without. For the whole text, see test_mini_pair."""
    stories = [problem for problem in stream if not problem.question.startswith("Work out")]
    assert len(stories) > 10_000
    assert not any(is_held_out(problem.answer) for problem in stories)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_template_has_about_a_fifth_of_its_worked_answers_held_out(template: Template) -> None:
    rng = random.Random(0)
    answers = {draw_numbers(template, rng, None)[1] for _ in range(3_000)}
    held_out = sum(map(is_held_out, answers))
    assert held_out >= 10
    assert held_out / len(answers) == pytest.approx(1 / HELD_OUT_EVERY, abs=0.1)


def test_the_first_problems_of_a_split_are_of_as_many_kinds() -> None:
    """Kinds are told apart by operations. Templates come in rounds, each in a random order."""
    kinds = [re.sub(r"[^-+*/]", "", problem.answer) for problem in mini.problems("test")]
    assert len(set(kinds[:20])) >= 8
    assert kinds[: len(TEMPLATES)] != kinds[len(TEMPLATES) : 2 * len(TEMPLATES)]
    assert sorted(kinds[: len(TEMPLATES)]) == sorted(kinds[len(TEMPLATES) : 2 * len(TEMPLATES)])


def test_the_problems_to_fine_tune_on_are_not_those_of_the_shipped_training(stream: list[Problem]) -> None:
    shipped = {problem.question for problem in stream}
    assert sum(problem.question in shipped for problem in mini.problems("train")) < 0.01 * mini.TRAIN_SIZE


def test_training_has_no_word_that_holds_a_held_out_name_or_thing() -> None:
    """Checked over the word lists and templates, so that no draw can bring one in."""
    texts = " ".join(template.text for template in (*TEMPLATES, *TRAINING_DISTRACTORS))
    words = {*SEEN.women, *SEEN.men, *SEEN.things, *SEEN.kinds, *MADE_UP.women, *MADE_UP.men, *MADE_UP.things}
    things = map(plural, {*SEEN.things, *MADE_UP.things})
    trained = {word.lower() for word in (*words, *things, *re.findall(r"[A-Za-z]+", texts))}
    held_out = {*HELD_OUT.women, *HELD_OUT.men, *HELD_OUT.things, *map(plural, HELD_OUT.things)}
    assert not trained & {word.lower() for word in held_out}


def test_the_new_names_split_has_no_person_of_another_split() -> None:
    assert not words_of(mini.problems("new-names")) & {*SEEN.women, *SEEN.men, *MADE_UP.women, *MADE_UP.men}


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


def test_the_share_of_problems_with_a_distractor_is_as_documented() -> None:
    """Counted as the problems that differ from those of a share of zero: the rest of the draw is the same."""
    with_distractors, without = (
        list(itertools.islice(training_stream(0, distractor_share=share), 5_000)) for share in (DISTRACTOR_SHARE, 0.0)
    )
    stories = sum(not problem.question.startswith("Work out") for problem in without)
    different = sum(first.question != second.question for first, second in zip(with_distractors, without, strict=True))
    assert different / stories == pytest.approx(DISTRACTOR_SHARE, abs=0.015)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(KeyError):
        mini.problems("holdout")


def runs(text: str, length: int = 5) -> set[tuple[str, ...]]:
    """Return every run of words, with all numbers the same word. Runs of mostly numbers are sums, and left out."""
    words = re.findall(r"[a-z]+|\d+", re.sub(r"\d+", "0", text.lower()))
    word_runs = {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
    return {run for run in word_runs if run.count("0") < 3}


@pytest.mark.parametrize("name", [*NOISES, "filler:inf", "filler:rcs4", "digits:inf"])
def test_the_training_distractors_share_no_run_of_five_words_with_a_noise(name: str) -> None:
    """An evaluation shows distractors in words that no training problem had."""
    rng = random.Random(0)
    training_runs = {run for _ in range(5_000) for run in runs(draw_training_distractor(SEEN, rng))}
    for problem in mini.problems("test"):
        noisy = inject(problem, name, seed=0)
        for start, stop in noisy.spans:
            assert not runs(noisy.question[start:stop]) & training_runs, noisy.question[start:stop]


def test_no_newcomer_of_a_noise_has_a_name_of_the_training_text() -> None:
    trained = {*SEEN.women, *SEEN.men, *MADE_UP.women, *MADE_UP.men}
    assert not trained & set(NEWCOMERS)
    assert len(NEWCOMERS) > 400
