"""Draw attention maps: query × key, with the distractor and the start of the answer marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reports.plots.attention_maps import AttentionMap

DRAWING_VERSION = "3"
"""Raise this when a change here alters the pictures: the pictures on disk are then redrawn."""
PICTURE_KEY = "Comment"
"""Name of the PNG text chunk that carries a picture's key."""

_COLOURS = "RdBu_r"  # safe for colour-blind readers
_FUTURE = "0.87"
_DISTRACTOR = "#00664A"  # dark green, which the colour scale does not contain
_SCALE_PERCENTILE = 99.5  # of the absolute values; where the colour scale ends
# In inches:
_CELL, _SMALLEST_LABEL = 0.17, 0.105
_SMALLEST_PANEL, _LARGEST_PANEL, _SIDE_OF_SEVERAL = 3.6, 30.0, 5.2
_IN_A_ROW = 2  # maps
_TITLE_HEIGHT = 0.6
_LONGEST_LABEL = 24  # characters
_WHITE_SPACE = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"}


def scale_limit(maps: Sequence[AttentionMap]) -> float:
    """Return the end of the colour scale that `maps` share, on both sides of zero.

    It is the 99.5th percentile of the absolute values over all maps. The sink's column and the future are left out.
    """
    import numpy

    visible = [
        numpy.abs(each.pattern)[numpy.tril(numpy.ones_like(each.pattern, bool)) & ~_sink_columns(each)] for each in maps
    ]
    values = numpy.concatenate(visible)
    values = values[numpy.isfinite(values)]
    limit = float(numpy.percentile(values, _SCALE_PERCENTILE)) if values.size else 0.0
    return limit or 1.0


def picture(maps: Sequence[AttentionMap], limit: float, key: str) -> bytes:
    """Return `map_figure` as a PNG that carries `key` as text."""
    content = BytesIO()
    map_figure(maps, limit).savefig(content, format="png", dpi=130, bbox_inches="tight", metadata={PICTURE_KEY: key})
    return content.getvalue()


