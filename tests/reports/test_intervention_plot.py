"""The figure of interventions: bars that end where their parts do, whiskers at their intervals, and no empty panel."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.__main__ import main
from reports.plots.intervention_plot import intervention_figure, write_intervention_plot
from reports.stats.intervention_contrasts import intervention_rows
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.reports.intervention_factories import (
    DIFFLLAMA,
    LLAMA,
    NATS,
    cut_cell,
    intervention,
    interventions,
    random_nats,
    rights,
)
from tests.reports.record_factories import CELL, SETTINGS, outcomes

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _no_power(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.stats.comparisons.detectable_effect", lambda differences, alpha: 0.1234)
    monkeypatch.setattr("reports.stats.comparisons.needed_problems", lambda differences, alpha: 12_345)


def test_bars_stand_one_behind_the_other_and_negative_ones_left_of_zero() -> None:
    rows = intervention_rows(
        [cut_cell(*pair) for pair in (("a", interventions(LLAMA)), ("b", interventions(DIFFLLAMA)))]
    )
    figure = intervention_figure(rows)
    assert figure is not None
    (panel,) = figure.axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["inf: b", "inf: a"]
    bars: dict[float, list[tuple[int, int]]] = {}
    for bar in panel.patches:
        low, high = sorted((bar.get_x(), bar.get_x() + bar.get_width()))
        bars.setdefault(bar.get_y() + bar.get_height() / 2, []).append((round(low), round(high)))
    assert bars[1] == [(0, 27), (27, 62), (-3, 0)]
    assert bars[0] == [(-5, 0), (0, 29), (29, 32)]
    totals = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "D"]
    assert totals == pytest.approx([27, 59]), "from the bottom up"


def test_a_whisker_is_the_interval_of_its_part_from_where_the_part_begins() -> None:
    rows = intervention_rows([cut_cell("llama", interventions(LLAMA))])
    figure = intervention_figure(rows)
    assert figure is not None
    ends = [tuple(line.get_segments()[0][:, 0]) for line in figure.axes[0].collections]
    by_part = {row.of: row for row in rows if row.contrast == "part"}
    starts = {"reading": 0.0, "displacement": 0.27, "rest": 0.0, "total": 0.0}
    expected = [
        (100 * (start + (by_part[part].low or 0.0)), 100 * (start + (by_part[part].high or 0.0)))
        for part, start in starts.items()
    ]
    assert ends == [pytest.approx(bounds) for bounds in expected]


def test_each_measure_has_a_panel_and_a_model_with_nothing_to_lose_no_bar_in_accuracy() -> None:
    floor = rights(dict.fromkeys(LLAMA, 5))
    rows = intervention_rows(
        [
            cut_cell("a", interventions(LLAMA, random_nats(NATS, 100))),
            cut_cell("b", interventions(floor, random_nats(NATS, 100, 1))),
        ]
    )
    figure = intervention_figure(rows)
    assert figure is not None
    accuracy, likelihood = figure.axes
    assert (len(accuracy.patches), len(likelihood.patches)) == (3, 6)
    assert "nats a token" in likelihood.get_xlabel()


def test_without_parts_there_is_no_figure(tmp_path: Path) -> None:
    rows = intervention_rows([cut_cell("llama", interventions(rights({"clean": 9, "noisy": 4, "answer": 5}, 10)))])
    assert intervention_figure(rows) is None
    assert not write_intervention_plot(rows, tmp_path / "interventions.png")
    assert not list(tmp_path.iterdir())


def test_the_command_rebuilds_table_and_figure_from_the_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = Results(tmp_path)
    for model, answers in (("diffllama", DIFFLLAMA), ("llama", LLAMA), ("$\\foo$" + "x" * 80, LLAMA)):
        results.append(Cell(model, "inf", "intervene"), SETTINGS, interventions(answers, random_nats(NATS, 100)))
    assert main(["interventions", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Of the 59.0 points [" in out
    assert "interventions.csv" in out.rpartition("files: ")[2]
    assert (tmp_path / "interventions.csv").read_text().startswith("model,against,noise,contrast,of,")
    assert (tmp_path / "interventions.png").read_bytes().startswith(PNG)


@pytest.mark.quick
@pytest.mark.parametrize("records", [[], [intervention("p0", "noisy", "e")]])
def test_a_folder_without_interventions_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], records: list[object]
) -> None:
    results = Results(tmp_path)
    results.append(CELL, SETTINGS, outcomes(1, 1))
    results.append(Cell("llama", "inf", "intervene"), SETTINGS, records)  # type: ignore[arg-type]
    assert main(["interventions", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("no interventions in ")
    assert err.count("\n") == 1
    assert not (tmp_path / "interventions.csv").exists()
