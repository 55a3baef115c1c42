"""Attention maps as pictures: who looks at what, with the distractor and the answer marked."""

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

DRAWING_VERSION = "1"
"""Raise it when a change here alters the pictures: those on disk are then drawn anew."""
PICTURE_KEY = "Comment"
"""The name of the text in a picture that carries its key."""

_COLOURS = "RdBu_r"  # told apart by every kind of colour vision
_FUTURE = "0.87"
_DISTRACTOR = "#00664A"  # dark green, of which the scale has nothing
_SHARE = 99.5  # of the values, in %, that the scale is to reach
# In inches:
_CELL, _SMALLEST_CELL = 0.17, 0.105
_SMALLEST_PANEL, _LARGEST_PANEL = 3.6, 30.0
_ABOVE = 0.6  # room for a panel's title
_LONGEST_LABEL = 24  # characters
_WHITE_SPACE = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"}


def scale_limit(maps: Sequence[AttentionMap]) -> float:
    """Where the colour scale of `maps` ends, on both sides of zero: the 99.5th percentile of the absolute values that
    are neither in a sink's column nor in the future, over all of them together."""
    import numpy

    values = [numpy.abs(map.pattern)[numpy.tril(numpy.ones_like(map.pattern, bool)) & ~_sinks(map)] for map in maps]
    together = numpy.concatenate(values)
    together = together[numpy.isfinite(together)]
    limit = float(numpy.percentile(together, _SHARE)) if together.size else 0.0
    return limit or 1.0


def picture(maps: Sequence[AttentionMap], limit: float, key: str) -> bytes:
    """`map_figure` as a PNG; `key` is put into it as text."""
    content = BytesIO()
    map_figure(maps, limit).savefig(content, format="png", dpi=130, bbox_inches="tight", metadata={PICTURE_KEY: key})
    return content.getvalue()


