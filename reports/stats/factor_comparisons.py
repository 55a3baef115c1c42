"""What a factor of a designed noise adds to what the noise costs, and whether it adds as much to two models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy

from reports.stats.comparison_rows import Comparison, untested_row
from reports.stats.factor_levels import COMPARED
from reports.stats.level_contrast import LevelContrast
from reports.stats.noise_doses import CLEAN
from reports.stats.problem_scores import ACCURACY, Array, Scores, aligned_values

#: The contrasts: of one model, and between two. Their `noise` reads `ic topic=in-off`.
FACTOR_CONTRASTS = ("factor_effect", "difference_in_factor_effects")


def factor_effects(by_noise: Mapping[str, Scores]) -> Iterator[tuple[Comparison, LevelContrast]]:
    """Yield for each factor of a designed noise what a model loses more under its first level than under its second."""
    clean = by_noise.get(CLEAN)
    for noisy in by_noise.values():
        if clean is None or clean.settings != noisy.settings:
            continue
        for factor in _factors(noisy):
            (before, first, second), draws = aligned_values([clean, *_by_level(noisy, factor)])
            yield _row(FACTOR_CONTRASTS[0], noisy, factor, "", (before - first, before - second), draws)


def factor_effects_between(
    left: Mapping[str, Scores], right: Mapping[str, Scores]
) -> Iterator[tuple[Comparison, LevelContrast]]:
    """Yield for each factor by how much more it adds to the second model's losses, over problems with the same text."""
    for noise, noisy in left.items():
        cells = [left.get(CLEAN), right.get(CLEAN), noisy, right.get(noise)]
        four = [scores for scores in cells if scores is not None]
        if len(four) < 4 or any(scores.comparable_settings != noisy.comparable_settings for scores in four):
            continue
        for factor in _factors(noisy):
            by_level = [*_by_level(noisy, factor), *_by_level(four[3], factor)]
            if len(by_level) < 4:
                continue
            values, draws = aligned_values([*four[:2], *by_level], [(0, 1), (2, 4)])
            clean, other_clean, first, second, other_first, other_second = values
            extra = [
                (other_clean - others) - (clean - own) for own, others in ((first, other_first), (second, other_second))
            ]
            yield _row(FACTOR_CONTRASTS[1], noisy, factor, four[3].cell.model, (extra[0], extra[1]), draws, scale=2)


def split_factor_label(label: str) -> tuple[str, str, str, str]:
    """Return the noise, factor and levels of a row: (`ic`, `topic`, `in`, `off`) for `ic topic=in-off`."""
    noise, _, rest = label.partition(" ")
    factor, _, levels = rest.partition("=")
    first, _, second = levels.partition("-")
    return noise, factor, first, second


def _factors(noisy: Scores) -> list[str]:
    """Return the factors of which a cell has draws of both levels."""
    return [factor for factor in COMPARED if _by_level(noisy, factor)]


def _by_level(noisy: Scores, factor: str) -> list[Scores]:
    """Return the scores of a cell under each of the two levels of a factor; nothing where it has not both."""
    levels = [noisy.levels.get(f"{factor}={level}") for level in COMPARED[factor]]
    known = [values for values in levels if values is not None]
    return [replace(noisy, values=values) for values in known] if len(known) == len(levels) else []


def _row(
    contrast: str,
    noisy: Scores,
    factor: str,
    against: str,
    values: tuple[Array, Array],
    draws: Array,
    scale: float = 1.0,
) -> tuple[Comparison, LevelContrast]:
    levels = LevelContrast(*values, scale if noisy.measure == ACCURACY else float(numpy.inf))
    label = f"{noisy.cell.noise} {factor}={'-'.join(COMPARED[factor])}"
    counted = ~(numpy.isnan(values[0]) & numpy.isnan(values[1]))
    low, high = levels.interval() or (None, None)
    method = "adjusted Wald; its z" if numpy.isfinite(levels.bound) else "Student; its t"
    row = untested_row(contrast, noisy, label, levels.estimate, low, high, draws[counted], f"{method}, by problem")
    return replace(row, against=against, p=levels.p_value()), levels
