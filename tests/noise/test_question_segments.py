"""Every character of a noisy question is key maths information, noise or other content."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noise import NOISES, NoisyProblem, Problem, inject
from noise.text.quantities import quantity_spans
from noise.text.question_segments import KINDS, Segment, key_spans, segments
from tests.strategies import problems, questions, seeds

pytestmark = pytest.mark.quick

few = settings(max_examples=60, deadline=None)
Q = " [How many?]"


def read_marked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text `a b c` for `a [b] c`, and the ranges in brackets."""
    text, spans = "", list[tuple[int, int]]()
    for outside, inside in re.findall(r"([^\[\]]*)(?:\[([^\[\]]+)\])?", marked):
        text += outside
        if inside:
            spans.append((len(text), len(text) + len(inside)))
        text += inside
    return text, spans


def mark(text: str, spans: list[tuple[int, int]]) -> str:
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    return "".join(f"[{piece}]" if index % 2 else piece for index, piece in enumerate(pieces))


MARKED = (
    "Bob has [16 eggs]. He eats [3]. [How many eggs does Bob have left?]",
    # numbers: what is written to them is theirs
    "It costs [$4.50]. He saves [50%] of it, and [-3] is no price." + Q,
    "The total was [$1,450,000], or [€3].  It is [5:30] now." + Q,
    "A [12-foot rope] holds [5kg] on the [20th], and [1/2] of B[12]." + Q,
    "There are [٣] of them, [10-15] at [$5/hour]." + Q,
    # number words, and words that one calculates with
    "She is [twenty-five years] old and has [two hundred thousand dollars]." + Q,
    "He sold [half] of it, then [twice the number]. It [doubled]." + Q,
    "[Three-fifths] of them and a [third of the boys] left on the third day." + Q,
    "[Two thirds of his money] is [3 dozen eggs] or a [pair of shoes]." + Q,
    "No one knew. They saw one another. He took [one]." + Q,
    # what they count
    "There are [5 more apples] here and [3 of the red apples] there." + Q,
    "She gave [5] to Bob, [7] and him [2]. It was [9]. Pears came." + Q,
    "He has [5 red] and [3 blue marbles] in [6 other boxes]." + Q,
    "They baked [2 apple pies] with [2 cups of flour] and [4 glorbs]." + Q,
    "There were [10] left, [3] broke, [4] gladly, and [6] Bob took." + Q,
    "He has [20 Pokemon cards] and [7 chocolate chip cookies]." + Q,
    "Only [10] can fit, but [1 can of peas] did." + Q,
    "He saw [8]\nDogs came." + Q,
    "He gave [8 children] cookies, [7] his cats, and spent [2 more] [quarters]." + Q,
    "She ran [1 mile] eating cakes, and after [1 hour] Bob juggles." + Q,
    "The flat has [500 sq ft], is [9 feet] tall standing alone, and each [one] weighs [2 tons]." + Q,
    "They own [2 new sets of cards] and [1 red frob]." + Q,
    "She has [5 more] than Bob and [twice as many silver spoons] as Ann." + Q,
    "He is [3 times as old] as Ida and runs [half as far]." + Q,
    "She drives [60 miles per hour] for [$12 an hour], [4 days a week]." + Q,
    # the sentence that asks
    "He has [3 cats]. [If each eats 2 fish, how many fish do they eat?] A fish weighs [5 pounds]. It is dead.",
    "Is it far? [And how long is the way?]   Say so. ",
    "[One sentence with 3 apples and no mark]",
    "[If a hen lays 2 eggs a day, how many are that in a week?]",
    "He has [3 cats] of his own. [Calculate how many legs these have.]",
)


@pytest.mark.parametrize("marked", MARKED)
def test_key_information_is_numbers_what_they_count_and_the_sentence_that_asks(marked: str) -> None:
    text, spans = read_marked(marked)
    assert mark(text, key_spans(text)) == marked
    assert key_spans(text) == spans


def noisy(question: str, insertions: list[tuple[int, str]]) -> NoisyProblem:
    """Return `question` with texts inserted at offsets of it."""
    text, spans, done = "", [], 0
    for at, added in sorted(insertions, key=lambda insertion: insertion[0]):
        text += question[done:at]
        spans.append((len(text), len(text) + len(added)))
        text += added
        done = at
    return NoisyProblem(Problem("p", question, "#### 1"), "made", text + question[done:], tuple(spans), 0)


any_text = st.one_of(questions, st.text(alphabet="a5 .,-:/$%½²٣?\n'“halftimes", max_size=60))


@st.composite
def draw_questions(draw: st.DrawFn) -> NoisyProblem:
    """Any text with any texts inserted anywhere, adjacent and empty ones included."""
    question = draw(any_text)
    distractors = st.one_of(st.text(max_size=20), st.just(" Ann has 7 eggs. "))
    return noisy(question, draw(st.lists(st.tuples(st.integers(0, len(question)), distractors), max_size=4)))


def kinds(problem: NoisyProblem) -> list[str]:
    """Return the kind of every character."""
    return [segment.kind for segment in segments(problem) for _ in range(segment.start, segment.stop)]


