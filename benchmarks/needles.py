"""A needle among distractors: does a model find what a problem says when most of the text is beside the point?

After the key information retrieval of Ye et al. (arXiv 2410.05258, Table 3), in miniature: what a problem states is put
at a depth of a text of distractors, and the attention to it and to the distractors is compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from benchmarks.segmented_text import Parts
from noise.inject import inject
from noise.problems.problem import NoisyProblem, Problem
from noise.text.question_segments import Segment
from noise.text.sentence_splitting import insertion_point

#: What a needle's cells are called in place of a noise: one case a model, next to the grid's own.
NEEDLE = "needle"
#: How far down the needle stands: the share of the distractors in front of it, in per cent.
DEPTHS = (0, 25, 50, 75, 100)
#: How many distractors, a multiple of four, so that every depth is met exactly.
DISTRACTORS = 8
_MOST_DRAWS = 100


def needles(problems: Sequence[Problem], depth: int, seed: int) -> list[NoisyProblem]:
    """Each problem that states something before it asks, with its statement at `depth` among `inf` distractors.

    The same distractors in the same order at each depth; the sentence that asks stays last. A problem of one sentence,
    or one for which there are not enough different distractors, is left out.
    """
    found = (_needle(problem, depth, seed) for problem in problems)
    return [noisy for noisy in found if noisy is not None]


def needle_segments(noisy: NoisyProblem) -> tuple[Segment, ...]:
    """The question cut into `needle`, what the problem states, `ni`, the distractors, and `question`, what it asks."""
    asking = len(noisy.question) - len(noisy.problem.question) + insertion_point(noisy.problem.question)
    found, end = [], 0
    for start, stop in noisy.spans:
        found += [Segment("needle", end, start), Segment("ni", start, stop)]
        end = stop
    found += [Segment("needle", end, asking), Segment("question", asking, len(noisy.question))]
    return tuple(segment for segment in found if segment.start < segment.stop)


NEEDLE_PARTS = Parts(("needle", "ni", "question", "oc", "sink", "answer"), needle_segments)


def _needle(problem: Problem, depth: int, seed: int) -> NoisyProblem | None:
    at = insertion_point(problem.question)
    if at == 0 or not problem.question[at - 1].isspace():
        return None
    distractors = _distractors(problem, seed)
    if len(distractors) < DISTRACTORS:
        return None
    before = "".join(distractors[: DISTRACTORS * depth // 100])
    after = "".join(distractors[DISTRACTORS * depth // 100 :])
    statement, asking = problem.question[:at], problem.question[at:]
    ranges = [(0, len(before)), (len(before) + at, len(before) + at + len(after))]
    return NoisyProblem(
        problem=problem,
        noise=f"{NEEDLE}{depth}",
        question=before + statement + after + asking,
        spans=tuple((start, stop) for start, stop in ranges if start < stop),
        seed=seed,
    )


def _distractors(problem: Problem, seed: int) -> list[str]:
    """Different certified distractors for `problem`, each with the space behind it."""
    drawn: dict[str, None] = {}
    for number in itertools.islice(itertools.count(seed * _MOST_DRAWS), _MOST_DRAWS):
        noisy = inject(problem, "inf", number)
        drawn |= {noisy.question[start:stop]: None for start, stop in noisy.spans}
        if len(drawn) == DISTRACTORS:
            break
    return list(drawn)
