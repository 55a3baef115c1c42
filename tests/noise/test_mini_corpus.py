"""The embedded problems are correct, reproducible, and disjoint from the training text where they claim to be."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from contextlib import suppress
from fractions import Fraction

import pytest

from noise import NOISES, inject, mini
from noise.mini.mini_vocabulary import HELD_OUT, MADE_UP, SEEN, plural
from noise.mini.neutral_sentences import NEUTRAL_SENTENCES
from noise.mini.problem_generator import (
    DISTRACTOR_SHARE,
    HELD_OUT_EVERY,
    MADE_UP_SHARE,
    MOST_NEUTRAL_SENTENCES,
    NEUTRAL_SHARE,
    draw_neutral_sentence,
    draw_numbers,
    draw_training_distractor,
    is_held_out,
    training_stream,
)
from noise.mini.problem_templates import NEW_TEMPLATES, TEMPLATES, Template
from noise.mini.training_distractors import TRAINING_DISTRACTORS
from noise.problems.problem import Problem
from noise.text.given_names import NEWCOMERS
from noise.text.question_numbers import stated_numbers
from noise.text.word_tokens import tokenize

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
    texts = " ".join((*(template.text for template in (*TEMPLATES, *TRAINING_DISTRACTORS)), *NEUTRAL_SENTENCES))
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


def without_neutral(n: int) -> list[Problem]:
    return list(itertools.islice(training_stream(0, neutral_share=0.0), n))


def test_half_of_the_stories_have_one_to_four_neutral_sentences_and_nothing_else_is_changed(
    stream: list[Problem],
) -> None:
    """Counted against the stream without them: the rest of the draw is the same, in the same order."""
    counts: Counter[int] = Counter()
    for problem, without in zip(stream[:5_000], without_neutral(5_000), strict=True):
        assert (problem.id, problem.answer) == (without.id, without.answer)
        if without.question.startswith("Work out"):
            assert problem.question == without.question
            continue
        kept, sentences = without.question.split(". "), problem.question.split(". ")
        remaining = iter(sentences)
        assert all(sentence in remaining for sentence in kept), problem.question
        assert sentences[-1] == kept[-1], "the question asks last"
        counts[len(sentences) - len(kept)] += 1
    assert set(counts) == set(range(MOST_NEUTRAL_SENTENCES + 1))
    assert 1 - counts[0] / counts.total() == pytest.approx(NEUTRAL_SHARE, abs=0.02)
    for number in range(1, MOST_NEUTRAL_SENTENCES + 1):
        assert counts[number] / counts.total() == pytest.approx(NEUTRAL_SHARE / MOST_NEUTRAL_SENTENCES, abs=0.02)


@pytest.fixture(scope="module")
def neutral_sentences() -> list[str]:
    rng = random.Random(0)
    return [draw_neutral_sentence(SEEN, rng, MADE_UP_SHARE, {}) for _ in range(5_000)]


def test_a_neutral_sentence_names_nobody_and_counts_nothing(neutral_sentences: list[str]) -> None:
    people = {*SEEN.women, *SEEN.men, *MADE_UP.women, *MADE_UP.men}
    for sentence in neutral_sentences:
        assert not stated_numbers(sentence, tokenize(sentence)), sentence
        assert not words_of_text(sentence) & people, sentence
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert sentence.count(".") == 1
    assert len({sentence.split()[0] for sentence in neutral_sentences}) > 80


def words_of_text(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]+", text))


#: Words of a neutral sentence's own: what they have in common with fillers but these would be no new text.
FUNCTION_WORDS = {*"the a over at on and as ever against in around by near of to from under behind".split()}


def drawn(noise: str) -> list[str]:
    """The sentences that a noise adds to the embedded problems."""
    sentences = []
    for problem in mini.problems("test")[:250]:
        with suppress(ValueError):  # a few problems can carry no noise
            noisy = inject(problem, noise, seed=1)
            sentences += [noisy.question[start:stop] for start, stop in noisy.spans]
    return sentences


def test_neutral_sentences_share_no_content_word_with_fillers(neutral_sentences: list[str]) -> None:
    things = {word for noun in (*SEEN.things, *SEEN.kinds, *MADE_UP.things) for word in (noun, plural(noun))}
    words = {word.lower() for sentence in neutral_sentences for word in words_of_text(sentence)} - things
    for noise in ("filler:inf", "filler:rcs", "filler:near"):
        fillers = {word.lower() for sentence in drawn(noise) for word in words_of_text(sentence)}
        assert len(fillers) > 200
        assert words & fillers <= FUNCTION_WORDS, noise


@pytest.mark.parametrize("noise", ["inf", "rcs", "sd", "near", "ic", "filler:inf", "digits:inf"])
def test_neutral_sentences_share_no_turn_of_four_words_with_a_noise(noise: str, neutral_sentences: list[str]) -> None:
    def turns(sentences: list[str]) -> set[tuple[str, ...]]:
        words = [re.findall(r"[a-z]+", sentence.lower()) for sentence in sentences]
        return {tuple(of[start : start + 4]) for of in words for start in range(len(of) - 3)}

    assert not turns(neutral_sentences) & turns(drawn(noise))


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
