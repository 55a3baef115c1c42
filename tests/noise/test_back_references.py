"""A distractor never becomes a part of what a question asks by referring back to its own text."""

from __future__ import annotations

import pytest

from noise import NOISES, Problem, inject, load_problems
from noise.certify import refusal
from noise.text.back_references import back_references
from noise.text.question_features import question_features
from noise.text.sentence_splitting import insertion_point

pytestmark = pytest.mark.quick
DOGS, CATS = "Mary has 3 dogs.", "Mary has 3 dogs and 4 cats."
RIVER = "The river ice near Innsbruck was 7 inches thick."
SUM = "In Linz, 6 + 9 = 15 is painted on a wall."
QUIET = "A gentle breeze blew through the garden."


def place_of(question: str) -> int:
    return question_features(question).insertion_point


@pytest.mark.parametrize(
    "asking",
    [
        "Twice that number is how many?",
        "How many is half of that amount?",
        "What is three times this value?",
        "What is 50 % of the above number?",
        "What is 5 less than the previous result?",
        "Double that is how many?",
        "What is 4 times the number?",
        "How many is twice that?",
        "How many are there? Give twice that number.",
    ],
)
@pytest.mark.parametrize("name", ["inf", "rcs", "sd"])
def test_a_distractor_stands_before_the_number_that_the_question_goes_on_with(asking: str, name: str) -> None:
    noisy = inject(Problem("mary", f"It is May. {DOGS} She is glad. {asking}", "#### 6"), name)
    assert noisy.spans[0][0] == len("It is May. ")
    assert noisy.question.endswith(f" {DOGS} She is glad. {asking}")


@pytest.mark.parametrize(
    "asking",
    [
        "What is the sum of these numbers?",
        "What is the total of those amounts?",
        "What is the product of the two numbers?",
        "What is the sum of both numbers?",
        "What is the sum of all numbers?",
        "What is the sum of all of the numbers mentioned above?",
        "What is the largest number mentioned?",
        "What is the sum of the numbers above?",
        "What is the mean of the above quantities?",
        "What is the sum of the numbers here?",
        "What is the sum of the numbers?",
        "What is the sum of these?",
        "Add all of these together.",
        "What is the total of the amounts?",
        "What is the average of the numbers given?",
        "What is half of the value mentioned?",
        "What is the biggest quantity in the text?",
        "What is the sum of all of the above?",
        "What is the sum of the numbers in this story?",
        "What is the last number in the passage?",
        "In this problem, what is the sum?",
        "What is the sum of the following numbers?",
        "What is the sum? Take all the numbers that are given above.",
    ],
)
@pytest.mark.parametrize("name", ["inf", "rcs"])
def test_no_number_is_added_where_any_of_the_text_may_be_meant(asking: str, name: str) -> None:
    question = f"{CATS} {asking}"
    sentence = RIVER if name == "inf" else SUM
    assert "numbers of its own text" in (refusal(question, sentence, NOISES[name].carries) or "")
    with pytest.raises(RuntimeError, match=f"problem 'mary': no sentence of the noise '{name}' is certified"):
        inject(Problem("mary", question, "#### 7"), name)
    assert refusal(question, QUIET, "nothing") is None
    assert inject(Problem("mary", question, "#### 7"), "sd").spans


@pytest.mark.parametrize(
    "asking",
    [
        "How many dogs are in the previous sentence?",
        "What number does the last sentence have?",
        "How many words does the sentence above have?",
        "How many numbers are in this text?",
        "How many sentences are there in the passage above?",
        "How many words does the text contain?",
        "How many numbers are mentioned in this question?",
        "What is the number of words in this story?",
        "How many numbers are here?",
        "How many full stops are in this text?",
        "How many times does the word dog stand in this text?",
        "How many sentences have you read so far?",
        "How many dogs are in all the sentences?",
    ],
)
def test_nothing_is_added_where_any_sentence_may_be_meant(asking: str) -> None:
    question = f"{CATS} {asking}"
    for sentence, carries in ((RIVER, "numbers"), (SUM, "sums"), (QUIET, "nothing")):
        assert "its own text" in (refusal(question, sentence, carries) or "")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="one more sentence of it"):
        inject(Problem("mary", question, "#### 3"), "sd")


