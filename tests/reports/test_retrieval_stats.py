"""Retrieval statistics: the needle is the statement of a problem, and no other part of its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.plots.retrieval_plot import write_retrieval
from reports.stats.attention_stats import measured_cells
from reports.stats.retrieval_stats import RetrievalPoint, retrieval_points
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.tables.attention_table import table_of_cells
from tests.reports.attention_factories import ATTENTION_SETTINGS, reading

pytestmark = pytest.mark.quick
PNG = b"\x89PNG\r\n"
NEEDLE = {"segments": ("needle", "ni", "question", "oc", "sink"), "tokens": (0.125, 0.5, 0.125, 0.125, 0.125)}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def test_the_lift_of_the_needle_is_relative_to_its_tokens(results: Results) -> None:
    shares = [(((0.25, 0.5, 0.0, 0.125, 0.125),),), (((0.125, 0.25, 0.375, 0.125, 0.125),),)]
    cell = Cell("llama", "needle25", "attention")
    results.append(
        cell, ATTENTION_SETTINGS, [reading(f"p{n}", absolute=share, **NEEDLE) for n, share in enumerate(shares)]
    )
    points = {(point.part, point.measure): point for point in retrieval_points(measured_cells(results))}
    assert points["needle", "lift"] == RetrievalPoint("llama", 25, "needle", "lift", 1.5, pytest.approx(0.5**0.5), 2)
    assert points["noise", "lift"].mean == 0.75
    assert points["needle", "absolute"].mean == 0.1875
    assert points["noise", "absolute"].mean == 0.375


def test_the_table_has_lift_and_shares_by_depth(results: Results) -> None:
    for depth in (100, 0, 50):
        for model in ("diffllama", "llama"):
            share = (((0.25 if depth == 50 else 0.125, 0.5, 0.125, 0.125, 0.125),),)
            cell = Cell(model, f"needle{depth}", "attention")
            results.append(cell, ATTENTION_SETTINGS, [reading("p0", absolute=share, **NEEDLE)])
    assert table_of_cells(measured_cells(results)) == [
        "retrieval: lift of the needle (what a problem states) and of the noise,",
        "  mean over 1 problem a cell, by depth of the needle in %",
        "depth, %               0     50    100",
        "diffllama  needle   1.00   2.00   1.00",
        "           noise    1.00   1.00   1.00",
        "llama      needle   1.00   2.00   1.00",
        "           noise    1.00   1.00   1.00",
        "",
        "retrieval: share of absolute attention, %",
        "depth, %               0     50    100",
        "diffllama  needle   12.5   25.0   12.5",
        "           noise    50.0   50.0   50.0",
        "llama      needle   12.5   25.0   12.5",
        "           noise    50.0   50.0   50.0",
        "",
    ]


def test_the_picture_shows_the_lifts_of_each_model(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """The points themselves, caught where they are handed to matplotlib."""
    from matplotlib.axes import Axes

    drawn: dict[tuple[str, int], list[float]] = {}

    def errorbar(panel: Axes, x: list[float], y: list[float], **options: object) -> object:
        drawn[str(options["label"]), panel.get_subplotspec().colspan.start] = list(y)  # type: ignore[union-attr]
        return original(panel, x, y, **options)

    original = Axes.errorbar
    monkeypatch.setattr(Axes, "errorbar", errorbar)
    for depth, share in ((0, 0.25), (100, 0.5)):
        cell = Cell("llama", f"needle{depth}", "attention")
        absolute = (((share, 0.25, 0.0, 0.0, 0.5 - share / 2),),)
        results.append(cell, ATTENTION_SETTINGS, [reading("p0", absolute=absolute, **NEEDLE)])
    write_retrieval(retrieval_points(measured_cells(results)), results.folder / "retrieval.png")
    assert drawn == {("llama", 0): [2.0, 4.0], ("llama", 1): [0.5, 0.5]}
    assert (results.folder / "retrieval.png").read_bytes().startswith(PNG)


def test_no_needle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one retrieval cell"):
        write_retrieval([], tmp_path / "retrieval.png")
