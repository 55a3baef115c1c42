"""Dose and response: accuracy by the number of distractors, where a noise was asked with more than one number."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from reports.plots.plot_style import Looks, legend_of, looks
from reports.stats.accuracies import CellAccuracy
from reports.stats.noise_doses import CLEAN, dose_of
from reports.store.atomic_io import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_doses(rows: Sequence[CellAccuracy], path: Path, look: Looks | None = None) -> bool:
    """Draws `dose_figure` into a PNG, if there is one. Raises `ResultsFolderError`."""
    figure = dose_figure(rows, look)
    if figure is None:
        return False
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    write_atomically(path, picture.getvalue())
    return True


def dose_figure(rows: Sequence[CellAccuracy], look: Looks | None = None) -> Figure | None:
    """A panel for each noise with two or more doses, a row of them for each stage, a line for each model from clean, no
    distractor, on. None where no noise has two doses."""
    from matplotlib.figure import Figure

    asked = [(row.stage, *dose_of(row.noise)) for row in rows if row.accuracy is not None]
    doses = {name: sorted({dose for _, other, dose in asked if other == name}) for _, name, _ in asked}
    noises = [name for name, some in doses.items() if len(some) > 1]
    stages = list(dict.fromkeys(stage for stage, name, _ in asked if name in noises))
    if not noises:
        return None
    look = look or looks(row.model for row in rows)
    figure = Figure(figsize=(1.8 + 3.2 * len(noises), 0.6 + 3.0 * len(stages)), layout="constrained")
    panels = figure.subplots(len(stages), len(noises), sharex="col", sharey=True, squeeze=False)
    for line, stage in zip(panels, stages, strict=True):
        for panel, noise in zip(line, noises, strict=True):
            for model in dict.fromkeys(row.model for row in rows if row.stage == stage):
                points = sorted(
                    (dose_of(row.noise)[1], row.accuracy, row.low, row.high)
                    for row in rows
                    if (row.stage, row.model) == (stage, model)
                    and dose_of(row.noise)[0] in (CLEAN, noise)
                    and row.accuracy is not None
                    and row.low is not None
                    and row.high is not None
                )
                places, heights = [dose for dose, *_ in points], [100 * accuracy for _, accuracy, *_ in points]
                lows = [max(0.0, 100 * (accuracy - low)) for _, accuracy, low, _ in points]
                highs = [max(0.0, 100 * (high - accuracy)) for _, accuracy, _, high in points]
                panel.errorbar(places, heights, yerr=[lows, highs], label=model, capsize=3, **look[model].drawn())
            panel.set_title(f"{stage}: {noise}")
            panel.set_xticks([0, *doses[noise]])
            panel.grid(axis="y", color="0.9")
            panel.set_axisbelow(True)
            panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[-1]:
        panel.set_xlabel("distractors")
    for line in panels:
        line[0].set_ylabel("accuracy, %")
        line[0].set_ylim(-2, 102)
    legend_of(figure, panels.flat)
    return figure
