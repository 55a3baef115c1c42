"""What stands where in a picture of attention maps, asked of the figure before it is a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy
import pytest

from reports.plots.attention_map_plot import map_figure
from reports.plots.attention_maps import AttentionMap
from tests.reports.attention_factories import attention_map
from tests.reports.rendered_figures import colours_at, scale_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

pytestmark = pytest.mark.quick

SIZE = 10
KINDS = ("sink", "kmi", "ni", "ni", "oc", "ni", "kmi", "oc", "answer", "answer")
TOKENS = tuple("abcdefghij")
GREEN = "#00664A"

Segments = set[tuple[tuple[float, float], tuple[float, float]]]


def made(*, signed: bool = False, **changed: object) -> AttentionMap:
    """No two squares of the pattern are alike, the future included."""
    values = numpy.random.default_rng(5).permutation(SIZE * SIZE).reshape(SIZE, SIZE) / SIZE**2
    pattern = (values - 0.4 * signed).astype(numpy.float32)
    return attention_map(30, signed=signed, **{"tokens": TOKENS, "kinds": KINDS, "pattern": pattern, **changed})


def panel_of(map: AttentionMap, limit: float = 1.0) -> Axes:
    return map_figure([map], limit).axes[0]


def drawn_lines(panel: Axes, *, colour: str, width: float) -> Segments:
    """From and to in x, and from and to in y, of the lines of that colour and width."""
    return {
        (tuple(map(float, line.get_xdata())), tuple(map(float, line.get_ydata())))
        for line in panel.lines
        if (line.get_color(), line.get_linewidth()) == (colour, width)
    }


@pytest.mark.parametrize("signed", [True, False])
def test_the_image_is_the_pattern_without_the_future(signed: bool) -> None:
    map = made(signed=signed)
    image = panel_of(map).images[0].get_array()
    assert isinstance(image, numpy.ma.MaskedArray)
    future = numpy.arange(SIZE)[None, :] > numpy.arange(SIZE)[:, None]
    assert numpy.array_equal(numpy.ma.getmaskarray(image), future)
    assert numpy.array_equal(image.data[~future], map.pattern[~future])


@pytest.mark.parametrize("signed", [True, False])
def test_each_square_has_the_colour_of_its_query_and_key(signed: bool) -> None:
    """Asked of the rendered picture: x is the key, y the query, whatever way the image was handed over."""
    map, limit = made(signed=signed), 0.8
    panel = panel_of(map, limit)
    queries, keys = numpy.indices((SIZE, SIZE))
    found = colours_at(panel, keys.ravel(), queries.ravel()).reshape(SIZE, SIZE, 3)
    wanted = scale_colours(map.pattern / limit)
    wanted[numpy.triu_indices(SIZE, 1)] = 0.87
    assert numpy.abs(found - wanted).max() < 0.02


def test_queries_go_down_and_keys_to_the_right() -> None:
    panel = panel_of(made())
    first, last = panel.transData.transform([(0, 0), (SIZE - 1, SIZE - 1)])
    assert first[0] < last[0]
    assert first[1] > last[1]
    assert panel.get_xlabel() == "key token (attended to)"
    assert panel.get_ylabel() == "query token (attending)"


def test_every_token_stands_at_its_place_on_both_axes() -> None:
    panel = panel_of(made())
    for axis in (panel.xaxis, panel.yaxis):
        assert list(axis.get_ticklocs()) == list(range(SIZE))
        assert [label.get_text() for label in axis.get_ticklabels()] == list(TOKENS)


def test_the_labels_of_a_long_text_stand_at_the_tokens_they_name() -> None:
    size = 500
    tokens = tuple(f"t{number}" for number in range(size))
    pattern = numpy.tril(numpy.full((size, size), 1 / size, numpy.float32))
    kinds = ("sink", *["oc"] * 299, *["ni"] * 100, *["oc"] * 100)
    panel = panel_of(attention_map(30, tokens=tokens, kinds=kinds, pattern=pattern))
    for axis in (panel.xaxis, panel.yaxis):
        positions = list(axis.get_ticklocs())
        assert [label.get_text() for label in axis.get_ticklabels()] == [f"t{position:.0f}" for position in positions]
        bold = [position for position, label in zip(positions, axis.get_ticklabels(), strict=True) if is_marked(label)]
        assert bold == [position for position in positions if 300 <= position < 400]
        assert len(bold) > 20


def test_the_distractor_s_labels_and_no_others_are_green_and_bold() -> None:
    panel = panel_of(made())
    for axis in (panel.xaxis, panel.yaxis):
        marked = [position for position, label in enumerate(axis.get_ticklabels()) if is_marked(label)]
        assert marked == [2, 3, 5]
        plain = [label for position, label in enumerate(axis.get_ticklabels()) if position not in marked]
        assert {(label.get_color(), label.get_fontweight()) for label in plain} == {("black", "normal")}


def is_marked(label: Text) -> bool:
    return (label.get_color(), label.get_fontweight()) == (GREEN, "bold")


def test_the_frame_is_around_the_distractor_s_rows_and_columns() -> None:
    """Two stretches, tokens 2 to 3 and token 5: lines end at the diagonal, and a thick one runs along each axis."""
    panel = panel_of(made())
    columns = {((edge, edge), (edge, 9.5)) for edge in (1.5, 3.5, 4.5, 5.5)}
    rows = {((-0.5, edge), (edge, edge)) for edge in (1.5, 3.5, 4.5, 5.5)}
    assert drawn_lines(panel, colour=GREEN, width=0.9) == columns | rows
    below = {((1.5, 3.5), (9.5, 9.5)), ((4.5, 5.5), (9.5, 9.5))}
    beside = {((-0.5, -0.5), (1.5, 3.5)), ((-0.5, -0.5), (4.5, 5.5))}
    assert drawn_lines(panel, colour=GREEN, width=3.5) == below | beside


def test_dashes_mark_where_the_answer_begins() -> None:
    panel = panel_of(made())
    assert drawn_lines(panel, colour="black", width=1.2) == {((-0.5, 7.5), (7.5, 7.5)), ((7.5, 7.5), (7.5, 9.5))}


def test_a_text_without_distractor_or_answer_has_no_lines_and_no_word_of_them() -> None:
    figure = map_figure([made(kinds=("sink", *["oc"] * (SIZE - 1)))], 1.0)
    assert not figure.axes[0].lines
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["future tokens (masked)"]
    assert len(map_figure([made()], 1.0).legends[0].get_texts()) == 3


def test_maps_stand_beside_each_other_in_their_order_on_one_scale() -> None:
    one, two = made(signed=True, layer=3, head=2), made(pattern=numpy.eye(SIZE, dtype=numpy.float32), layer=5, head=0)
    left, right, bar = map_figure([one, two], 0.25).axes
    assert left.get_position().x1 < right.get_position().x0 < bar.get_position().x0
    assert left.get_title("left") == "diffllama, inf, problem mini-00003\nlayer 3, head 2; λ = 0.45: rows sum to 0.55"
    assert right.get_title("left") == "llama, inf, problem mini-00003\nlayer 5, head 0; rows sum to 1"
    for panel, map in ((left, one), (right, two)):
        image = panel.images[0].get_array()
        assert image is not None
        assert numpy.array_equal(image.data[numpy.tril_indices(SIZE)], map.pattern[numpy.tril_indices(SIZE)])
        assert panel.images[0].get_clim() == (-0.25, 0.25)
    assert bar.get_ylim() == (-0.25, 0.25)


def test_the_bar_of_ordinary_models_is_the_positive_half_in_the_same_colours() -> None:
    """The bar's ends and its middle, as rendered, against the scale that the squares are drawn on."""
    for signed, lowest in ((False, 0.0), (True, -0.5)):
        bar = map_figure([made(signed=signed)], 0.5).axes[-1]
        assert bar.get_ylim() == (lowest, 0.5)
        heights = numpy.array([lowest + 0.01, (lowest + 0.5) / 2, 0.49])
        found = colours_at(bar, numpy.full(3, 0.5), heights)
        wanted = scale_colours(heights / 0.5)
        assert numpy.abs(found - wanted).max() < 0.04


def test_a_lambda_of_the_text_is_a_range_in_the_title() -> None:
    lambdas = numpy.linspace(0.2, 0.6, SIZE, dtype=numpy.float32)
    panel = panel_of(made(signed=True, pattern=numpy.diag(1 - lambdas), lambda_=None))
    assert panel.get_title("left").endswith("λ from 0.20 to 0.60 by token: rows sum to 1 − λ")
