"""Colours of pictures as they come out, for the tests that ask where things are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
