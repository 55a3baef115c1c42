"""A model is never tuned on the problems that it is evaluated on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from noise import mini
from noise.problems.noisy_files import generate_noisy_datasets
from noise.problems.problem import Problem
from noise.problems.problem_sources import load_problems
from noise.problems.splits import (
    not_shown,
    problems_to_measure_with,
    problems_to_train_on,
    shared_problems,
    split_in_two,
    training_source,
)
from tests.strategies import problems as any_problems

pytestmark = pytest.mark.quick


def numbered(count: int) -> list[Problem]:
    return [Problem(f"mine-{n:05d}", f"Ann has {n} caps. How many?", f"#### {n}") for n in range(count)]


def written(path: Path, problems: list[Problem]) -> Path:
    lines = [json.dumps({"question": problem.question, "answer": problem.answer}) for problem in problems]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("source", "training"),
    [
        ("mini", "mini:train"),
        ("mini:new-names", "mini:train"),
        ("mini:new-templates", "mini:new-templates-train"),
        ("gsm8k", "gsm8k:train"),
        ("mini:train", None),
        ("gsm8k:train", None),
        ("mine.jsonl", None),
        ("gsm8k_train.jsonl", None),
        ("contest.jsonl", None),
        ("evaluated.jsonl", None),
    ],
)
def test_a_source_has_a_training_split_or_is_split_in_two(source: str, training: str | None) -> None:
    assert training_source(source) == training


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("mine_test", "mine_train"),
        ("mine_dev", "mine_train"),
        ("test", "train"),
        ("mine-test", "mine-train"),
        ("Mine_Test", "Mine_train"),
        ("gsm8k_test_inf", "gsm8k_train_inf"),
        ("mine.eval.2", "mine.train.2"),
    ],
)
def test_a_test_file_is_trained_on_the_training_file_next_to_it_and_never_on_itself(
    tmp_path: Path, name: str, training: str
) -> None:
    file = written(tmp_path / f"{name}.jsonl", numbered(3))
    with pytest.raises(ValueError, match=rf"has no training split: expected {training}\.jsonl next to it"):
        training_source(file)
    training_file = written(tmp_path / f"{training}.jsonl", numbered(2))
    assert training_source(file) == training_file
    assert len(problems_to_train_on(file)) == 2
    assert len(problems_to_measure_with(file)) == 3


def test_a_single_file_is_split_in_two_halves(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.jsonl", numbered(1_000))
    training, measuring = problems_to_train_on(file), problems_to_measure_with(file)
    assert [*training, *measuring] != load_problems(file)
    assert sorted(p.id for p in [*training, *measuring]) == [problem.id for problem in load_problems(file)]
    assert 400 < len(training) < 600


def test_loaded_problems_are_not_read_again(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.jsonl", numbered(100))
    loaded = load_problems(file)
    expected = problems_to_train_on(file), problems_to_measure_with(file)
    file.unlink()
    assert (problems_to_train_on(file, loaded), problems_to_measure_with(file, loaded)) == expected
    test_file, training_file = tmp_path / "mine_test.jsonl", written(tmp_path / "mine_train.jsonl", numbered(3))
    assert problems_to_train_on(test_file, loaded) == load_problems(training_file)
    assert problems_to_measure_with(test_file, loaded) == loaded


def test_a_longer_file_moves_no_problem_to_the_other_half() -> None:
    short, long = split_in_two(numbered(100)), split_in_two(numbered(200))
    assert all(half == longer[: len(half)] for half, longer in zip(short, long, strict=True))


@given(any_problems, any_problems)
def test_no_text_is_in_both_halves_whatever_its_id(first: Problem, second: Problem) -> None:
    doubled = [Problem(f"{n}", problem.question, problem.answer) for n in range(6) for problem in (first, second)]
    training, measuring = split_in_two(doubled)
    assert not shared_problems(training, measuring)


def test_the_same_question_in_other_letters_and_spaces_is_shared() -> None:
    other = Problem("x", "ann  HAS 1\ncaps. How many?", "#### 1")
    assert shared_problems([other], numbered(3)) == [other]
    assert not shared_problems([other], numbered(1))


def test_a_noisy_version_of_a_problem_is_the_problem(tmp_path: Path) -> None:
    """As a line of our file, and of a third-party file with other ids."""
    clean = numbered(3)
    file = written(tmp_path / "mine.jsonl", clean)
    noisy = generate_noisy_datasets(file, ("inf",), folder=tmp_path)["inf"]
    assert len(shared_problems(load_problems(noisy), clean)) == 3
    third_party = tmp_path / "third_party.jsonl"
    lines = [json.loads(line) for line in noisy.read_text().splitlines()]
    third_party.write_text("\n".join(json.dumps({**line, "id": f"x{n}"}) for n, line in enumerate(lines)))
    assert len(shared_problems(load_problems(third_party), clean)) == 3
    both = [*clean, *(replace(p, id=f"noisy {p.id}") for p in load_problems(noisy))]
    assert not shared_problems(*split_in_two(both))


def test_a_worked_answer_with_steps_tells_a_rewritten_problem_and_a_bare_number_does_not() -> None:
    asked = Problem("a", "Ann has 2 caps and buys 3. How many has she?", "2+3=5\n#### 5")
    rewritten = Problem("b", "Of caps Ann has 2, and 3 more. How many is that?", "2+3=5\n#### 5")
    assert shared_problems([rewritten], [asked]) == [rewritten]
    training, evaluation = Problem("c", "What is 9 - 4?", "#### 5"), Problem("d", "What is 1 + 4?", "#### 5")
    assert not shared_problems([training], [evaluation])


@pytest.mark.parametrize("split", ["test", "new-names", "new-templates"])
def test_no_embedded_training_split_holds_what_its_test_split_asks(split: str) -> None:
    source = f"mini:{split}"
    answers = {problem.answer for problem in mini.problems(split)}
    assert not {problem.answer for problem in problems_to_train_on(source)} & answers
    assert not shared_problems(problems_to_train_on(source), problems_to_measure_with(source))


def test_gsm8k_is_split_without_a_shared_question(gsm8k: list[Problem]) -> None:
    training, measuring = split_in_two(gsm8k)
    assert len(training) + len(measuring) == len(gsm8k), "no worked answer is there twice"
    assert 0.48 < len(training) / len(gsm8k) < 0.52
    assert not shared_problems(training, measuring)


@pytest.mark.parametrize(
    "question",
    ["ANN HAS 7 CAPS. HOW MANY?", "Ann  has 7 caps.\nHow many?", "Ann has 7 caps. How many?"],
)
def test_a_problem_that_a_prompt_shows_is_known_whatever_its_case_or_spacing(question: str) -> None:
    prompt = "Question: Ann has 7 caps. How many?\nAnswer: 7\n\nQuestion: {question}\nAnswer:"
    shown, other = Problem("a", question, "#### 7"), Problem("b", "Ann has 8 caps. How many?", "#### 8")
    assert not_shown([shown, other], prompt) == [other]


def test_a_problem_whose_worked_answer_a_prompt_shows_is_known() -> None:
    answer = "Bob has 16 - 3 = 13 eggs left.\n#### 13"
    prompt = f"Question: Bob?\nAnswer: {answer}\n\nQuestion: {{question}}\nAnswer:"
    assert not_shown([Problem("a", "Reworded?", answer.upper())], prompt) == []
    short = Problem("b", "Another?", "16 - 3 = 13\n#### 13")
    assert not_shown([short], prompt) == [short], "so short an answer may be that of many problems"
