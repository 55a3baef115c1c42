"""Plot what each training seed says: a point for each pair of models, and the mean with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.plots.plot_style import save_png
from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons_over_seeds import comparison_key
from reports.stats.noise_doses import noise_order
from reports.stats.placebo_labels import is_placebo
from reports.stats.problem_scores import ACCURACY
from reports.stats.single_seed_claims import HEADLINE_CONTRASTS
from reports.store.replicates import display_name, split_replicate
from reports.store.stage_and_file_names import ZERO_SHOT
from reports.tables.narrative import mean_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The value and the number of each training seed.
Seeds = list[tuple[float, int]]
_EACH = "difference_in_differences"
_INK = "#101010"
_LABELS = {
    "mean_difference_in_differences": "{}: difference in loss",
    "mean_retained_difference": "{}: difference retained",
    "mean_retained_difference_over_filler": "{}: difference retained, net of filler",
}


def write_seed_plot(family_rows: Sequence[Comparison], model_rows: Sequence[Comparison], path: Path) -> bool:
    """Write `seed_figure` as a PNG and return True; False if no family has several seeds. Raises
    `ResultsFolderError`."""
    return save_png(seed_figure(family_rows, model_rows), path)


def seed_figure(family_rows: Sequence[Comparison], model_rows: Sequence[Comparison]) -> Figure | None:
    """Return a figure with a panel for each two families: by how many points the first loses less, for each seed.

    None if no two families have several seeds in common.
    """
    from matplotlib.figure import Figure

    rows = [row for row in family_rows if _is_shown(row)]
    pairs = list(dict.fromkeys((row.model, row.against) for row in rows))
    if not pairs:
        return None
    of_pairs = [sorted((row for row in rows if (row.model, row.against) == pair), key=_order) for pair in pairs]
    drawn = [[_seeds_of(row, model_rows) for row in of_pair] for of_pair in of_pairs]
    heights = [sum(map(_height, _levels_of(seeds))) for seeds in drawn]
    figure = Figure(figsize=(8, sum(1.3 + 0.42 * height for height in heights)), layout="constrained")
    panels = figure.subplots(len(pairs), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for panel, (model, against), of_pair, seeds in zip(panels, pairs, of_pairs, drawn, strict=True):
        _draw(panel, of_pair, seeds)
        less, more = display_name(model), display_name(against)
        panel.set_title(f"{less} loses less than {more} →", fontsize=10)
    figure.supxlabel(
        "points of accuracy; numbers: training seeds; diamond: their mean with its 95 % interval", fontsize="medium"
    )
    return figure


def _seeds_of(row: Comparison, model_rows: Sequence[Comparison]) -> Seeds:
    """Return what each pair says of a row, in points, with its seed; the lowest first."""
    return sorted(
        (100 * pair.estimate, split_replicate(pair.model)[1])
        for pair in model_rows
        if comparison_key(pair) == comparison_key(row) and pair.estimate is not None
    )


def _levels_of(by_row: Sequence[Seeds]) -> list[list[int]]:
    """Return for each row the level of each of its seeds, from 0: numbers that would touch stand above each other."""
    values = [value for seeds in by_row for value, _ in seeds]
    width = (max(values) - min(values)) or 1.0
    return [_levels([value for value, _ in seeds], width / 50) for seeds in by_row]


def _height(levels: Sequence[int]) -> float:
    """Return the height of a row, in rows of one level."""
    return 1 + 0.24 * max(levels, default=0)


def _draw(panel: Axes, rows: Sequence[Comparison], by_row: Sequence[Seeds]) -> None:
    everything = [value for seeds in by_row for value, _ in seeds]
    everything += [100 * bound for row in rows for bound in (row.low, row.high) if bound is not None]
    width = (max(everything) - min(everything)) or 1.0
    top, bases = 0.0, []
    for row, seeds, levels in list(zip(rows, by_row, _levels_of(by_row), strict=True))[::-1]:
        height, top = top, top + _height(levels)
        bases.append(height)
        for (value, number), level in zip(seeds, levels, strict=True):
            panel.text(
                value, height + 0.14 + 0.24 * level, str(number), ha="center", va="center", fontsize=8, color="0.3"
            )
        estimate = 100 * (row.estimate or 0.0)
        bounds = None if row.low is None or row.high is None else (100 * row.low, 100 * row.high)
        error = None if bounds is None else [[estimate - bounds[0]], [bounds[1] - estimate]]
        panel.errorbar([estimate], [height - 0.15], xerr=error, capsize=3, color=_INK, marker="D", markersize=5)
    panel.set_xlim(min(everything) - 0.05 * width, max(everything) + 0.05 * width)
    panel.set_yticks(bases, [_label(row) for row in rows][::-1])
    panel.set_ylim(-0.6, top - 0.3)
    panel.axvline(0, color="#808080", linewidth=1)
    panel.grid(axis="x", color="0.9")
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)


def _levels(values: Sequence[float], excluded: float) -> list[int]:
    """Return for sorted values the lowest level, from 0, at which each is `excluded` from the one before it there."""
    last: list[float] = []
    levels = []
    for value in values:
        level = next((level for level, before in enumerate(last) if value - before >= excluded), len(last))
        last[level : level + 1] = [value]
        levels.append(level)
    return levels


def _is_shown(row: Comparison) -> bool:
    if (row.stage, row.measure) != (ZERO_SHOT, ACCURACY) or row.estimate is None:
        return False
    return row.contrast in HEADLINE_CONTRASTS or (row.contrast == _EACH and not is_placebo(row.noise))


def _order(row: Comparison) -> tuple[object, ...]:
    """Return the sort key of a row: the answers in reverse order, and then each noise."""
    return (
        (-HEADLINE_CONTRASTS.index(row.contrast), 0)
        if row.contrast in HEADLINE_CONTRASTS
        else (1, noise_order(row.noise))
    )


def _label(row: Comparison) -> str:
    if row.contrast not in _LABELS:
        return f"{row.noise}: difference in loss"
    noises = mean_label(row.noise).removeprefix("mean of ")
    return _LABELS[row.contrast].format(noises)