@pytest.mark.parametrize("announced", ["Add the following numbers.", "Add up the following two amounts!"])
def test_a_list_that_was_announced_takes_no_further_number(announced: str) -> None:
    assert refusal(f"{announced} 3 and 4. What do you get?", RIVER)
    assert refusal(f"Read the following sentence. {DOGS} What is his name?", QUIET, "nothing")


@pytest.mark.parametrize(
    "question",
    [
        "Ann keeps $500 for a license, and three times that amount for fees. Is $9,000 enough?",
        "Jo saved $900. If Jo keeps $500 for a license, and three times that amount for fees, what is left?",
        "If there are sixty-five whales, and three times that number joins in, how many whales are there?",
        "If Bo reads 6 pages one night, then half the previous amount the next night, how many pages is it?",
        "Reese spent $20 in May and $30 in June. How much did she have if $9 is left after spending those amounts?",
        "Jimmy has 5 action figures, worth $15 each. How much does Jimmy earn if he sells all the figures?",
        "The sum of two numbers is 12, and one of the numbers is 5. What is the product of the two numbers?",
        "Tom wrote 3 pages of a story. Each page has 90 words. How many words are in the story?",
        "If a text has 3 pages of 90 words, how many words are in the text?",
        "Tom wrote 3 sentences of 9 words. How many words are in all the sentences?",
        "The judge gave him a sentence of 9 years. How many months is the sentence?",
        "What is the sum of the following numbers: 3, 4 and 5?",
        "Bo got the following amounts: 3, 4 and 5 coins. How many coins did Bo get?",
        "Pat did 36 problems in an hour. How many of those problems were right, if 4 were wrong?",
        "A tag has 3 letters. Calculate the total of all the tagged numbers.",
        "How many degrees above the fever of 100 is a temperature of 105?",
        "Each of them got the same number of pens. There are 12 pens for 3 of them. How many pens does each get?",
    ],
)
def test_a_question_that_says_what_it_means_keeps_its_place(question: str) -> None:
    asking = insertion_point(question)
    assert back_references(question, asking) == (asking, frozenset())


@pytest.mark.parametrize(
    "question", ["Twice that number is how many, if Mary has 3 dogs?", "Half of that is how many?"]
)
def test_a_reference_without_a_number_before_it_takes_none(question: str) -> None:
    assert refusal(question, RIVER)
    assert place_of(question) == 0


def test_a_number_in_the_clause_of_the_reference_is_none_that_it_surely_means() -> None:
    """In `two friends have half that amount`, it is not that of the friends."""
    question = f"{DOGS} If two friends have half that amount, how many dogs is it?"
    assert place_of(question) == 0


def test_no_problem_of_ours_refers_back() -> None:
    """So their distractors are what they were before references were looked for."""
    for source in ("mini", "mini:new-names", "mini:new-templates"):
        for problem in load_problems(source):
            asking = insertion_point(problem.question)
            assert back_references(problem.question, asking) == (asking, frozenset())


def test_two_real_questions_take_another_place_and_none_is_without_noise(gsm8k: list[Problem]) -> None:
    moved = 0
    for problem in gsm8k:
        asking = insertion_point(problem.question)
        place, said = back_references(problem.question, asking)
        assert not said
        moved += place != asking
    assert moved <= 2


@pytest.mark.parametrize(
    "part", ["That number is 3, and that number ", "Twice that number. ", "$ spent those amounts ", "words are in "]
)
def test_the_time_grows_with_the_length_alone(part: str) -> None:
    """A square of it would take minutes."""
    assert question_features(part * 5_000).insertion_point == 0 or part.startswith("Twice")
