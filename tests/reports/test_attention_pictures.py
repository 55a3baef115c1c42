"""That a heat map can be drawn whatever was measured; what is drawn is in test_attention_heat."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.plots.attention_heatmap import has_heatmap_data, write_heatmap
from reports.stats.attention_stats import attention_rows
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.reports.attention_factories import ATTENTION_SETTINGS, reading, readings

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def add(results: Results, model: str, noise: str, layers: int = 2, heads: int = 2) -> None:
    found = readings(["p0", "p1"], layers, heads, noisy=noise != "clean")
    results.append(Cell(model, noise, "attention"), ATTENTION_SETTINGS, found)


def test_the_heat_map_is_a_png_whatever_was_measured(results: Results, tmp_path: Path) -> None:
    """Models of different shape, small and large, and a noise that one of them lacks."""
    add(results, "a $model", "inf", 4, 4)
    add(results, "a $model", "sd", 4, 4)
    add(results, "b $model", "inf", 20, 16)
    write_heatmap(attention_rows(results), tmp_path / "heat.png")
    assert (tmp_path / "heat.png").read_bytes().startswith(PNG)


def test_a_head_that_never_looks_can_be_drawn(results: Results, tmp_path: Path) -> None:
    blind = (((0.5, 0.0, 0.25, 0.125, 0.125),),)
    results.append(Cell("llama", "inf", "attention"), ATTENTION_SETTINGS, [reading("p0", absolute=blind)])
    write_heatmap(attention_rows(results), tmp_path / "heat.png")
    assert (tmp_path / "heat.png").exists()


def test_clean_text_and_needles_have_no_heat_map(results: Results, tmp_path: Path) -> None:
    add(results, "llama", "clean")
    add(results, "llama", "needle50")
    rows = attention_rows(results)
    assert not has_heatmap_data(rows)
    with pytest.raises(ValueError, match="at least one cell with noise"):
        write_heatmap(rows, tmp_path / "heat.png")
    add(results, "llama", "inf")
    assert has_heatmap_data(attention_rows(results))