def map_figure(maps: Sequence[AttentionMap], limit: float) -> Figure:
    """Draw `maps` in rows of two on one scale from −`limit` to `limit`: one panel per map, then the colour bar.

    Several maps are drawn smaller than one, and fewer of their tokens have a label, in letters that can be read.

    If no model is differential, the colour bar shows only the positive half of the scale; the colours are the same.
    """
    import matplotlib
    import numpy
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure  # not pyplot, which selects a backend for the whole process

    # Laid out by hand, in inches: matplotlib's layout engines let the labels of square panels overlap.
    sides = [_side(each, alone=len(maps) == 1) for each in maps]
    labels = [0.75 + _longest_label(each, side) for each, side in zip(maps, sides, strict=True)]
    rows = [range(first, min(first + _IN_A_ROW, len(maps))) for first in range(0, len(maps), _IN_A_ROW)]
    heights = [_TITLE_HEIGHT + max(sides[number] + labels[number] for number in row) for row in rows]
    widths = [sum(sides[number] + labels[number] for number in row) for row in rows]
    width, height = max(widths) + 1.4, sum(heights) + 0.4
    figure = Figure(figsize=(width, height))
    top = height
    for row, row_height in zip(rows, heights, strict=True):
        right = 0.0
        for number in row:
            side = sides[number]
            right += labels[number] + side
            box = ((right - side) / width, (top - _TITLE_HEIGHT - side) / height, side / width, side / height)
            _draw_panel(figure.add_axes(box), maps[number], limit, side)
        top -= row_height
    right = max(widths)
    signed = any(each.signed for each in maps)
    colours = matplotlib.colormaps[_COLOURS]
    positive = ListedColormap(colours(numpy.linspace(0.5, 1, 256)))
    scale = ScalarMappable(Normalize(-limit if signed else 0, limit), colours if signed else positive)
    bar_height = 0.7 * min(sides)
    bar_axes = figure.add_axes(
        ((right + 0.2) / width, 1 - (_TITLE_HEIGHT + bar_height) / height, 0.18 / width, bar_height / height)
    )
    bar = figure.colorbar(scale, cax=bar_axes, extend=_extend(maps, limit), extendfrac=0.03)
    bar.set_label("attention, A1 − λ·A2 where the model is differential" if signed else "attention")
    figure.legend(handles=list(_legend(maps)), loc="lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def shown_token(token: str) -> str:
    """Return the label of a token: white space made visible, □ for characters the font lacks, long tokens cut."""
    cut = token if len(token) <= _LONGEST_LABEL else f"{token[: _LONGEST_LABEL - 1]}…"
    return "".join(_WHITE_SPACE.get(character) or _in_font(character) for character in cut)


def _draw_panel(panel: Axes, attention_map: AttentionMap, limit: float, side: float) -> None:
    import matplotlib
    import numpy

    size = len(attention_map.tokens)
    colours = matplotlib.colormaps[_COLOURS].with_extremes(bad=_FUTURE)
    future = numpy.triu(numpy.ones((size, size), bool), 1)
    shown = numpy.ma.masked_array(attention_map.pattern, future)
    panel.imshow(shown, cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest")
    positions = range(0, size, _label_every(attention_map, side))
    labels = [shown_token(attention_map.tokens[position]) for position in positions]
    for axis, rotation in ((panel.xaxis, 90), (panel.yaxis, 0)):
        axis.set_ticks(positions, labels, fontsize=_font_size(attention_map, side), rotation=rotation, parse_math=False)
        axis.set_tick_params(length=1.5, pad=1.5)
        for position, label in zip(positions, axis.get_ticklabels(), strict=True):
            if attention_map.kinds[position] == "ni":
                label.set(color=_DISTRACTOR, fontweight="bold")
    for start, stop in _runs(attention_map.kinds, "ni"):
        for edge in (start - 0.5, stop - 0.5):
            panel.plot((edge, edge), (edge, size - 0.5), color=_DISTRACTOR, linewidth=0.9)  # columns: keys
            panel.plot((-0.5, edge), (edge, edge), color=_DISTRACTOR, linewidth=0.9)  # rows: queries
        margin_line: dict[str, Any] = {"color": _DISTRACTOR, "linewidth": 3.5, "solid_capstyle": "butt"}
        panel.plot((start - 0.5, stop - 0.5), (size - 0.5,) * 2, clip_on=False, **margin_line)
        panel.plot((-0.5, -0.5), (start - 0.5, stop - 0.5), clip_on=False, **margin_line)
    dashes: dict[str, Any] = {"color": "black", "linewidth": 1.2, "linestyle": (0, (5, 2))}
    for answer_start, _ in _runs(attention_map.kinds, "answer"):
        edge = answer_start - 0.5
        panel.plot((-0.5, edge), (edge, edge), **dashes)
        panel.plot((edge, edge), (edge, size - 0.5), **dashes)
    panel.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
    panel.set_xlabel("key token (attended to)")
    panel.set_ylabel("query token (attending)")
    panel.set_title(_title(attention_map), fontsize=10, loc="left", parse_math=False)


def _title(attention_map: AttentionMap) -> str:
    names = f"{attention_map.model}, {attention_map.noise}, problem {attention_map.id}"
    name = "".join(_in_font(character) for character in names)
    rows = _sums_of_rows(attention_map)
    chosen = f" ({attention_map.chosen_for})" if attention_map.chosen_for else ""
    return f"{name}\nlayer {attention_map.layer}, head {attention_map.head}{chosen}; {rows}"


def _sums_of_rows(attention_map: AttentionMap) -> str:
    """Return in words what the rows of a pattern sum to."""
    if not attention_map.signed:
        return "rows sum to 1"
    if attention_map.lambda_ is not None:
        return f"λ = {attention_map.lambda_:.2f}: rows sum to {1 - attention_map.lambda_:.2f}"
    lambdas = 1 - attention_map.pattern.sum(axis=1)
    return f"λ from {lambdas.min():.2f} to {lambdas.max():.2f} by token: rows sum to 1 − λ"


def _legend(maps: Sequence[AttentionMap]) -> Iterator[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = {kind for each in maps for kind in each.kinds}
    if "ni" in kinds:
        yield Line2D([], [], color=_DISTRACTOR, linewidth=2.5, label="the distractor's rows and columns")
    if "answer" in kinds:
        yield Line2D([], [], color="black", linewidth=1.2, linestyle=(0, (5, 2)), label="the answer begins")
    yield Patch(color=_FUTURE, label="future tokens (masked)")


def _extend(maps: Sequence[AttentionMap], limit: float) -> str:
    """Return which ends of the scale some value exceeds, as `extend` of a colour bar."""
    above = any((each.pattern > limit).any() for each in maps)
    below = any((each.pattern < -limit).any() for each in maps)
    return {(True, True): "both", (True, False): "max", (False, True): "min"}.get((above, below), "neither")


def _side(attention_map: AttentionMap, alone: bool) -> float:
    """Return the side of a panel, in inches. Of a map drawn alone, up to about 280 tokens each square fits a label."""
    if not alone:
        return _SIDE_OF_SEVERAL
    size = len(attention_map.tokens)
    square = min(max(_SMALLEST_LABEL, min(_CELL, 10 / size)), _LARGEST_PANEL / size)
    return max(square * size, _SMALLEST_PANEL)


def _label_every(attention_map: AttentionMap, side: float) -> int:
    """Return n where every n-th token is labelled."""
    return math.ceil(_SMALLEST_LABEL * len(attention_map.tokens) / side)


def _font_size(attention_map: AttentionMap, side: float) -> float:
    """Return the font size of the labels, in points."""
    room = side / len(attention_map.tokens) * _label_every(attention_map, side)
    return min(9.0, 72 * room * 0.82)


def _longest_label(attention_map: AttentionMap, side: float) -> float:
    """Return an upper bound in inches: a bold character is about 0.7 of its height wide."""
    return max(len(shown_token(token)) for token in attention_map.tokens) * _font_size(attention_map, side) * 0.7 / 72


def _runs(kinds: Sequence[str], wanted: str) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges of adjacent tokens of one kind."""
    for kind, numbered in groupby(enumerate(kinds), key=lambda pair: pair[1]):
        if kind == wanted:
            positions = [position for position, _ in numbered]
            yield positions[0], positions[-1] + 1


def _sink_columns(attention_map: AttentionMap) -> numpy.ndarray[Any, Any]:
    """Return a mask, (1, tokens), of the sink's columns; the first column if no token is of the kind `sink`."""
    import numpy

    columns = numpy.array([kind == "sink" for kind in attention_map.kinds])
    columns[0] |= not columns.any()
    return columns[None, :]


def _in_font(character: str) -> str:
    from matplotlib.font_manager import findfont, get_font

    return (
        character
        if character.isprintable() and get_font(findfont("DejaVu Sans")).get_char_index(ord(character))
        else "□"
    )
