"""The page's figures, as SVG whose text and background follow the page's colours."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from reports.plots.plot_style import ModelStyles, add_legend
from reports.stats.attention_stats import MeasuredCell, needle_depth
from reports.stats.comparisons import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours that matplotlib writes -> the page's own colour for text, lines and background, light or dark.
_INK = "#101010"  # black is what SVG fills with unasked, so matplotlib does not write it for a marker
_PAGE_COLOURS = {
    _INK: "currentColor",
    "#000000": "currentColor",
    "#e6e6e6": "var(--line)",
    "#ffffff": "var(--paper)",
    "#4c4c4c": "var(--quiet)",  # "0.3" as matplotlib writes it
    "#4d4d4d": "var(--quiet)",
    "#808080": "var(--quiet)",
}
_INCHES_A_LETTER = 0.085
_LONGEST_LABEL = 60


def svg(figure: Figure, alternative: str, on_paper: bool = True) -> str:
    """Return a figure as an inline SVG element with `alternative` as its text for screen readers.

    White becomes the page's background unless `on_paper` is false.
    """
    import matplotlib

    buffer = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": alternative, "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for colour, page_colour in _PAGE_COLOURS.items():
        if on_paper or colour != "#ffffff":
            text = text.replace(colour, page_colour)
    label = html.escape(alternative, quote=True)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def forest_figure(rows: Sequence[Comparison], styles: ModelStyles) -> Figure | None:
    """Return a forest plot in points of accuracy: what noise costs each model, and how much less one model loses.

    None if nothing is compared.
    """
    from matplotlib.figure import Figure

    lost, more = (_shown(rows, contrast) for contrast in ("degradation", "difference_in_differences"))
    if not lost:
        return None
    stages = list(dict.fromkeys(row.stage for row in lost))
    noises = list(dict.fromkeys(row.noise for row in lost))
    lost.sort(key=lambda row: noises.index(row.noise))
    longest = max(len(lost), len(more), 4) / len(stages)
    label_lengths = [max((len(_label(row)) for row in group), default=0) for group in (lost, more)]
    width = 6.0 + _INCHES_A_LETTER * sum(label_lengths)
    panels = [(stage, kind) for stage in stages for kind in ("lost", "more")]
    figure = Figure(figsize=(width, (1.1 + 0.34 * longest) * len(stages)), layout="constrained")
    axes = figure.subplots(len(stages), 2, squeeze=False, sharex="col").flat
    for (stage, kind), panel in zip(panels, axes, strict=True):
        stage_rows = [row for row in (lost if kind == "lost" else more) if row.stage == stage]
        for height, row in enumerate(reversed(stage_rows)):
            estimate, low, high = (100 * (value or 0.0) for value in (row.estimate, row.low, row.high))
            square = {"color": _INK, "marker": "s", "markersize": 5}
            style = styles[row.model].line_kwargs() if kind == "lost" else square
            error = [[max(0.0, estimate - low)], [max(0.0, high - estimate)]]
            panel.errorbar([estimate], [height], xerr=error, capsize=3, **style)
        panel.set_yticks(range(len(stage_rows)), [_label(row) for row in stage_rows][::-1])
        panel.set_ylim(-0.6, max(len(stage_rows), 1) - 0.4)
        panel.axvline(0, color="#808080", linewidth=1)
        panel.set_title(f"{stage}: {'what noise costs' if kind == 'lost' else 'difference in loss'}")
        panel.set_xlabel("points of accuracy, 95 % interval" if stage == stages[-1] else "")
        panel.grid(axis="x", color="0.9")
        panel.set_axisbelow(True)
        panel.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _label(row: Comparison) -> str:
    """Return the label of an interval; the middle of a very long label is cut out."""
    text = f"{row.noise}: {row.model}" + (f" against {row.against}" if row.against else "")
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL // 2]} … {text[-_LONGEST_LABEL // 2 :]}"


def _shown(rows: Sequence[Comparison], contrast: str) -> list[Comparison]:
    """Return the rows of a contrast in accuracy, the means over noises first."""
    of_accuracy = [row for row in rows if row.measure == "accuracy" and row.low is not None]
    return [row for name in (f"mean_{contrast}", contrast) for row in of_accuracy if row.contrast == name]


def lift_figure(cells: Sequence[MeasuredCell], styles: ModelStyles) -> Figure | None:
    """Return the lift of the noise and of the key information by layer, mean over heads and problems.

    None if no cell with noise was measured.
    """
    import numpy
    from matplotlib.figure import Figure

    shown = [cell for cell in cells if needle_depth(cell.cell.noise) is None and cell.cell.noise != "clean"]
    if not shown:
        return None
    noises = list(dict.fromkeys(cell.cell.noise for cell in shown))
    figure = Figure(figsize=(1.5 + 2.7 * len(noises), 5.0), layout="constrained")
    panels = figure.subplots(2, len(noises), sharex=True, sharey=True, squeeze=False)
    for panel_row, (segment, title) in enumerate((("ni", "noise (NI)"), ("kmi", "key information (KMI)"))):
        for noise, panel in zip(noises, panels[panel_row], strict=True):
            for cell in (cell for cell in shown if cell.cell.noise == noise):
                lifts = numpy.nanmean(cell.lift[..., cell.segments.index(segment)], axis=(0, 2))
                panel.plot(
                    cell.layers, lifts, label=cell.cell.model, linewidth=1.5, **styles[cell.cell.model].line_kwargs()
                )
            panel.axhline(1, color="#808080", linestyle="--", linewidth=1)
            panel.set_title(f"{noise}: lift of the {title}", fontsize=10)
            panel.grid(axis="y", color="0.9")
            panel.spines[["top", "right"]].set_visible(False)
            if panel_row == 1:
                panel.set_xlabel("layer")
                panel.set_xticks(sorted({layer for cell in shown for layer in cell.layers}))
    panels[0][0].set_ylim(bottom=0)  # after all lines are drawn: the axis is shared, and this ends its autoscaling
    for panel_row in panels:
        panel_row[0].set_ylabel("lift (1 = token share)")
    add_legend(figure, panels.flat)
    return figure
