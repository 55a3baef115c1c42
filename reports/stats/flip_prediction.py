"""Which problems noise turns from right to wrong, and whether attention to the noise tells them beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy

from reports.stats.area_under_curve import area, area_interval
from reports.stats.attention_comparisons import noise_lift
from reports.stats.attention_stats import MeasuredCell
from reports.stats.comparison_rows import untested_row
from reports.stats.intervention_rows import AREA, FLIP, InterventionRow, about
from reports.stats.intervention_scores import NOISY, InterventionCell
from reports.stats.noise_doses import CLEAN
from reports.stats.paired_tests import Array, holm
from reports.stats.problem_scores import ACCURACY, hash_texts
from reports.store.record_kinds import LIKELIHOOD
from reports.store.records import Intervention, problem_of

#: The predictors: the lift of the noise, and what hiding it does to the likelihood of the worked answer.
NOISE_LIFT, CUT_EFFECT = "noise_lift", "cut_effect"
#: Of fewer problems of one class an area says next to nothing.
FEWEST = 5


def flip_predictions(cells: Sequence[InterventionCell], attention: Sequence[MeasuredCell]) -> list[InterventionRow]:
    """Return for each cell and predictor the area under the ROC curve, p after Holm over all of them.

    The problems are those that are right when clean. One has flipped if it is wrong with at least half of the draws of
    its noise. The estimate is None where fewer than five have flipped, or have not.
    """
    rows = [row for cell in cells for row in _of_cell(cell, attention)]
    adjusted_p = holm([row.p for row in rows])
    return [replace(row, p_adjusted=p) for row, p in zip(rows, adjusted_p, strict=True)]


def _of_cell(cell: InterventionCell, attention: Sequence[MeasuredCell]) -> Iterator[InterventionRow]:
    clean, noisy = (cell.scores.get((ACCURACY, condition)) for condition in (CLEAN, NOISY))
    if clean is None or noisy is None:
        return
    before = dict(zip(clean.problems, clean.values, strict=True))
    flipped = {
        problem: bool(value <= 0.5)
        for problem, value in zip(noisy.problems, noisy.values, strict=True)
        if before.get(problem) == 1
    }
    draws = dict(zip(noisy.problems, noisy.draws, strict=True))
    for name, values in (
        (NOISE_LIFT, _lifts(cell, attention)),
        (CUT_EFFECT, _cut_effects(cell)),
    ):
        if values is None:
            continue
        known = [problem for problem in flipped if problem in values]
        positives, negatives = (
            numpy.array([values[problem] for problem in known if flipped[problem] == is_flipped])
            for is_flipped in (True, False)
        )
        counts = numpy.array([draws[problem] for problem in known], dtype=int)
        estimate, low, high, p, method = _area(positives, negatives)
        row = untested_row(FLIP, noisy, noisy.cell.noise, estimate, low, high, counts, method)
        yield about(replace(row, measure=AREA, p=p), name, count=len(positives))


def _area(positives: Array, negatives: Array) -> tuple[float | None, float | None, float | None, float | None, str]:
    """Return the estimate, its interval, the p value of an area of one half, and the method, or why there is none."""
    from scipy.stats import mannwhitneyu

    m, n = len(positives), len(negatives)
    if min(m, n) < FEWEST:
        return None, None, None, None, f"too few: {m} flipped and {n} did not"
    estimate = area(positives, negatives)
    p = float(mannwhitneyu(positives, negatives).pvalue)
    return estimate, *area_interval(estimate, m, n), p, "Newcombe 5; Mann-Whitney"


def _lifts(cell: InterventionCell, attention: Sequence[MeasuredCell]) -> dict[str, float] | None:
    """Return the mean lift of the noise in each problem that was read with the same text; None without readings."""
    by_problem: dict[str, dict[str, Intervention]] = {}
    for record in cell.records:
        by_problem.setdefault(problem_of(record.problem), {})[record.problem] = record
    hashes = {}
    for problem, by_id in by_problem.items():
        draws = [by_id[id] for id in sorted(by_id)]
        texts = [draw.asked for draw in draws], [draw.question for draw in draws]  # a reading may be of the question
        hashes[problem] = {hash_texts(of_draws) for of_draws in texts}
    for measured in attention:
        is_same = (measured.cell.model, measured.cell.noise) == (cell.cell.model, cell.cell.noise)
        if is_same and "ni" in measured.segments and cell.settings.weights.startswith(measured.checkpoint):
            scores = noise_lift(measured)
            return {
                problem: float(value)
                for problem, value, text in zip(scores.problems, scores.values, scores.texts, strict=True)
                if text in hashes.get(problem, ())
            }
    return None


def _cut_effects(cell: InterventionCell) -> dict[str, float] | None:
    """Return by how many nats a token the worked answer is likelier where the noise cannot be read."""
    noisy, cut = (cell.scores.get((LIKELIHOOD, condition)) for condition in (NOISY, "everywhere"))
    if noisy is None or cut is None:
        return None
    before = dict(zip(noisy.problems, zip(noisy.values, noisy.texts, strict=True), strict=True))
    return {
        problem: float(value - before[problem][0])
        for problem, value, text in zip(cut.problems, cut.values, cut.texts, strict=True)
        if problem in before and before[problem][1] == text
    }
