"""What one training seed would have said: how often a single pair of models misleads about its two families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons import compare_models, scores_by_model
from reports.stats.comparisons_over_seeds import comparison_key
from reports.stats.noise_means import NoiseMeans
from reports.stats.paired_tests import ALPHA
from reports.stats.problem_scores import ACCURACY, Scores
from reports.stats.retained_accuracy import MEAN_BETWEEN, MEAN_OVER_FILLER
from reports.store.replicates import display_name, split_replicate
from reports.store.stage_and_file_names import ZERO_SHOT

#: The contrasts that single seeds are judged by: the answers to the project's question.
HEADLINE_CONTRASTS = ("mean_difference_in_differences", MEAN_BETWEEN, MEAN_OVER_FILLER)


@dataclass(frozen=True)
class SingleSeedClaims:
    """How single pairs of models compare with the mean over `row.seeds` pairs, which `row` is.

    `other_sign` pairs have the sign that the mean has not. In `shown` pairs the difference is shown, with p < 0.05 over
    problems, and in `shown_other_sign` of these with the other sign. `same_family` is the number of comparisons of two
    seeds of one family, between which the architecture makes no difference, and `false_alarms` of them have p < 0.05.
    """

    row: Comparison
    other_sign: int
    shown: int
    shown_other_sign: int
    same_family: int
    false_alarms: int


def single_seed_claims(
    family_rows: Sequence[Comparison], model_rows: Sequence[Comparison], scores: Sequence[Scores]
) -> list[SingleSeedClaims]:
    """Return what single seeds say about each mean over noises between two families, in the stage zero_shot."""
    answers = [row for row in family_rows if row.contrast in HEADLINE_CONTRASTS and row.stage == ZERO_SHOT]
    if not answers:
        return []
    alarms = _same_family(scores)
    result = []
    for row in answers:
        pairs = [
            pair for pair in model_rows if comparison_key(pair) == comparison_key(row) and pair.estimate is not None
        ]
        other = [pair for pair in pairs if (pair.estimate or 0.0) * (row.estimate or 0.0) < 0]
        shown = [pair for pair in pairs if _is_shown(pair)]
        families = {split_replicate(display_name(name))[0] for name in (row.model, row.against)}
        within = [alarm for alarm in alarms if alarm.about == (row.contrast, row.noise) and alarm.family in families]
        result.append(
            SingleSeedClaims(
                row,
                other_sign=len(other),
                shown=len(shown),
                shown_other_sign=sum(pair in other for pair in shown),
                same_family=len(within),
                false_alarms=sum(alarm.p <= ALPHA for alarm in within),
            )
        )
    return result


def _is_shown(row: Comparison) -> bool:
    return row.p is not None and row.p <= ALPHA


@dataclass(frozen=True)
class _Alarm:
    """A comparison of two replicates of one family: what it is about (contrast, noises), and its p."""

    family: str
    about: tuple[str, str]
    p: float


def _same_family(scores: Sequence[Scores]) -> list[_Alarm]:
    """Return the comparisons of two replicates of one family, between which the architecture makes no difference."""
    zero_shot = [of_cell for of_cell in scores if (of_cell.cell.stage, of_cell.measure) == (ZERO_SHOT, ACCURACY)]
    by_model: Mapping[str, Mapping[str, Scores]] = scores_by_model(zero_shot)
    means = NoiseMeans(by_model)
    rows = (
        row
        for first, second in combinations(by_model, 2)
        if split_replicate(first)[0] == split_replicate(second)[0]
        for row, _ in compare_models(first, second, means)
    )
    return [
        _Alarm(split_replicate(row.model)[0], (row.contrast, row.noise), row.p)
        for row in rows
        if row.contrast in HEADLINE_CONTRASTS and row.p is not None
    ]
