"""Plot the distractor's lift in each head: models down, noises across, layer × head in each panel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.plots.plot_style import save_png
from reports.stats.attention_stats import AttentionRow, needle_depth

if TYPE_CHECKING:
    import numpy
    from matplotlib.axes import Axes
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.figure import Figure

_PRINTED_UP_TO = 8  # layers or heads; a larger grid has no figures in its squares
_COLOURS = "RdBu_r"  # safe for colour-blind readers
#: How far the colours go at least and at most, on each side of 1.
_SCALE_START = 0.5
_SCALE_END = 4.0  # in powers of two: colours saturate at a sixteenth and at sixteenfold
_EXTEND = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}
_TICKS = {-4: "1/16", -3: "⅛", -2: "¼", -1: "½", 0: "1", 1: "2", 2: "4", 3: "8", 4: "16"}


def has_heatmap_data(rows: Sequence[AttentionRow]) -> bool:
    """Return whether there is anything to draw: a cell with noise outside the retrieval test."""
    return bool(_head_lifts(rows))


def write_heatmap(rows: Sequence[AttentionRow], path: Path) -> None:
    """Write `heat_figure` as a PNG. Raises `ResultsFolderError`, and `ValueError` if there is no cell with noise."""
    save_png(heat_figure(rows), path)


def heat_figure(rows: Sequence[AttentionRow]) -> Figure:
    """Return a figure: one panel per model and noise, and a colour bar.

    Raises `ValueError` if there is no cell with noise.
    """
    import numpy
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.figure import Figure  # not pyplot, which selects a backend for the whole process

    shown = _head_lifts(rows)
    if not shown:
        raise ValueError("expected at least one cell with noise to draw, found none")
    models, noises = list(dict.fromkeys(row.model for row in shown)), list(dict.fromkeys(row.noise for row in shown))
    grids = {
        (model, noise): _grid([row for row in shown if (row.model, row.noise) == (model, noise)])
        for model in models
        for noise in noises
    }
    steps = numpy.concatenate([numpy.log2(numpy.maximum(grid, 1e-9)).ravel() for *_, grid in grids.values()])
    low, high = (float(numpy.nanpercentile(steps, share)) for share in (1, 99))
    low, high = max(-_SCALE_END, min(-_SCALE_START, low)), min(_SCALE_END, max(_SCALE_START, high))
    scale = TwoSlopeNorm(0, low, high)
    widest, highest = (max(grid.shape[axis] for *_, grid in grids.values()) for axis in (1, 0))
    printed = max(widest, highest) <= _PRINTED_UP_TO  # a square with a figure in it needs more room
    width = max(2.4, 0.5 + (0.36 if printed else 0.2) * widest)
    height = max(1.9, 0.8 + (0.3 if printed else 0.2) * highest)
    size = (1.4 + width * len(noises), 1.0 + height * len(models))
    figure = Figure(figsize=(max(size[0], 6.4), size[1]), layout="constrained")
    panels = figure.subplots(len(models), len(noises), squeeze=False)
    for (model, noise), panel in zip(grids, panels.flat, strict=True):
        _draw_panel(panel, *grids[model, noise], scale)
        panel.set_title(f"{model}, {noise}", fontsize=10)
        panel.set_ylabel("layer (deeper →)" if noise == noises[0] else "", fontsize=9)
    ticks = [step for step in _TICKS if low <= step <= high]
    beyond = (bool((steps < low).any()), bool((steps > high).any()))
    bar = figure.colorbar(ScalarMappable(scale, _COLOURS), ax=panels, ticks=ticks, extend=_EXTEND[beyond], pad=0.02)
    bar.ax.set_yscale("linear")  # as much of the bar as there is of the range
    bar.ax.set_yticks(ticks, [_TICKS[step] for step in ticks])
    bar.set_label("lift of the noise (1 = its share of the tokens)")
    figure.suptitle("lift of the noise in each layer and head, mean over problems", fontsize=11)
    return figure


def _head_lifts(rows: Sequence[AttentionRow]) -> list[AttentionRow]:
    return [
        row
        for row in rows
        if (row.measure, row.segment) == ("lift", "ni") and row.head is not None and needle_depth(row.noise) is None
    ]


def _grid(rows: Sequence[AttentionRow]) -> tuple[list[int], list[int], numpy.ndarray[Any, Any]]:
    """Return the layers, the heads, and their mean lift, (layers, heads), NaN where there is none."""
    import numpy

    layers = sorted({row.layer for row in rows if row.layer is not None})
    heads = sorted({row.head for row in rows if row.head is not None})
    lifts = {(row.layer, row.head): row.mean for row in rows}
    grid = [[lifts.get((layer, head), numpy.nan) for head in heads] for layer in layers]
    return layers, heads, numpy.array(grid).reshape(len(layers), len(heads))


def _draw_panel(
    panel: Axes, layers: list[int], heads: list[int], grid: numpy.ndarray[Any, Any], scale: TwoSlopeNorm
) -> None:
    """Draw one panel, layers upwards; it reads "not measured" if the model has no cell with this noise."""
    import numpy

    if not grid.size:
        panel.text(0.5, 0.5, "not measured", ha="center", va="center", color="0.4", transform=panel.transAxes)
        panel.set_xticks([])
        panel.set_yticks([])
        return
    steps = numpy.log2(numpy.maximum(grid, 1e-9))
    panel.imshow(steps, cmap=_COLOURS, norm=scale, origin="lower", aspect="auto")
    panel.set_xlabel("head", fontsize=9)
    for axis, numbers in ((panel.xaxis, heads), (panel.yaxis, layers)):
        every = max(1, -(-len(numbers) // 16))
        axis.set_ticks(range(0, len(numbers), every), [str(number) for number in numbers[::every]], fontsize=8)
    if max(grid.shape) <= _PRINTED_UP_TO:
        for (layer, head), value in numpy.ndenumerate(grid):
            colour = "white" if abs(float(scale(steps[layer, head])) - 0.5) > 0.33 else "#111111"
            panel.text(head, layer, _short(value), ha="center", va="center", fontsize=8, color=colour)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"
