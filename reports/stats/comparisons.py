"""Comparisons: what noise costs each model, which model is better or loses less, and `comparisons.csv`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy

from reports.stages import REPORTED_STAGES, stage_order
from reports.stats.comparison_rows import (
    Comparison,
    cell_row,
    macro_accuracy_row,
    relative_drop_row,
    row_of_differences,
)
from reports.stats.factor_comparisons import FACTOR_CONTRASTS, factor_effects, factor_effects_between
from reports.stats.level_contrast import LevelContrast
from reports.stats.noise_doses import CLEAN, noise_order
from reports.stats.noise_means import NoiseMeans, mean_over_noises
from reports.stats.paired_tests import ALPHA, Differences, holm
from reports.stats.placebo_comparisons import OVER_PLACEBO, over_placebos, over_placebos_between
from reports.stats.power import detectable_effect, needed_problems
from reports.stats.problem_scores import ACCURACY, Scores, aligned_values, pairs_with_different_tokenization
from reports.stats.retained_accuracy import TESTED_RETAINED, retained_rows
from reports.store.replicates import compared_pairs, model_order, split_replicate
from reports.store.spreadsheet_safe_csv import write_csv
from reports.store.stage_and_file_names import TUNED_SUFFIX

#: The contrasts with p values. Over all models and noises of a stage, the p values of one contrast are a family.
TESTED = (
    *("degradation", "mean_degradation", "model_difference", "mean_model_difference"),
    *("difference_in_differences", "mean_difference_in_differences", "gain", "change"),
    *OVER_PLACEBO,
    *TESTED_RETAINED,
    *FACTOR_CONTRASTS,
)
Row = TypeVar("Row", bound=Comparison)
#: A row, and what its power is computed from; None for a row without a test.
TestedRow = tuple[Comparison, Differences | LevelContrast | None]


def comparisons(scores: Iterable[Scores]) -> list[Comparison]:
    """Return all comparisons between these cells. Cells whose settings are not comparable are not compared."""
    by_stage: dict[tuple[str, str], list[Scores]] = {}
    for cell_scores in sorted(scores, key=_model_and_noise):
        by_stage.setdefault((cell_scores.cell.stage, cell_scores.measure), []).append(cell_scores)
    rows: list[Comparison] = []
    for (stage, _), cells in sorted(by_stage.items(), key=lambda item: stage_order(item[0][0])):
        reported = REPORTED_STAGES.get(stage)
        gain_over = None if reported is None else reported.gain_over
        untuned = [] if gain_over is None else by_stage.get((gain_over, ACCURACY), [])
        means = NoiseMeans(scores_by_model(cells))
        rows += adjusted([*_within_models(cells, means), *_between_models(cells, means), *_gains(cells, untuned)])
    return rows


def changes(pairs: Iterable[tuple[Scores, Scores]]) -> list[Comparison]:
    """Return the change of each cell from one run to another, over the problems that both asked in the same text."""
    by_stage: dict[tuple[str, str], list[TestedRow]] = {}
    for first, second in sorted(pairs, key=lambda pair: _model_and_noise(pair[1])):
        (before, after), draws = aligned_values([first, second], [(0, 1)])
        row = row_of_differences("change", second, "", after - before, draws)
        by_stage.setdefault((second.cell.stage, second.measure), []).append(row)
    return [row for rows in by_stage.values() for row in adjusted(rows)]


def write_comparisons_csv(rows: Sequence[Comparison], path: Path) -> None:
    """Write the rows, with six significant digits; None becomes an empty field. Raises `ResultsFolderError`."""
    import pandas

    columns = [field.name for field in fields(Comparison)]
    table = pandas.DataFrame([asdict(row) for row in rows], columns=columns).astype({"needed": "Int64"})
    write_csv(table, path)


def _within_models(scores: Sequence[Scores], means: NoiseMeans) -> Iterator[TestedRow]:
    """Yield the measure of each cell, and what noise costs each model."""
    for model, by_noise in scores_by_model(scores).items():
        yield from ((cell_row(cell_scores), None) for cell_scores in by_noise.values() if len(cell_scores.values))
        clean = by_noise.get(CLEAN)
        for noise, noisy in by_noise.items():
            if noise == CLEAN or clean is None or clean.settings != noisy.settings:
                continue
            (before, after), draws = aligned_values([clean, noisy])
            yield row_of_differences("degradation", noisy, "", before - after, draws)
            if noisy.measure == ACCURACY and len(before):
                yield relative_drop_row(noisy, before, after, draws), None
        yield from over_placebos(by_noise)
        yield from factor_effects(by_noise)
        noisy_cells = means.noisy_cells(model)
        if noisy_cells and noisy_cells[0].measure == ACCURACY:
            values, draws = aligned_values(noisy_cells)
            if len(draws):
                label = means.label(cell_scores.cell.noise for cell_scores in noisy_cells)
                yield macro_accuracy_row(noisy_cells[0], numpy.min(values, axis=0) == 1, label), None
        for cells in means.cell_sets(model):
            if clean is not None and clean.settings == cells[0].settings:
                mean = mean_over_noises(cells, means.label(cell_scores.cell.noise for cell_scores in cells))
                (before, after), draws = aligned_values([clean, mean])
                yield row_of_differences("mean_degradation", mean, "", before - after, draws)


def _between_models(scores: Sequence[Scores], means: NoiseMeans) -> Iterator[TestedRow]:
    """Yield for each pair of models which is better with each noise, and which loses less."""
    for model, against in compared_pairs(scores_by_model(scores)):
        yield from compare_models(model, against, means)


def compare_models(model: str, against: str, means: NoiseMeans) -> Iterator[TestedRow]:
    """Yield the rows that compare two models of `means`; nothing where their scores are not comparable."""
    left, right = means.by_model[model], means.by_model[against]
    if pairs_with_different_tokenization([*left.values(), *right.values()]):
        return
    for noise in left:
        if noise not in right or left[noise].comparable_settings != right[noise].comparable_settings:
            continue
        (left_values, right_values), draws = aligned_values([left[noise], right[noise]], [(0, 1)])
        yield row_of_differences("model_difference", left[noise], against, left_values - right_values, draws)
        if noise == CLEAN or not all(_comparable_to_clean(by_noise, by_noise[noise]) for by_noise in (left, right)):
            continue
        four = [left[CLEAN], right[CLEAN], left[noise], right[noise]]
        yield _difference_in_differences("difference_in_differences", four)
    yield from over_placebos_between(left, right)
    yield from factor_effects_between(left, right)
    left_cells, right_cells = means.shared_cells(model, against)
    comparable = all(_comparable_to_clean(left, cell_scores) for cell_scores in left_cells) and all(
        _comparable_to_clean(right, cell_scores) for cell_scores in right_cells
    )
    noisy = None
    if left_cells and comparable and left[CLEAN].comparable_settings == right[CLEAN].comparable_settings:
        label = means.label(cell_scores.cell.noise for cell_scores in left_cells)
        noisy = mean_over_noises(left_cells, label), mean_over_noises(right_cells, label)
        yield _difference_in_differences("mean_difference_in_differences", [left[CLEAN], right[CLEAN], *noisy])
    yield from retained_rows(left, right, noisy, means.filled_noises(model, against))


def _difference_in_differences(contrast: str, four: Sequence[Scores]) -> tuple[Comparison, Differences]:
    """Return by how much the second model loses more than the first. `four` are both clean, then both noisy."""
    (first_clean, second_clean, first_noisy, second_noisy), draws = aligned_values(four, [(0, 1), (2, 3)])
    extra_loss = (second_clean - second_noisy) - (first_clean - first_noisy)
    return row_of_differences(contrast, four[2], four[3].cell.model, extra_loss, draws, bound=2.0)


def _comparable_to_clean(by_noise: Mapping[str, Scores], noisy: Scores) -> bool:
    """Whether the model has a clean cell made under the settings of `noisy`."""
    return CLEAN in by_noise and by_noise[CLEAN].settings == noisy.settings


def _gains(tuned: Sequence[Scores], untuned: Sequence[Scores]) -> Iterator[tuple[Comparison, Differences]]:
    """Yield the gain of each tuned cell over the untuned model."""
    references = {(scores.cell.model, scores.cell.noise): scores for scores in untuned or tuned}
    for after in tuned:
        model = after.cell.model.removesuffix(TUNED_SUFFIX)  # the stage likelihood has both models
        before = references.get((model, after.cell.noise))
        if before is not None and before is not after and after.is_tuned_from(before):
            (after_values, before_values), draws = aligned_values([after, before], [(0, 1)])
            against = before.cell.stage if untuned else model
            yield row_of_differences("gain", after, against, after_values - before_values, draws)


def adjusted(
    rows: Iterable[tuple[Row, Differences | LevelContrast | None]], tested: Collection[str] = TESTED
) -> list[Row]:
    """Return the rows by contrast, with what depends on the number of rows of a contrast: Holm's p, and for those in
    `tested` the power. A row that has its like for another training seed needs none: their mean has it."""
    adjusted_rows: list[Row] = []
    rows = list(rows)
    alike = Counter(_whichever_seed(row) for row, _ in rows)
    for contrast, group in groupby(sorted(rows, key=lambda row: row[0].contrast), lambda row: row[0].contrast):
        family = list(group)
        adjusted_p = holm([row.p for row, _ in family])
        alpha = ALPHA / max(1, sum(row.p is not None for row, _ in family))
        for (row, differences), p_adjusted in zip(family, adjusted_p, strict=True):
            if differences is not None:
                is_alone = alike[_whichever_seed(row)] == 1
                effect, problems = _power(differences, alpha) if contrast in tested and is_alone else (None, None)
                row = replace(row, p_adjusted=p_adjusted, detectable=effect, needed=problems)
            adjusted_rows.append(row)
    return adjusted_rows


def _whichever_seed(row: Comparison) -> tuple[str, ...]:
    """Return what a row is about, whichever training seed it is of."""
    families = (split_replicate(name)[0] for name in (row.model, row.against))
    return row.contrast, row.noise, getattr(row, "of", ""), *families


def _power(differences: Differences | LevelContrast, alpha: float) -> tuple[float | None, int | None]:
    """Return the smallest effect that is shown in 80 % of runs, and how many problems show the observed one."""
    if isinstance(differences, LevelContrast):
        return differences.detectable(alpha), differences.needed(alpha)
    return detectable_effect(differences, alpha), needed_problems(differences, alpha)


def _model_and_noise(scores: Scores) -> tuple[object, ...]:
    return model_order(scores.cell.model), noise_order(scores.cell.noise)


def scores_by_model(scores: Sequence[Scores]) -> dict[str, dict[str, Scores]]:
    """Return the scores of one stage and measure by model and noise."""
    by_model: dict[str, dict[str, Scores]] = {}
    for cell_scores in scores:
        by_model.setdefault(cell_scores.cell.model, {})[cell_scores.cell.noise] = cell_scores
    return by_model
