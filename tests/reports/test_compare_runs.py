"""`python -m reports compare`: two folders, problem by problem; what is left out is named."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.stats.compare_runs import compare_runs
from reports.store.atomic_io import ResultsDamaged
from reports.store.records import draw_id
from reports.store.results_folder import Results
from reports.tables.compare_runs_table import compare_runs_table
from tests.reports.record_factories import CELL, CLEAN, OTHER_SETTINGS, SETTINGS, outcomes, predicted

pytestmark = pytest.mark.quick


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Results, Results]:
    """A first run and a second in which ten of a hundred problems are lost and the last ten were not asked."""
    first, second = Results(tmp_path / "first"), Results(tmp_path / "second")
    first.append(CELL, SETTINGS, outcomes(80, 20))
    first.append(CLEAN, SETTINGS, outcomes(90, 10))
    second.append(CELL, replace(SETTINGS, weights="weights-2", precision="bfloat16"), outcomes(70, 20))
    return first, second


def printed(runs: tuple[Results, Results]) -> str:
    return " ".join(" ".join(compare_runs_table(compare_runs(*runs))).split())


def test_shared_problems_are_compared_and_the_others_are_counted_and_named(runs: tuple[Results, Results]) -> None:
    (row,) = compare_runs(*runs).rows
    assert (row.contrast, row.clusters, row.estimate) == ("change", 90, pytest.approx(-10 / 90))
    assert row.p == pytest.approx(2 * 0.5**10)
    words = printed(runs)
    assert "diffllama-inf 88.9 77.8 -11.1 [" in words
    assert "Lower: diffllama-inf." in words
    assert "diffllama-inf-zero_shot: 10 questions only in the first run: p90, p91, p92, p93, p94 and 5 more" in words
    assert "only in the first run: diffllama-clean-zero_shot" in words
    assert "diffllama-inf-zero_shot: precision was 'float32' and is now 'bfloat16'" in words
    assert max(map(len, compare_runs_table(compare_runs(*runs)))) <= 80


def test_a_changed_text_is_not_compared(tmp_path: Path) -> None:
    first, second = Results(tmp_path / "first"), Results(tmp_path / "second")
    first.append(CELL, SETTINGS, [predicted("p0"), predicted("p1"), predicted("p2", "error")])
    second.append(CELL, SETTINGS, [predicted("p0", question="other"), predicted("p1"), predicted("p2")])
    words = printed((first, second))
    assert "1 question of another text, gold answer or number of tokens: p0" in words
    assert "1 question only in the second run: p2" in words, "an error is no answer"
    assert "diffllama-inf-zero_shot: the same weights" in words
    assert "No evidence of a change in any cell, with too few problems to show any." in words


def test_missing_settings_are_refused(runs: tuple[Results, Results]) -> None:
    shutil.rmtree(runs[0].predictions_folder / "settings")
    with pytest.raises(ResultsDamaged, match=r"\.json: a settings file is missing; the command that made the records"):
        printed(runs)


def test_another_gold_answer_is_not_compared(tmp_path: Path) -> None:
    """The same answers to the same questions: a corrected gold answer is no change of the model."""
    first, second = Results(tmp_path / "first"), Results(tmp_path / "second")
    first.append(CELL, SETTINGS, outcomes(5, 0))
    second.append(CELL, SETTINGS, [predicted("p0", "incorrect", target="7", answer="5"), *outcomes(5, 0)[1:]])
    comparison = compare_runs(first, second)
    assert comparison.rows[0].clusters == 4
    assert "1 question of another text, gold answer or number of tokens: p0" in " ".join(comparison.left_out)


def test_only_draws_of_both_runs_are_compared(tmp_path: Path) -> None:
    first, second = Results(tmp_path / "first"), Results(tmp_path / "second")
    first.append(CELL, SETTINGS, outcomes(5, 5))
    second.append(CELL, SETTINGS, [*outcomes(5, 5), *(predicted(draw_id(f"p{n}", 1)) for n in range(10))])
    (row,) = compare_runs(first, second).rows
    assert (row.clusters, row.estimate) == (10, 0.0)


def test_every_cell_of_both_runs_is_compared_and_what_it_lacks_is_said_once(tmp_path: Path) -> None:
    first, second = Results(tmp_path / "first"), Results(tmp_path / "second")
    first.append(CLEAN, SETTINGS, outcomes(4, 0))
    first.append(CELL, SETTINGS, [*outcomes(2, 2), predicted("p9", "error")])
    second.append(CLEAN, SETTINGS, outcomes(2, 1))
    second.append(CELL, SETTINGS, [*outcomes(3, 0), predicted("p9"), predicted("p8")])
    comparison = compare_runs(first, second)
    assert [(row.noise, row.clusters) for row in comparison.rows] == [("clean", 3), ("inf", 3)]
    assert comparison.means == {CLEAN: (1.0, 2 / 3), CELL: (2 / 3, 1.0)}
    assert comparison.left_out == [
        "2 cells (diffllama-clean-zero_shot, …): 1 question only in the first run: p3",
        "diffllama-inf-zero_shot: 2 questions only in the second run: p8, p9",
        "2 cells (diffllama-clean-zero_shot, …): the same weights",
    ]


def test_the_command_prints_it_and_writes_the_rows(
    runs: tuple[Results, Results], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(results.folder) for results in runs]
    assert main(["compare", *folders, "--csv", str(tmp_path / "change.csv")]) == 0
    assert capsys.readouterr().out.startswith(f"change from {folders[0]} (first) to {folders[1]} (second)")
    with (tmp_path / "change.csv").open(newline="") as file:
        assert [row["contrast"] for row in csv.DictReader(file)] == ["change"]


def test_folders_with_nothing_in_common_are_an_error_of_one_sentence(
    runs: tuple[Results, Results], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    third = Results(tmp_path / "third")
    third.append(replace(CELL, model="other"), OTHER_SETTINGS, outcomes(1, 0))
    assert main(["compare", str(runs[0].folder), str(third.folder)]) == 1
    error = capsys.readouterr().err
    assert "have no problem of a cell in common: only in the first run: diffllama-clean-zero_shot, " in error
    assert "only in the second run: other-inf-zero_shot" in error
    assert main(["compare", str(runs[0].folder), str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("no results folder at ")
