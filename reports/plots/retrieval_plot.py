"""Plot the retrieval test: lift of the needle and of the noise by the depth of the needle."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from reports.plots.plot_style import ModelStyles, add_legend, model_styles, save_png
from reports.stats.retrieval_stats import PARTS, RetrievalPoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLES = {
    "needle": "lift of the needle: what the problem states",
    "noise": "lift of the noise: eight distractors around it",
}


def write_retrieval(points: Sequence[RetrievalPoint], path: Path, styles: ModelStyles | None = None) -> None:
    """Write the figure as a PNG. Raises `ResultsFolderError`, and `ValueError` if there is no point."""
    save_png(retrieval_figure(points, styles), path)


def retrieval_figure(points: Sequence[RetrievalPoint], styles: ModelStyles | None = None) -> Figure:
    """Return a figure with a panel for the needle and one for the noise. Raises `ValueError` if there is no point."""
    from matplotlib.figure import Figure  # not pyplot, which selects a backend for the whole process

    if not points:
        raise ValueError("expected at least one retrieval cell to draw, found none")
    points = [point for point in points if point.measure == "lift"]
    models, depths = list(dict.fromkeys(point.model for point in points)), sorted({point.depth for point in points})
    styles = styles or model_styles(models)
    spacing = min((after - before for before, after in pairwise(depths)), default=10)
    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    panels = figure.subplots(1, len(PARTS), sharey=True)
    for panel, part in zip(panels, PARTS, strict=True):
        for number, model in enumerate(models):
            curve = sorted((p for p in points if (p.model, p.part) == (model, part)), key=lambda point: point.depth)
            shift = (number - (len(models) - 1) / 2) * 0.06 * spacing  # so that no bar hides another
            panel.errorbar(
                [point.depth + shift for point in curve],
                [point.mean for point in curve],
                yerr=[1.96 * (point.std or 0.0) / point.n**0.5 for point in curve],
                label=model,
                **styles[model].line_kwargs(),
                capsize=4,
            )
        panel.axhline(1, color="0.5", linestyle="--", linewidth=1)
        panel.set_title(_TITLES[part])
        panel.set_xticks(depths)
        panel.set_xlabel("depth of the needle, %")
        panel.set_ylim(bottom=0)
        panel.grid(axis="y", color="0.9")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("lift (1 = as its length would give)")
    add_legend(figure, panels)
    caption = (
        "depth: how many of the distractors are in front of the needle; "
        "bars: 95 % interval of the mean over problems (1.96 · std / √n)"
    )
    figure.supxlabel(caption, fontsize=9, color="0.3")
    return figure
