"""Noise against its placebo: what a noise costs beyond text that is as long, and whether one model loses more by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reports.stats.comparison_rows import Comparison, row_of_differences
from reports.stats.paired_tests import Differences
from reports.stats.placebo_labels import is_placebo, split_placebo
from reports.stats.problem_scores import Scores, aligned_values

#: The contrasts: of one model, and between two. Their `noise` reads `inf-filler:inf`.
OVER_PLACEBO = ("degradation_over_placebo", "difference_in_differences_over_placebo")


def over_placebos(by_noise: Mapping[str, Scores]) -> Iterator[tuple[Comparison, Differences]]:
    """Yield by how much each noise of a model costs more than each of its placebos, over the problems of both."""
    for noise, placebo in _pairs(by_noise):
        (before, after), draws = aligned_values([placebo, noise])
        yield row_of_differences(OVER_PLACEBO[0], _labelled(noise, placebo), "", before - after, draws)


def over_placebos_between(
    left: Mapping[str, Scores], right: Mapping[str, Scores]
) -> Iterator[tuple[Comparison, Differences]]:
    """Yield by how much more the second model loses than the first, beyond what each loses with the placebo."""
    others = {(noise.cell.noise, placebo.cell.noise): (noise, placebo) for noise, placebo in _pairs(right)}
    for noise, placebo in _pairs(left):
        other = others.get((noise.cell.noise, placebo.cell.noise))
        if other is None or noise.comparable_settings != other[0].comparable_settings:
            continue
        four = [placebo, other[1], noise, other[0]]
        (first_placebo, second_placebo, first_noise, second_noise), draws = aligned_values(four, [(0, 1), (2, 3)])
        extra_loss = (second_placebo - second_noise) - (first_placebo - first_noise)
        label, against = _labelled(noise, placebo), other[0].cell.model
        yield row_of_differences(OVER_PLACEBO[1], label, against, extra_loss, draws, bound=2.0)


def split_label(label: str) -> tuple[str, str]:
    """Return the noise and the placebo of a row of these contrasts: (`inf`, `filler`) for `inf-filler:inf`."""
    before, _, noise = label.rpartition(":")
    return noise, before.removeprefix(f"{noise}-")


def _pairs(by_noise: Mapping[str, Scores]) -> Iterator[tuple[Scores, Scores]]:
    """Yield each noise of a model with each of its placebos, where both were asked under the same settings."""
    for name, placebo in by_noise.items():
        noise = by_noise.get(split_placebo(name)[1]) if is_placebo(name) else None
        if noise is not None and noise.settings == placebo.settings:
            yield noise, placebo


def _labelled(noise: Scores, placebo: Scores) -> Scores:
    return replace(noise, cell=replace(noise.cell, noise=f"{noise.cell.noise}-{placebo.cell.noise}"))
