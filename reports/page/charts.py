"""The page's pictures, as SVG that takes its text and its paper from the page."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from reports.plots.plot_style import Looks, legend_of
from reports.stats.attention_stats import MeasuredCell, depth_of
from reports.stats.comparisons import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What matplotlib writes, and what the page has in its place: its own text, lines and paper, light or dark.
_INKS = {"#000000": "currentColor", "#e6e6e6": "var(--line)", "#ffffff": "var(--paper)", "#808080": "var(--quiet)"}
_INCHES_A_LETTER = 0.085
_LONGEST_LABEL = 60


def svg(figure: Figure, alternative: str, on_paper: bool = True) -> str:
    """A picture as an inline element with a text for those who do not see it; what is white in it is the page's paper,
    unless it is not drawn on that."""
    import matplotlib

    written = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": alternative, "font.family": "sans-serif"}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for ink, own in _INKS.items():
        if on_paper or ink != "#ffffff":
            text = text.replace(ink, own)
    label = html.escape(alternative, quote=True)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def forest_figure(rows: Sequence[Comparison], look: Looks) -> Figure | None:
    """What noise costs each model, and how much more it costs one than another: estimates with their intervals, in
    points of accuracy. None where nothing is compared."""
    from matplotlib.figure import Figure

    lost, more = (_shown(rows, contrast) for contrast in ("degradation", "difference_in_differences"))
    if not lost:
        return None
    stages = list(dict.fromkeys(row.stage for row in lost))
    noises = list(dict.fromkeys(row.noise for row in lost))
    lost.sort(key=lambda row: noises.index(row.noise))
    longest = max(len(lost), len(more), 4) / len(stages)
    named = [max((len(_label(row)) for row in some), default=0) for some in (lost, more)]
    width = 6.0 + _INCHES_A_LETTER * sum(named)
    panels = [(stage, kind) for stage in stages for kind in ("lost", "more")]
    figure = Figure(figsize=(width, (1.1 + 0.34 * longest) * len(stages)), layout="constrained")
    axes = figure.subplots(len(stages), 2, squeeze=False, gridspec_kw={"width_ratios": [1, 1]}).flat
    for (stage, kind), panel in zip(panels, axes, strict=True):
        some = [row for row in (lost if kind == "lost" else more) if row.stage == stage]
        for place, row in enumerate(reversed(some)):
            estimate, low, high = (100 * (value or 0.0) for value in (row.estimate, row.low, row.high))
            drawn = look[row.model].drawn() if kind == "lost" else {"color": "#000000", "marker": "s", "markersize": 5}
            panel.errorbar(
                [estimate], [place], xerr=[[max(0.0, estimate - low)], [max(0.0, high - estimate)]], capsize=3, **drawn
            )
        panel.set_yticks(range(len(some)), [_label(row) for row in some][::-1])
        panel.set_ylim(-0.6, max(len(some), 1) - 0.4)
        panel.axvline(0, color="#808080", linewidth=1)
        panel.set_title(f"{stage}: points lost" + (" less" if kind == "more" else ""))
        panel.grid(axis="x", color="0.9")
        panel.set_axisbelow(True)
        panel.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _label(row: Comparison) -> str:
    """What an interval is about; of names that are very long the middle is left out."""
    text = f"{row.noise}: {row.model}" + (f" against {row.against}" if row.against else "")
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL // 2]} … {text[-_LONGEST_LABEL // 2 :]}"


def _shown(rows: Sequence[Comparison], contrast: str) -> list[Comparison]:
    """The rows of a contrast in accuracy, the means over all noises first."""
    some = [row for row in rows if row.measure == "accuracy" and row.low is not None]
    return [row for name in (f"mean_{contrast}", contrast) for row in some if row.contrast == name]


def lift_figure(cells: Sequence[MeasuredCell], look: Looks) -> Figure | None:
    """Lift of the noise and of the key information by layer, mean over heads and problems; None where there is none."""
    import numpy
    from matplotlib.figure import Figure

    shown = [cell for cell in cells if depth_of(cell.cell.noise) is None and cell.cell.noise != "clean"]
    if not shown:
        return None
    noises = list(dict.fromkeys(cell.cell.noise for cell in shown))
    figure = Figure(figsize=(1.5 + 2.7 * len(noises), 5.0), layout="constrained")
    panels = figure.subplots(2, len(noises), sharex=True, sharey=True, squeeze=False)
    for row, (segment, title) in enumerate((("ni", "noise (NI)"), ("kmi", "key information (KMI)"))):
        for noise, panel in zip(noises, panels[row], strict=True):
            for cell in (cell for cell in shown if cell.cell.noise == noise):
                lifts = numpy.nanmean(cell.lift[..., cell.segments.index(segment)], axis=(0, 2))
                panel.plot(cell.layers, lifts, label=cell.cell.model, linewidth=1.5, **look[cell.cell.model].drawn())
            panel.axhline(1, color="#808080", linestyle="--", linewidth=1)
            panel.set_title(f"{noise}: {title}", fontsize=10)
            panel.grid(axis="y", color="0.9")
            panel.spines[["top", "right"]].set_visible(False)
            if row == 1:
                panel.set_xlabel("layer")
                panel.set_xticks(sorted({layer for cell in shown for layer in cell.layers}))
    panels[0][0].set_ylim(bottom=0)  # once all lines are there: it is shared, and ends the search for a top
    panels[0][0].set_ylabel("lift")
    panels[1][0].set_ylabel("lift")
    legend_of(figure, panels.flat)
    return figure
