"""Accuracies as a picture: models by noises, points with their intervals, a panel for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from reports.plots.plot_style import Look, Looks, legend_of, looks
from reports.stats.accuracies import CellAccuracy
from reports.stats.noise_doses import by_dose
from reports.store.atomic_io import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_plot(rows: Sequence[CellAccuracy], path: Path, look: Looks | None = None) -> None:
    """Draws the rows into a PNG. Raises `ResultsFolderError`; `ValueError` where there is no row."""
    picture = BytesIO()
    accuracy_figure(rows, look).savefig(picture, format="png", dpi=150)
    write_atomically(path, picture.getvalue())


def accuracy_figure(rows: Sequence[CellAccuracy], look: Looks | None = None) -> Figure:
    """A panel for each stage; `look` is each model's, or that among the models of these rows. Raises `ValueError` where
    there is no row."""
    from matplotlib.figure import Figure  # not pyplot, which would choose a backend for the whole process

    if not rows:
        raise ValueError("expected at least one cell to plot, found none")
    stages = [(stage, list(of_stage)) for stage, of_stage in groupby(rows, key=lambda row: row.stage)]
    models = list(dict.fromkeys(row.model for row in rows))
    look = look or looks(models)
    figure = Figure(figsize=(1.5 + 5.5 * len(stages), 4.2), layout="constrained")
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    for panel, (stage, of_stage) in zip(panels, stages, strict=True):
        noises = sorted({row.noise for row in of_stage}, key=by_dose)
        beside = [model for model in models if any(row.model == model for row in of_stage)]
        for place, model in enumerate(beside):
            shift = (place - (len(beside) - 1) / 2) * min(0.2, 0.8 / len(beside))
            shown = [row for row in of_stage if row.model == model and row.accuracy is not None]
            _draw(panel, shown, [noises.index(row.noise) + shift for row in shown], look[model])
        panel.set_xticks(range(len(noises)), noises)
        panel.set_xlim(-0.5, len(noises) - 0.5)
        panel.set_title(stage)
        panel.grid(axis="y", color="0.9")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylim(-2, 102)
    panels[0].set_ylabel("accuracy, % (bars: 95 % Wilson interval)")
    legend_of(figure, panels)
    return figure


def _draw(panel: Axes, rows: Sequence[CellAccuracy], places: Sequence[float], look: Look) -> None:
    """One model's points with their intervals."""
    heights, below, above = [], [], []
    for row in rows:
        accuracy, low, high = (100 * (value or 0.0) for value in (row.accuracy, row.low, row.high))
        heights.append(accuracy)
        below.append(max(0.0, accuracy - low))  # the bounds may miss the point by a rounding error
        above.append(max(0.0, high - accuracy))
    panel.errorbar(
        places,
        heights,
        yerr=[below, above],
        label=rows[0].model if rows else None,
        **look.drawn(),
        linestyle="none",
        capsize=4,
    )