@given(draw_questions())
def test_segments_partition_the_question(problem: NoisyProblem) -> None:
    parts = segments(problem)
    edges = [0, *(segment.stop for segment in parts)]
    assert [segment.start for segment in parts] == edges[:-1]
    assert edges[-1] == len(problem.question)
    assert all(a < b for a, b in pairwise(edges))
    assert all(before.kind != after.kind for before, after in pairwise(parts))
    assert {segment.kind for segment in parts} <= set(KINDS)


@given(draw_questions())
def test_the_distractors_are_noise_and_nothing_else_is(problem: NoisyProblem) -> None:
    added = {offset for start, stop in problem.spans for offset in range(start, stop)}
    assert {offset for offset, kind in enumerate(kinds(problem)) if kind == "ni"} == added


@given(draw_questions())
def test_without_the_noise_key_information_is_that_of_the_clean_text(problem: NoisyProblem) -> None:
    kept = [kind == "kmi" for kind in kinds(problem) if kind != "ni"]
    clean = problem.problem.question
    assert kept == [any(start <= at < stop for start, stop in key_spans(clean)) for at in range(len(clean))]


@given(any_text)
def test_key_spans_are_sorted_not_empty_apart_and_hold_every_digit(text: str) -> None:
    for spans in (key_spans(text), quantity_spans(text)):
        edges = [-1, *(edge for span in spans for edge in span)]
        assert all(a < b for a, b in pairwise(edges))
        assert edges[-1] <= len(text)
        inside = {offset for start, stop in spans for offset in range(start, stop)}
        assert inside >= {offset for offset, character in enumerate(text) if character.isdecimal()}


@few
@given(problem=problems, seed=seeds)
def test_key_information_is_the_same_whichever_noise_was_drawn(problem: Problem, seed: int) -> None:
    for name in NOISES:
        drawn = inject(problem, name, seed)
        key = [at for at, kind in enumerate(kinds(drawn)) if kind == "kmi"]
        assert "".join(drawn.question[at] for at in key) == "".join(
            problem.question[start:stop] for start, stop in key_spans(problem.question)
        )


def test_key_information_that_a_distractor_cuts_is_key_on_both_sides() -> None:
    problem = noisy("He has 16 eggs. How many?", [(9, "It was 5 p.m. ")])
    texts = [(segment.kind, problem.question[segment.start : segment.stop]) for segment in segments(problem)]
    assert texts == [
        ("oc", "He has "),
        ("kmi", "16"),
        ("ni", "It was 5 p.m. "),
        ("kmi", " eggs"),
        ("oc", ". "),
        ("kmi", "How many?"),
    ]


def test_a_clean_problem_has_no_noise_and_a_single_sentence_no_other_content() -> None:
    assert segments(noisy("How many are 3 and 4?", [])) == (Segment("kmi", 0, 21),)


@pytest.mark.parametrize(
    ("clean", "spans"),
    [("Who?", ()), ("Who?", ((0, 1),)), ("Who?", ((0, 9),)), ("A Wh", ((5, 6), (4, 5))), ("AA Who?", ((1, 0),))],
)
def test_spans_whose_deletion_does_not_give_the_clean_question_are_refused(
    clean: str, spans: tuple[tuple[int, int], ...]
) -> None:
    problem = NoisyProblem(Problem("p7", clean, "#### 1"), "made", "A Who?", spans, 0)
    with pytest.raises(ValueError, match="'p7': expected spans in order"):
        segments(problem)


@pytest.mark.parametrize("part", ["5 ", "5-", "one of ", "a.", "half-", "a", "$5/hour ", "5 more red apples a day "])
def test_a_long_text_is_read_in_one_pass(part: str) -> None:
    """Quadratic time would take minutes here; one pass takes some tenths of a second."""
    text = part * (100_000 // len(part))
    begin = time.process_time()
    quantity_spans(text)
    assert time.process_time() - begin < 10


def test_every_digit_of_real_questions_is_key_information_and_so_is_about_half_of_the_text(
    gsm8k: list[Problem],
) -> None:
    total = key = 0
    for question in (problem.question for problem in gsm8k):
        spans = key_spans(question)
        outside = mark(question.translate({ord("["): "(", ord("]"): ")"}), spans)
        assert not re.search(r"\d", re.sub(r"\[[^\]]*\]", "", outside)), outside
        total += len(question)
        key += sum(stop - start for start, stop in spans)
    assert 0.42 < key / total < 0.52


def test_cutting_a_question_takes_less_than_twice_the_time_of_reading_its_quantities(gsm8k: list[Problem]) -> None:
    """A ratio, as seconds differ between machines: the rest of the cutting is cheap."""
    questions = [problem.question for problem in gsm8k[:1000]]
    texts = [noisy(question, [(0, "A cat has 4 legs. ")]) for question in questions]
    ratios = []
    for _ in range(3):
        begin = time.process_time()
        for question in questions:
            quantity_spans(question)
        middle = time.process_time()
        for text in texts:
            segments(text)
        ratios.append((time.process_time() - middle) / (middle - begin))
    assert min(ratios) < 2
