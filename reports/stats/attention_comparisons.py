"""Which of two models attends less to the noise: paired over problems, as `Comparison` rows of their own measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy

from reports.stats.attention_stats import MeasuredCell, needle_depth
from reports.stats.comparisons import Comparison, adjusted, row_of_differences
from reports.stats.noise_doses import CLEAN
from reports.stats.noise_means import NoiseMeans, mean_over_noises
from reports.stats.paired_tests import Differences
from reports.stats.problem_scores import UNKNOWN_SETTINGS, Scores, aligned_values, hash_texts
from reports.store.records import problem_of
from reports.store.replicates import compared_pairs

NOISE_LIFT = "noise_lift"


def attention_comparisons(cells: Sequence[MeasuredCell]) -> list[Comparison]:
    """Return, for each pair of models, how much more lift the noise has in the first, for each noise and their mean.

    The lift of a problem is its mean over all measured layers and heads. Two models are compared over the problems that
    both were asked in the same text; a pair whose tokenizers split these texts otherwise is not compared, nor is a
    tuned model with an untuned one. The test and the interval are Student's, the p values Holm's over all noises and
    pairs.
    """
    scores: dict[str, dict[str, Scores]] = {}
    scopes: dict[str, set[object]] = {}
    for cell in cells:
        if cell.cell.noise != CLEAN and needle_depth(cell.cell.noise) is None and "ni" in cell.segments:
            scores.setdefault(cell.cell.model, {})[cell.cell.noise] = noise_lift(cell)
            scopes.setdefault(cell.cell.model, set()).add(cell.scope)
    pairs = [(model, against) for model, against in compared_pairs(scores) if scopes[model] == scopes[against]]
    return adjusted(row for model, against in pairs for row in _of_pair(scores, model, against))


def _of_pair(
    scores: dict[str, dict[str, Scores]], model: str, against: str
) -> Iterator[tuple[Comparison, Differences]]:
    noises = [noise for noise in scores[model] if noise in scores[against]]
    if any(_are_split_otherwise(scores[model][noise], scores[against][noise]) for noise in noises):
        return
    means = NoiseMeans(scores)
    cells, other_cells = means.shared_cells(model, against)
    if cells:
        label = means.label(of_noise.cell.noise for of_noise in cells)
        both = mean_over_noises(cells, label), mean_over_noises(other_cells, label)
        yield _difference("mean_model_difference", *both)
    for noise in noises:
        yield _difference("model_difference", scores[model][noise], scores[against][noise])


def _difference(contrast: str, left: Scores, right: Scores) -> tuple[Comparison, Differences]:
    (left_values, right_values), draws = aligned_values([left, right], [(0, 1)])
    return row_of_differences(contrast, left, right.cell.model, left_values - right_values, draws)


def _are_split_otherwise(left: Scores, right: Scores) -> bool:
    """Return whether the noise is another share of the tokens in one model than in the other."""
    assert left.tokens is not None
    assert right.tokens is not None
    shares = dict(zip(left.problems, left.tokens, strict=True))
    pairs = [(shares[id], share) for id, share in zip(right.problems, right.tokens, strict=True) if id in shares]
    return not all(numpy.isclose(share, other, rtol=1e-4) for share, other in pairs)


def noise_lift(cell: MeasuredCell) -> Scores:
    """Return the lift of the noise in each problem, over its draws; `tokens` is the share of the noise, not a count."""
    noise = cell.segments.index("ni")
    lifts = cell.lift[..., noise].mean(axis=(1, 2))
    by_problem: dict[str, list[int]] = {}
    for row in sorted(range(len(cell.ids)), key=lambda row: cell.ids[row]):
        if not numpy.isnan(lifts[row]):
            by_problem.setdefault(problem_of(cell.ids[row]), []).append(row)
    problems = sorted(by_problem)
    return Scores(
        cell=cell.cell,
        settings=UNKNOWN_SETTINGS,
        problems=numpy.array(problems, dtype=object),
        values=numpy.array([lifts[by_problem[problem]].mean() for problem in problems]),
        draws=numpy.array([len(by_problem[problem]) for problem in problems], dtype=int),
        texts=numpy.array(
            [hash_texts(cell.texts[row] for row in by_problem[problem]) for problem in problems], dtype="U16"
        ),
        measure=NOISE_LIFT,
        tokens=numpy.array([cell.tokens[by_problem[problem], noise].mean() for problem in problems]),
    )
