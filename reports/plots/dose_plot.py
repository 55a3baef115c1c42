"""Plot dose and response: accuracy by the number of distractors, for noises asked with several numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.plots.plot_style import ModelStyles, add_legend, model_styles, save_png
from reports.stats.accuracies import CellAccuracy
from reports.stats.noise_doses import CLEAN, split_dose

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_doses(rows: Sequence[CellAccuracy], path: Path, styles: ModelStyles | None = None) -> bool:
    """Write `dose_figure` as a PNG and return whether there was one. Raises `ResultsFolderError`."""
    return save_png(dose_figure(rows, styles), path)


def dose_figure(rows: Sequence[CellAccuracy], styles: ModelStyles | None = None) -> Figure | None:
    """Return a figure: noises with two or more doses across, stages down, one line per model.

    Each line starts at clean, which has no distractor. None if no noise has two doses.
    """
    from matplotlib.figure import Figure

    measured = [(row.stage, *split_dose(row.noise)) for row in rows if row.accuracy is not None]
    doses = {name: sorted({dose for _, other, dose in measured if other == name}) for _, name, _ in measured}
    noises = [name for name, sizes in doses.items() if len(sizes) > 1]
    stages = list(dict.fromkeys(stage for stage, name, _ in measured if name in noises))
    if not noises:
        return None
    styles = styles or model_styles(row.model for row in rows)
    figure = Figure(figsize=(1.8 + 3.2 * len(noises), 0.6 + 3.0 * len(stages)), layout="constrained")
    panels = figure.subplots(len(stages), len(noises), sharex="col", sharey=True, squeeze=False)
    for panel_row, stage in zip(panels, stages, strict=True):
        for panel, noise in zip(panel_row, noises, strict=True):
            for model in dict.fromkeys(row.model for row in rows if row.stage == stage):
                points = sorted(
                    (
                        split_dose(row.noise)[1],
                        row.accuracy,
                        row.accuracy if row.low is None else row.low,  # seeds that do not differ have no interval
                        row.accuracy if row.high is None else row.high,
                    )
                    for row in rows
                    if (row.stage, row.model) == (stage, model)
                    and split_dose(row.noise)[0] in (CLEAN, noise)
                    and row.accuracy is not None
                )
                positions, heights = [dose for dose, *_ in points], [100 * accuracy for _, accuracy, *_ in points]
                lows = [max(0.0, 100 * (accuracy - low)) for _, accuracy, low, _ in points]
                highs = [max(0.0, 100 * (high - accuracy)) for _, accuracy, _, high in points]
                panel.errorbar(
                    positions, heights, yerr=[lows, highs], label=model, capsize=3, **styles[model].line_kwargs()
                )
            panel.set_title(f"{stage}: {noise}")
            panel.set_xticks([0, *doses[noise]])
            panel.grid(axis="y", color="0.9")
            panel.set_axisbelow(True)
            panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[-1]:
        panel.set_xlabel("distractors")
    for panel_row in panels:
        panel_row[0].set_ylabel("accuracy, %")
        panel_row[0].set_ylim(-2, 102)
    add_legend(figure, panels.flat)
    return figure
