"""Plot interventions: what noise costs each model as a bar of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.plots.plot_style import save_png
from reports.stats.intervention_rows import InterventionRow
from reports.stats.noise_doses import noise_order
from reports.stats.parts_of_cost import Decomposition, decompositions, rows_at_floor
from reports.store.record_kinds import ACCURACY, LIKELIHOOD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The colour of each part, apart in grey as well and none of a model; the hatch of the last; and its label.
_STYLES = {
    "reading": ("#5E3C99", "", "reading: back when the noise cannot be read"),
    "displacement": ("#B2ABD2", "", "displacement: back when later words also move back"),
    "rest": ("#ffffff", "....", "neither"),
}
_INK = "#101010"
_BAR, _LANES, _BELOW = 0.54, (0.17, 0.0, -0.17), -0.38
_LONGEST_NAME = 40
_SCALES = {ACCURACY: (100.0, "points of accuracy"), LIKELIHOOD: (1.0, "nats a token of the worked answer")}


def write_intervention_plot(rows: Sequence[InterventionRow], path: Path) -> bool:
    """Write `intervention_figure` as a PNG and return whether there was one. Raises `ResultsFolderError`."""
    return save_png(intervention_figure(rows), path)


def intervention_figure(rows: Sequence[InterventionRow]) -> Figure | None:
    """Return a figure with a panel for each measure: a stacked bar for each model and noise, the total below it.

    Parts that noise costs stand right of zero, and those that it wins left of it. A model with nothing to lose in
    accuracy has no bar there. None if no model has parts.
    """
    from matplotlib.figure import Figure  # not pyplot, which selects a backend for the whole process

    at_floor = {(row.model, row.noise) for row in rows_at_floor(rows)}
    by_measure = {measure: {of_cell.cell: of_cell for of_cell in decompositions(rows, measure)} for measure in _SCALES}
    by_measure[ACCURACY] = {cell: bar for cell, bar in by_measure[ACCURACY].items() if cell not in at_floor}
    shown = {measure: bars for measure, bars in by_measure.items() if bars}
    if not shown:
        return None
    cells = sorted({cell for bars in shown.values() for cell in bars}, key=lambda cell: (noise_order(cell[1]), cell[0]))
    height = 1.6 + 0.62 * len(cells)
    figure = Figure(figsize=(3.4 + 4.1 * len(shown), height), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for panel, (measure, bars) in zip(panels, shown.items(), strict=True):
        scale, unit = _SCALES[measure]
        for row, cell in enumerate(reversed(cells)):
            if cell in bars:
                _draw(panel, bars[cell], row, scale)
        panel.axvline(0, color="#808080", linewidth=1)
        panel.set_xlabel(f"{unit} that the noise costs")
        panel.grid(axis="x", color="0.9")
        panel.set_axisbelow(True)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(cells)), [_label(*cell) for cell in reversed(cells)])
    panels[0].set_ylim(-0.75, len(cells) - 0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    figure.legend(by_label.values(), by_label.keys(), loc="outside upper left", ncols=2, frameon=False)
    figure.supxlabel("whiskers: 95 % interval of each part, from where the part begins", fontsize=9, color="0.3")
    return figure


def _draw(panel: Axes, bar: Decomposition, height: int, scale: float) -> None:
    """Draw the parts of one bar from zero outwards, each with its interval from where it begins, and the total."""
    ends = {True: 0.0, False: 0.0}  # of the parts right and left of zero
    for row, lane in zip(bar.parts, _LANES, strict=True):
        colour, hatch, label = _STYLES[row.of]
        size = scale * (row.estimate or 0.0)
        start = ends[size >= 0]
        panel.barh(
            [height], [size], _BAR, left=start, color=colour, hatch=hatch, edgecolor=_INK, linewidth=0.8, label=label
        )
        ends[size >= 0] = start + size
        _whisker(panel, row, start, height + lane, scale)
    diamond = {"marker": "D", "markersize": 5, "label": "all that the noise costs"}
    _whisker(panel, bar.total, 0.0, height + _BELOW, scale, **diamond)


def _whisker(panel: Axes, row: InterventionRow, start: float, height: float, scale: float, **style: Any) -> None:
    """Draw the interval of an estimate, in the paper's colour around it so that it shows on every bar."""
    from matplotlib.patheffects import withStroke

    estimate = scale * (row.estimate or 0.0)
    low, high = (estimate if bound is None else scale * bound for bound in (row.low, row.high))
    marker, caps, bars = panel.errorbar(
        [start + estimate],
        [height],
        xerr=[[max(0.0, estimate - low)], [max(0.0, high - estimate)]],
        color=_INK,
        capsize=2.5,
        linestyle="none",
        linewidth=1.2,
        **style,
    ).lines
    for line in bars:
        line.set_path_effects([withStroke(linewidth=3, foreground="#ffffff")])
        line.set_zorder(3)
    for artist in (marker, *caps):
        if artist is not None:  # parts have no marker
            artist.set_zorder(4)


def _label(model: str, noise: str) -> str:
    """Return the label of a bar; the middle of a very long name is cut out."""
    text = f"{noise}: {model}"
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME // 2]} … {text[-_LONGEST_NAME // 2 :]}"