def map_figure(maps: Sequence[AttentionMap], limit: float) -> Figure:
    """`maps` beside each other, on one scale from −`limit` to `limit`: a panel a map, then the colour bar.

    Where no model is differential the colour bar shows the scale's positive half alone; the colours are the same.
    """
    import matplotlib
    import numpy
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure  # not pyplot, which would choose a backend for the whole process

    # Laid out in inches, as the layout engines of matplotlib let labels beside square panels overlap.
    sides = [max(_cell(map) * len(map.tokens), _SMALLEST_PANEL) for map in maps]
    labels = [0.75 + _longest_label(map) for map in maps]
    width, height = sum(sides) + sum(labels) + 1.4, _ABOVE + max(sides) + max(labels) + 0.1
    figure = Figure(figsize=(width, height))
    right = 0.0
    for map, side, label in zip(maps, sides, labels, strict=True):
        right += label + side
        place = ((right - side) / width, 1 - (_ABOVE + side) / height, side / width, side / height)
        _draw(figure.add_axes(place), map, limit)
    signed = any(map.signed for map in maps)
    colours = matplotlib.colormaps[_COLOURS]
    positive = ListedColormap(colours(numpy.linspace(0.5, 1, 256)))
    scale = ScalarMappable(Normalize(-limit if signed else 0, limit), colours if signed else positive)
    long = 0.7 * min(sides)
    beside = figure.add_axes(((right + 0.2) / width, 1 - (_ABOVE + long) / height, 0.18 / width, long / height))
    bar = figure.colorbar(scale, cax=beside, extend=_extend(maps, limit), extendfrac=0.03)
    bar.set_label("attention, A1 − λ·A2 where the model is differential" if signed else "attention")
    figure.legend(handles=list(_legend(maps)), loc="lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def shown_token(token: str) -> str:
    """A token as its label gives it: white space visible, □ for what the font does not have, a long one cut."""
    cut = token if len(token) <= _LONGEST_LABEL else f"{token[: _LONGEST_LABEL - 1]}…"
    return "".join(_WHITE_SPACE.get(character) or _in_font(character) for character in cut)


def _draw(panel: Axes, map: AttentionMap, limit: float) -> None:
    import matplotlib
    import numpy

    size = len(map.tokens)
    colours = matplotlib.colormaps[_COLOURS].with_extremes(bad=_FUTURE)
    future = numpy.triu(numpy.ones((size, size), bool), 1)
    shown = numpy.ma.masked_array(map.pattern, future)
    panel.imshow(shown, cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest")
    places = range(0, size, _label_every(map))
    labels = [shown_token(map.tokens[place]) for place in places]
    for axis, rotation in ((panel.xaxis, 90), (panel.yaxis, 0)):
        axis.set_ticks(places, labels, fontsize=_font(map), rotation=rotation, parse_math=False)
        axis.set_tick_params(length=1.5, pad=1.5)
        for place, label in zip(places, axis.get_ticklabels(), strict=True):
            if map.kinds[place] == "ni":
                label.set(color=_DISTRACTOR, fontweight="bold")
    for start, stop in _stretches(map.kinds, "ni"):
        for edge in (start - 0.5, stop - 0.5):
            panel.plot((edge, edge), (edge, size - 0.5), color=_DISTRACTOR, linewidth=0.9)  # columns: looked at
            panel.plot((-0.5, edge), (edge, edge), color=_DISTRACTOR, linewidth=0.9)  # rows: looks
        outside: dict[str, Any] = {"color": _DISTRACTOR, "linewidth": 3.5, "clip_on": False, "solid_capstyle": "butt"}
        panel.plot((start - 0.5, stop - 0.5), (size - 0.5,) * 2, **outside)
        panel.plot((-0.5, -0.5), (start - 0.5, stop - 0.5), **outside)
    for begins, _ in _stretches(map.kinds, "answer"):
        panel.plot((-0.5, begins - 0.5), (begins - 0.5,) * 2, color="black", linewidth=1.2, linestyle=(0, (5, 2)))
        panel.plot((begins - 0.5,) * 2, (begins - 0.5, size - 0.5), color="black", linewidth=1.2, linestyle=(0, (5, 2)))
    panel.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
    panel.set_xlabel("key token (looked at)")
    panel.set_ylabel("query token (looks)")
    panel.set_title(_title(map), fontsize=10, loc="left", parse_math=False)


def _title(map: AttentionMap) -> str:
    name = "".join(_in_font(character) for character in f"{map.model}, {map.noise}, problem {map.id}")
    rows = "rows sum to 1" if map.lambda_ is None else f"λ = {map.lambda_:.2f}: rows sum to {1 - map.lambda_:.2f}"
    return f"{name}\nlayer {map.layer}, head {map.head}; {rows}"


def _legend(maps: Sequence[AttentionMap]) -> Iterator[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = {kind for map in maps for kind in map.kinds}
    if "ni" in kinds:
        yield Line2D([], [], color=_DISTRACTOR, linewidth=2.5, label="the distractor's rows and columns")
    if "answer" in kinds:
        yield Line2D([], [], color="black", linewidth=1.2, linestyle=(0, (5, 2)), label="the answer begins")
    yield Patch(color=_FUTURE, label="the future, which nothing looks at")


def _extend(maps: Sequence[AttentionMap], limit: float) -> str:
    """Which ends of the scale are passed by a value, in the words of a colour bar."""
    above, below = any((map.pattern > limit).any() for map in maps), any((map.pattern < -limit).any() for map in maps)
    return {(True, True): "both", (True, False): "max", (False, True): "min"}.get((above, below), "neither")


def _cell(map: AttentionMap) -> float:
    """The side of one square, in inches: a label fits it up to about 280 tokens, beyond them one fits several."""
    size = len(map.tokens)
    return min(max(_SMALLEST_CELL, min(_CELL, 10 / size)), _LARGEST_PANEL / size)


def _label_every(map: AttentionMap) -> int:
    """Of how many neighbouring tokens one is labelled."""
    return math.ceil(_SMALLEST_CELL / _cell(map))


def _font(map: AttentionMap) -> float:
    """The size of the labels, in points."""
    return min(9.0, 72 * _cell(map) * _label_every(map) * 0.82)


def _longest_label(map: AttentionMap) -> float:
    """In inches, and rather too much: a bold character is some 0.7 of its height wide."""
    return max(len(shown_token(token)) for token in map.tokens) * _font(map) * 0.7 / 72


def _stretches(kinds: Sequence[str], wanted: str) -> Iterator[tuple[int, int]]:
    """Half-open ranges of neighbouring tokens of the kind."""
    for kind, numbered in groupby(enumerate(kinds), key=lambda pair: pair[1]):
        if kind == wanted:
            places = [place for place, _ in numbered]
            yield places[0], places[-1] + 1


def _sinks(map: AttentionMap) -> numpy.ndarray[Any, Any]:
    """(1, tokens): the columns of the sink; the first one where no token is called so."""
    import numpy

    columns = numpy.array([kind == "sink" for kind in map.kinds])
    columns[0] |= not columns.any()
    return columns[None, :]


def _in_font(character: str) -> str:
    from matplotlib.font_manager import findfont, get_font

    return (
        character
        if character.isprintable() and get_font(findfont("DejaVu Sans")).get_char_index(ord(character))
        else "□"
    )
