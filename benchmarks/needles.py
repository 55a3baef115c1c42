"""The needle test: does a model find what a problem says when most of the text is irrelevant?

It follows the key information retrieval of Ye et al. (arXiv 2410.05258, Table 3), in miniature: the statement of a
problem is put at a depth among distractors, and the attention to it is compared with the attention to them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from benchmarks.segmented_text import Parts
from noise.inject import inject
from noise.problems.problem import NoisyProblem, Problem
from noise.text.question_segments import Segment
from noise.text.sentence_splitting import insertion_point

#: What the cells of the test are called in place of a noise: one case a model, next to those of the grid.
NEEDLE = "needle"
#: The depths of the needle: the share of the distractors in front of it, in per cent.
DEPTHS = (0, 25, 50, 75, 100)
#: The number of distractors; a multiple of four gives every depth exactly.
DISTRACTORS = 8
_MOST_DRAWS = 100


def needles(problems: Sequence[Problem], depth: int, seed: int) -> list[NoisyProblem]:
    """Return each problem that states something before it asks, with its statement at `depth` among `inf` distractors.

    Every depth has the same distractors in the same order, and the question stays last. A problem of one sentence, or
    one that too few different distractors suit, is left out.
    """
    texts = (_needle(problem, depth, seed) for problem in problems)
    return [noisy for noisy in texts if noisy is not None]


def needle_segments(noisy: NoisyProblem) -> tuple[Segment, ...]:
    """Cut a text into `needle` (what the problem states), `ni` (the distractors) and `question` (what it asks)."""
    question_start = len(noisy.question) - len(noisy.problem.question) + insertion_point(noisy.problem.question)
    segments, end = [], 0
    for start, stop in noisy.spans:
        segments += [Segment("needle", end, start), Segment("ni", start, stop)]
        end = stop
    segments.append(Segment("needle", end, question_start))
    segments.append(Segment("question", question_start, len(noisy.question)))
    return tuple(segment for segment in segments if segment.start < segment.stop)


NEEDLE_PARTS = Parts(("needle", "ni", "question", "oc", "sink", "answer"), needle_segments)


def _needle(problem: Problem, depth: int, seed: int) -> NoisyProblem | None:
    insertion_index = insertion_point(problem.question)
    if insertion_index == 0 or not problem.question[insertion_index - 1].isspace():
        return None
    distractors = _distractors(problem, seed)
    if len(distractors) < DISTRACTORS:
        return None
    before = "".join(distractors[: DISTRACTORS * depth // 100])
    after = "".join(distractors[DISTRACTORS * depth // 100 :])
    statement, asking = problem.question[:insertion_index], problem.question[insertion_index:]
    ranges = [(0, len(before)), (len(before) + insertion_index, len(before) + insertion_index + len(after))]
    return NoisyProblem(
        problem=problem,
        noise=f"{NEEDLE}{depth}",
        question=before + statement + after + asking,
        spans=tuple((start, stop) for start, stop in ranges if start < stop),
        seed=seed,
    )


@functools.lru_cache(maxsize=10_000)  # every depth has the same, and so has every model
def _distractors(problem: Problem, seed: int) -> tuple[str, ...]:
    """Return different certified distractors for `problem`, each with the space after it."""
    distractors: dict[str, None] = {}
    for number in itertools.islice(itertools.count(seed * _MOST_DRAWS), _MOST_DRAWS):
        noisy = inject(problem, "inf", number)
        distractors |= {noisy.question[start:stop]: None for start, stop in noisy.spans}
        if len(distractors) == DISTRACTORS:
            break
    return tuple(distractors)
