"""A needle among distractors: the problem is whole, at the depth that was asked for, and certified beside its noise."""

from __future__ import annotations

import pytest

from benchmarks.needles import DEPTHS, DISTRACTORS, needle_segments, needles
from noise import mini, strip
from noise.problems.problem import Problem
from noise.text.sentence_splitting import insertion_point, sentence_starts

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("depth", DEPTHS)
def test_without_its_distractors_a_needle_is_the_problem(depth: int) -> None:
    problems = mini.problems("test")[:30]
    found = needles(problems, depth, seed=0)
    assert len(found) == len(problems)
    for noisy, problem in zip(found, problems, strict=True):
        assert noisy.problem == problem
        assert strip(noisy) == problem.question
        assert noisy.noise == f"needle{depth}"
        assert noisy.question.endswith(problem.question[insertion_point(problem.question) :])


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_share_of_the_distractors_in_front_is_the_depth(depth: int) -> None:
    for noisy in needles(mini.problems("test")[:30], depth, seed=0):
        texts = [noisy.question[start:stop] for start, stop in noisy.spans]
        counts = [len(sentence_starts(text.strip())) for text in texts]
        assert sum(counts) >= DISTRACTORS
        front = sum(
            len(sentence_starts(noisy.question[start:stop].strip())) for start, stop in noisy.spans if start == 0
        )
        assert front / sum(counts) == pytest.approx(depth / 100, abs=0.05)


def test_the_distractors_are_the_same_at_each_depth_and_all_different() -> None:
    problems = mini.problems("test")[:10]
    texts = {
        depth: ["".join(noisy.question[a:b] for a, b in noisy.spans) for noisy in needles(problems, depth, seed=0)]
        for depth in DEPTHS
    }
    assert all(found == texts[0] for found in texts.values())
    for text in texts[0]:
        sentences = [
            text[a:b].strip()
            for a, b in zip(sentence_starts(text), [*sentence_starts(text)[1:], len(text)], strict=True)
        ]
        assert len(set(sentences)) == len(sentences)
    assert texts[0] != ["".join(n.question[a:b] for a, b in n.spans) for n in needles(problems, 0, seed=1)]


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_needle_is_what_the_problem_states_and_the_question_is_apart(depth: int) -> None:
    for noisy in needles(mini.problems("test")[:10], depth, seed=0):
        said = dict.fromkeys(("needle", "ni", "question"), "")
        for segment in needle_segments(noisy):
            said[segment.kind] += noisy.question[segment.start : segment.stop]
        clean = noisy.problem.question
        assert said["needle"] + said["question"] == clean
        assert said["question"] == clean[insertion_point(clean) :]
        assert said["ni"] == "".join(noisy.question[start:stop] for start, stop in noisy.spans)


def test_a_problem_of_one_sentence_has_no_needle() -> None:
    assert needles([Problem("one", "What is 3 plus 4?", "#### 7")], 50, seed=0) == []
