"""Plot accuracies: noises across, one colour per model, points with intervals, one panel per stage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from reports.plots.plot_style import ModelStyle, ModelStyles, add_legend, model_styles, save_png
from reports.stats.accuracies import CellAccuracy
from reports.stats.noise_doses import noise_order
from reports.store.replicates import split_replicate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Names of noises that are longer together do not fit side by side below a panel.
_MOST_CHARACTERS = 45


def write_accuracy_plot(
    rows: Sequence[CellAccuracy],
    path: Path,
    styles: ModelStyles | None = None,
    seeds: Sequence[CellAccuracy] = (),
) -> None:
    """Write `accuracy_figure` as a PNG. Raises `ResultsFolderError`, and `ValueError` if there is no row."""
    save_png(accuracy_figure(rows, styles, seeds), path)


def accuracy_figure(
    rows: Sequence[CellAccuracy], styles: ModelStyles | None = None, seeds: Sequence[CellAccuracy] = ()
) -> Figure:
    """Return a figure with one panel per stage.

    `styles` defaults to styles for the models of these rows. `seeds` are the accuracies of the replicates whose means
    are among the rows: a pale dot each. Raises `ValueError` if there is no row.
    """
    from matplotlib.figure import Figure  # not pyplot, which selects a backend for the whole process

    if not rows:
        raise ValueError("expected at least one cell to plot, found none")
    stages = [(stage, list(of_stage)) for stage, of_stage in groupby(rows, key=lambda row: row.stage)]
    models = list(dict.fromkeys(row.model for row in rows))
    styles = styles or model_styles(models)
    figure = Figure(figsize=(1.5 + 5.5 * len(stages), 4.2), layout="constrained")
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    for panel, (stage, of_stage) in zip(panels, stages, strict=True):
        noises = sorted({row.noise for row in of_stage}, key=noise_order)
        stage_models = [model for model in models if any(row.model == model for row in of_stage)]
        for number, model in enumerate(stage_models):
            shift = (number - (len(stage_models) - 1) / 2) * min(0.2, 0.8 / len(stage_models))
            shown = [row for row in of_stage if row.model == model and row.accuracy is not None]
            _draw_model(panel, shown, [noises.index(row.noise) + shift for row in shown], styles[model])
            of_seeds = [
                (noises.index(row.noise) + shift - 0.09, 100 * row.accuracy)
                for row in seeds
                if (row.stage, split_replicate(row.model)[0]) == (stage, model) and row.accuracy is not None
            ]
            for position, height in of_seeds:
                panel.plot(position, height, ".", color=styles[model].colour, alpha=0.5, markersize=4)
        crowded = sum(map(len, noises)) > _MOST_CHARACTERS
        panel.set_xticks(range(len(noises)), noises, **({"rotation": 30, "ha": "right"} if crowded else {}))
        panel.set_xlim(-0.5, len(noises) - 0.5)
        panel.set_title(stage)
        panel.grid(axis="y", color="0.9")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylim(-2, 102)
    means = "; dots: seeds" if seeds else ""
    panels[0].set_ylabel(f"accuracy, % (bars: 95 % interval{means})")
    add_legend(figure, panels)
    return figure


def _draw_model(panel: Axes, rows: Sequence[CellAccuracy], positions: Sequence[float], style: ModelStyle) -> None:
    """Draw one model's points with their intervals."""
    heights, below, above = [], [], []
    for row in rows:
        accuracy = 100 * (row.accuracy or 0.0)
        # Seeds that do not differ have no interval.
        low, high = (accuracy if bound is None else 100 * bound for bound in (row.low, row.high))
        heights.append(accuracy)
        below.append(max(0.0, accuracy - low))  # rounding may put a bound beyond the point
        above.append(max(0.0, high - accuracy))
    panel.errorbar(
        positions,
        heights,
        yerr=[below, above],
        label=rows[0].model if rows else None,
        **style.line_kwargs(),
        linestyle="none",
        capsize=4,
    )
