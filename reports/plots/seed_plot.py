"""Plot what each training seed says: a point for each pair of models, and the mean with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons_over_seeds import comparison_key
from reports.stats.noise_doses import noise_order
from reports.stats.placebo_labels import is_placebo
from reports.stats.problem_scores import ACCURACY
from reports.stats.single_seed_claims import HEADLINE_CONTRASTS
from reports.store.atomic_io import write_atomically
from reports.store.replicates import display_name, split_replicate
from reports.store.stage_and_file_names import ZERO_SHOT
from reports.tables.narrative import mean_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    figure = seed_figure(family_rows, model_rows)
    if figure is None:
        return False
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    write_atomically(path, picture.getvalue())
    return True


def seed_figure(family_rows: Sequence[Comparison], model_rows: Sequence[Comparison]) -> Figure | None:
    """Return a figure with a panel for each two families: by how many points the first loses less, for each seed.

    None if no two families have several seeds in common.
    """
    from matplotlib.figure import Figure

    rows = [row for row in family_rows if _is_shown(row)]
    pairs = list(dict.fromkeys((row.model, row.against) for row in rows))
    if not pairs:
        return None
    most = max(sum((row.model, row.against) == pair for row in rows) for pair in pairs)
    figure = Figure(figsize=(8, (1.3 + 0.42 * most) * len(pairs)), layout="constrained")
    panels = figure.subplots(len(pairs), 1, squeeze=False, sharex=True)[:, 0]
    for panel, (model, against) in zip(panels, pairs, strict=True):
        of_pair = sorted((row for row in rows if (row.model, row.against) == (model, against)), key=_order)
        _draw(panel, of_pair, model_rows)
        less, more = display_name(model), display_name(against)
        panel.set_title(f"{less} loses less than {more} →", fontsize=10)
    figure.supxlabel(
        "points of accuracy; numbers: training seeds; diamond: their mean with its 95 % interval", fontsize="medium"
    )
    return figure


def _draw(panel: Axes, rows: Sequence[Comparison], model_rows: Sequence[Comparison]) -> None:
    by_row = [
        sorted(
            (100 * pair.estimate, split_replicate(pair.model)[1])
            for pair in model_rows
            if comparison_key(pair) == comparison_key(row) and pair.estimate is not None
        )
        for row in rows
    ]
    everything = [value for seeds in by_row for value, _ in seeds]
    everything += [100 * bound for row in rows for bound in (row.low, row.high) if bound is not None]
    width = (max(everything) - min(everything)) or 1.0
    for height, (row, seeds) in enumerate(zip(reversed(rows), reversed(by_row), strict=True)):
        for (value, number), level in zip(seeds, _levels([value for value, _ in seeds], width / 45), strict=True):
            panel.text(
                value, height + 0.12 + 0.22 * level, str(number), ha="center", va="center", fontsize=8, color="0.3"
            )
        estimate = 100 * (row.estimate or 0.0)
        bounds = None if row.low is None or row.high is None else (100 * row.low, 100 * row.high)
        error = None if bounds is None else [[estimate - bounds[0]], [bounds[1] - estimate]]
        panel.errorbar([estimate], [height - 0.15], xerr=error, capsize=3, color=_INK, marker="D", markersize=5)
    panel.set_xlim(min(everything) - 0.05 * width, max(everything) + 0.05 * width)
    panel.set_yticks(range(len(rows)), [_label(row) for row in rows][::-1])
    panel.set_ylim(-0.6, len(rows) - 0.2)
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
