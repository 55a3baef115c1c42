"""Pictures as they come out, for the tests that ask where things are drawn: colours, and texts that overlap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


def colours_at(panel: Axes, x: numpy.ndarray[Any, Any], y: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """(points, 3), from 0 to 1: the colours that a picture has at these points of a panel, in its own coordinates."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = panel.get_figure(root=True)
    assert figure is not None
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = numpy.asarray(canvas.buffer_rgba())
    points = panel.transData.transform(numpy.column_stack([x, y]))
    across, up = numpy.floor(points).astype(int).T
    return pixels[pixels.shape[0] - 1 - up, across, :3] / 255


def scale_colours(values: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """(*values.shape, 3), from 0 to 1: the colours of the diverging scale for values from -1 (blue) to 1 (red)."""
    import matplotlib

    return matplotlib.colormaps["RdBu_r"]((values + 1) / 2)[..., :3]


def overlapping(figure: Figure, texts: Sequence[Text]) -> list[tuple[str, str]]:
    """Return the pairs of level texts of which one is drawn over a part of the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    return [(a, b) for (a, first), (b, second) in combinations(boxes, 2) if first.overlaps(second)]
