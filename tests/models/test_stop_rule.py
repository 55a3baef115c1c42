"""Where an answer ends: the rule follows the prompt's own words, and a chat's own end of turn."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.grading import grade
from models.decode.generation import generate
from models.prompt import PLAIN, PLAIN_PROMPT, Prompt, Template
from models.stop_rule import StopRule, plain_rule
from noise.problems.problem import NoisyProblem, Problem
from tests.models.scripted_model import scripted_model

RULE = PLAIN_PROMPT.stop
PROBLEM = Problem("bob", "Bob has 16 eggs. He eats 3. How many eggs does Bob have left?", "16-3=13\n#### 13")

pytestmark = pytest.mark.quick


def test_the_labels_are_those_of_the_prompt() -> None:
    assert StopRule("Question:", "Answer:") == RULE
    assert plain_rule("Be brief.\n\nQ: ", "\nA:") == StopRule("Q:", "A:")
    assert plain_rule("You are a teacher. Problem: ", "\nSolution: Let's think.") == StopRule("Problem:", "Solution:")
    assert plain_rule("", "") == plain_rule("1. ", "") == StopRule()
    assert plain_rule("Q: ", "\nA: <think>\n").in_thought


def test_each_rule_has_a_key_of_its_own() -> None:
    rules = (StopRule(), RULE, StopRule("Q:", "A:"), StopRule(end_of_turn="<end>"), StopRule(in_thought=True))
    assert len({rule.key for rule in rules}) == len(rules)


@pytest.mark.parametrize(
    "text",
    [
        "4+4=8\n#### 8\n",
        "#### 8\n4+4",
        "#### $1,450.50\n",
        "#### **8**\n",
        "####\t8\n",
        "#### -8.\n",
        "#### −8\n",
        "#### €8\n",
        "#### £8\n",
        "#### .5\n",
        "#### 8. \n",
        "#### 8 eggs in all\n",
        "#### 8 eggs in the box are left\n",
        "#### 8 eggs, so all are fed\n",
        "#### 8 peaches canned\n",
        "so 8\n\nQuestion: what",
        "the answer is 8.\nQuestion: what",
        "so \\boxed{8}.\nQuestion: what",
        "THE ANSWER IS 8.\nQuestion: what",
        "the answer was 8.\nQuestion: what",
        "the answer equals 8.\nQuestion: what",
        "the answer to all of this is 8.\nQuestion: what",
        "8\n#### done\nQuestion: what",
        "so 8\nQuestion: what is next?\nAnswer:",
        "so 8\n\n**Question: what",
        "<think>\n7\n</think>\n#### 8\n",
    ],
)
def test_a_text_is_complete_after_its_answer_line_or_at_the_next_question(text: str) -> None:
    assert RULE.is_complete(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4+4=8\n#### 8",
        "4+4=8\n####",
        "####\n",
        "#### Step 1: add\n",
        "#### 2. Add up\n",
        "#### 12. Add up\n",
        "#### 2) Add up\n",
        "#### 2: Add up\n",
        "#### 2.\t Add up\n",
        "#### 2 numbers are given\n",
        "#### 12 numbers are given\n",
        "#### 1,450 numbers are given\n",
        "#### 1.5 litres are given\n",
        "#### 2 of the numbers are given\n",
        "#### 2 **numbers** are given\n",
        "#### 2\tnumbers\tare given\n",
        "#### 2 NUMBERS ARE GIVEN\n",
        "#####\n",
        "Question: what",
        "Let me repeat.\nQuestion: Bob eats 3 eggs.\nAnswer: 4+4",
        "He has 16.\nQuestion: how many are left?\n16-3=",
        "### Step 1\nHe has 16.\nQuestion: how many are left?\n16-3=",
        "He boxed 16.\nQuestion: how many are left?\n16-3=",
        "He answered that it is 16.\nQuestion: how many are left?\n16-3=",
        "He knows the answer. It is that of 16.\nQuestion: how many are left?\n16-3=",
        "Here is my answer\nIt is that of 16.\nQuestion: how many are left?\n16-3=",
        "The answer isn't 16.\nQuestion: how many are left?\n16-3=",
        "An answer of this kind takes 16 lines.\nQuestion: how many are left?\n16-3=",
        "<think>\n#### 8\n",
    ],
)
def test_a_text_is_not_complete_before_that(text: str) -> None:
    assert not RULE.is_complete(text)
    assert RULE.truncate(text) == text


@pytest.mark.parametrize("verb", "is are was were has have had can will must".split())
def test_a_heading_has_a_verb_after_its_number(verb: str) -> None:
    assert not RULE.is_complete(f"#### 2 numbers {verb} given\n")


def test_a_numbered_label_is_followed_by_the_next_number() -> None:
    rule = plain_rule("Problem 1: Why?\nSolution: 3\n\nProblem 2: ", "\nSolution:")
    assert rule.truncate(" 7\n\nProblem 3: Tom has 5 cats.") == " 7"


def test_a_next_question_without_an_answer_is_cut_from_a_finished_text() -> None:
    assert RULE.truncate(" 18\nQuestion: Tom has 5 cats and 2 dogs. How many?") == " 18"


def test_a_chat_with_examples_ends_at_the_next_question_and_another_does_not() -> None:
    shots = Prompt("", "", Template("Question: Why?\nAnswer: 3\n\nQuestion: {question}\nAnswer:", chat=True))
    text = "The answer is 18.\n\nQuestion: Tom?\nAnswer: The answer is 7."
    assert shots.stop.truncate(text) == "The answer is 18."
    assert Prompt("", "", Template(chat=True)).stop.truncate(text) == text


def test_a_text_of_line_ends_takes_linear_time() -> None:
    """A model that has gone astray may write nothing else."""
    times = []
    for count in (2_000, 16_000):
        start = time.process_time()
        RULE.is_complete("8" + "\n   " * count)
        times.append(time.process_time() - start)
    assert times[1] < 0.5


def test_text_past_the_end_is_cut() -> None:
    assert RULE.truncate("4+4=8\n#### 8\nQuestion: what") == "4+4=8\n#### 8\n"
    assert RULE.truncate("so 8\n\nQuestion: what") == "so 8"
    assert RULE.truncate("so 8") == "so 8"


def test_a_thought_that_the_prompt_opened_is_one_in_the_text_too() -> None:
    rule = plain_rule("Q: ", "\nA: <think>\n")
    assert not rule.is_complete("#### 8\n")
    assert rule.truncate("so 8") == "<think>so 8"
    assert rule.truncate("so 8</think>\n#### 9\nQ") == "so 8</think>\n#### 9\n"


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HASH_TURNS = "{% for m in messages %}{{ m.content }}###\n{% endfor %}assistant: "
PLAIN_TURNS = "{% for m in messages %}{{ m.role }}: {{ m.content }} [END]\n{% endfor %}assistant: "
CHAT = Template(chat=True)


@pytest.mark.parametrize(
    ("template", "chat_template", "text", "kept"),
    [
        (PLAIN, None, " 16-3=13\n#### 13", " 16-3=13\n#### 13"),
        (PLAIN, None, " 16-3=13\n#### 13\n\nQuestion: 12 pears.\nAnswer: 7\n#### 7", " 16-3=13\n#### 13\n"),
        (
            Template("Q: {question}\nA:"),
            None,
            " 16-3=13. The answer is 13.\n\nQ: Ida has 12 pears.\nA: 12-5=7. The answer is 7.",
            " 16-3=13. The answer is 13.",
        ),
        (
            Template("Problem: {question}\nSolution:"),
            None,
            " 16-3=13. The answer is 13.\n\nProblem: Ida has 12 pears.\nSolution: 12-5=7. The answer is 7.",
            " 16-3=13. The answer is 13.",
        ),
        (
            CHAT,
            CHATML,
            "The answer is 13.<|im_end|>\n<|im_start|>user\nAnd 5 more?<|im_end|>\nThe answer is 18.",
            "The answer is 13.",
        ),
        (CHAT, HASH_TURNS, "16-3=13, for 2 days.\n#### 13\n", "16-3=13, for 2 days.\n#### 13\n"),
        (CHAT, PLAIN_TURNS, "The answer is 13. [END]\nuser: And 5 more? The answer is 18.", None),
        (CHAT, CHATML, "I restate it.\nQuestion: Bob eats 3.\nAnswer: 16-3=13\n#### 13", None),
        (CHAT, CHATML, "<think>\n16-3=12, so\n#### 12\nno: 16-3=13.\n</think>\n#### 13", None),
        (PLAIN, None, "\n#### 2 numbers are given\n16-3=13\nThe answer is 13.", None),
        (PLAIN, None, " He has 16.\nQuestion: how many are left?\n16-3=13\n#### 13", None),
    ],
)
def test_a_model_s_answer_ends_where_it_should(
    tmp_path: Path, template: Template, chat_template: str | None, text: str, kept: str | None
) -> None:
    specials = ("<|im_start|>", "<|im_end|>")
    loaded = scripted_model(tmp_path, PROBLEM.question, text, template, specials, chat_template)
    (generation,) = generate(loaded, [PROBLEM.question], 160)
    assert generation.finished
    if kept is not None:
        assert generation.text == kept
    prediction = grade(NoisyProblem(PROBLEM, "clean", PROBLEM.question, (), 0), generation)
    assert (prediction.outcome, prediction.answer) == ("correct", "13")


@pytest.mark.parametrize("score", [float("inf"), float("nan")])
def test_scores_that_are_not_finite_are_no_answer(tmp_path: Path, score: float) -> None:
    loaded = scripted_model(tmp_path, PROBLEM.question, " 13", score=score)
    (generation,) = generate(loaded, [PROBLEM.question], 20)
    assert (generation.finite, generation.finished) == (False, False)


def test_a_thought_between_special_tokens_is_known(tmp_path: Path) -> None:
    """Other special tokens are no text; these two say what of the text is an answer."""
    text, specials = "16-3=12</think>The answer is 13.\n#### 13\n", ("<think>", "</think>")
    loaded = scripted_model(tmp_path, PROBLEM.question, text, Template("{question}\nA: <think>\n"), specials)
    (generation,) = generate(loaded, [PROBLEM.question], 60)
    assert (generation.text, generation.finished) == (text, True)


def test_an_end_of_turn_inside_a_thought_ends_nothing() -> None:
    rule = StopRule(end_of_turn="[END]")
    thought = "<think>16-3=13, then [END]?</think>"
    assert not rule.is_complete(f"{thought}The answer is 13.")
    assert rule.truncate(f"{thought}The answer is 13.[END]And 5 more?") == f"{thought}The answer is 13."
