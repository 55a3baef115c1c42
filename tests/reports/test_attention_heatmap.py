"""What stands where in the layer × head picture, asked of the figure before it is a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy
import pytest

from reports.plots.attention_heatmap import heat_figure
from reports.stats.attention_stats import AttentionRow
from tests.reports.rendered_figures import colours_at, scale_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytestmark = pytest.mark.quick

LAYERS, HEADS = (2, 5, 7), (0, 3)
LIFTS = numpy.array([[0.5, 1.0], [2.0, 0.75], [1.25, 3.0]])  # no two alike, no symmetry
OTHER = numpy.array([[4.0, 0.25], [1.5, 0.6], [0.9, 1.1]])


def rows(
    lifts: numpy.ndarray, model: str = "llama", noise: str = "inf", measure: str = "lift", segment: str = "ni"
) -> list[AttentionRow]:
    """Last layer first, as the order of rows is not to matter; and the mean over all, which is no square."""
    heads = [(layer, head) for layer in reversed(range(len(lifts))) for head in range(lifts.shape[1])]
    facts = {"model": model, "checkpoint": "c0ffee", "noise": noise, "segment": segment, "measure": measure}
    named = len(lifts) == len(LAYERS)
    return [
        AttentionRow(**facts, layer=None, head=None, mean=9.0, std=0.1, n=2),
        *(
            AttentionRow(
                **facts,
                layer=LAYERS[layer] if named else layer,
                head=HEADS[head] if named else head,
                mean=float(lifts[layer, head]),
                std=0.1,
                n=2,
            )
            for layer, head in heads
        ),
    ]


def panels_of(found: list[AttentionRow]) -> dict[str, Axes]:
    return {panel.get_title(): panel for panel in heat_figure(found).axes[:-1]}


def image_of(panel: Axes) -> numpy.ndarray:
    return numpy.asarray(panel.images[0].get_array())


def test_each_square_has_the_lift_of_its_layer_and_head() -> None:
    others = rows(OTHER, segment="kmi") + rows(OTHER, measure="absolute")
    (panel,) = panels_of(others + rows(LIFTS)).values()
    assert image_of(panel) == pytest.approx(numpy.log2(LIFTS))
    assert [label.get_text() for label in panel.yaxis.get_ticklabels()] == ["2", "5", "7"]
    assert [label.get_text() for label in panel.xaxis.get_ticklabels()] == ["0", "3"]
    assert list(panel.yaxis.get_ticklocs()) == [0, 1, 2]
    assert list(panel.xaxis.get_ticklocs()) == [0, 1]
    assert panel.get_xlabel() == "head"


def test_each_square_has_the_colour_of_its_lift_where_its_labels_say() -> None:
    """Asked of the rendered picture, off the middle of the squares, where the figure is printed."""
    (panel,) = panels_of(rows(LIFTS)).values()
    found = colours_at(panel, numpy.array([0, 1] * 3) - 0.42, numpy.repeat([0, 1, 2], 2) - 0.42).reshape(3, 2, 3)
    lowest, highest = panel.images[0].get_clim()
    assert lowest == pytest.approx(numpy.log2(0.5), abs=0.05), "the scale spans what is there"
    assert highest == pytest.approx(numpy.log2(3), abs=0.05)
    steps = numpy.clip(numpy.log2(LIFTS), lowest, highest)
    wanted = scale_colours(numpy.where(steps < 0, -steps / lowest, steps / highest))
    assert numpy.abs(found - wanted).max() < 0.02


def test_deeper_layers_are_higher_as_the_axis_says() -> None:
    (panel,) = panels_of(rows(LIFTS)).values()
    assert panel.get_ylabel() == "layer (deeper →)"  # turned by a quarter, so that the arrow points upwards
    first, last = panel.transData.transform([(0, 0), (1, 2)])
    assert first[0] < last[0]
    assert first[1] < last[1]


def test_the_figure_printed_in_a_square_is_its_lift() -> None:
    (panel,) = panels_of(rows(LIFTS)).values()
    printed = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in panel.texts}
    assert printed == {(0, 0): "0.50", (0, 1): "1.0", (1, 0): "2.0", (1, 1): "0.75", (2, 0): "1.2", (2, 1): "3.0"}


def test_large_models_have_colours_alone() -> None:
    big = numpy.linspace(0.5, 2, 9 * 9).reshape(9, 9)
    (panel,) = panels_of(rows(big)).values()
    assert not panel.texts
    assert image_of(panel) == pytest.approx(numpy.log2(big))


def test_models_go_down_and_noises_across_on_one_scale() -> None:
    panels = panels_of(rows(LIFTS, "one", "inf") + rows(OTHER, "one", "sd") + rows(1 / OTHER, "two", "sd"))
    assert set(panels) == {"one, inf", "one, sd", "two, inf", "two, sd"}
    drawn = {"one, inf": LIFTS, "one, sd": OTHER, "two, sd": 1 / OTHER}
    for title, lifts in drawn.items():
        assert image_of(panels[title]) == pytest.approx(numpy.log2(lifts)), title
    assert len({panels[title].images[0].get_clim() for title in drawn}) == 1
    assert [text.get_text() for text in panels["two, inf"].texts] == ["not measured"]
    assert not panels["two, inf"].images
    grid_row = {title: panel.get_subplotspec().rowspan.start for title, panel in panels.items()}
    across = {title: panel.get_subplotspec().colspan.start for title, panel in panels.items()}
    assert grid_row == {"one, inf": 0, "one, sd": 0, "two, inf": 1, "two, sd": 1}
    assert across == {"one, inf": 0, "one, sd": 1, "two, inf": 0, "two, sd": 1}


def test_the_bar_names_factors_around_one() -> None:
    figure = heat_figure(rows(OTHER))
    bar, panel = figure.axes[-1], figure.axes[0]
    lowest, highest = panel.images[0].get_clim()
    assert bar.get_ylim() == (lowest, highest)
    named = dict(zip(bar.get_yticks(), (label.get_text() for label in bar.get_yticklabels()), strict=True))
    assert {step: named[step] for step in (-1, 0, 1)} == {-1: "½", 0: "1", 1: "2"}
