from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.records import Cell
from reports.store import Results
from tests.reports.made import CELL, CLEAN, SETTINGS, outcomes


def test_reports_are_rebuilt_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(tmp_path / "results")
    results.append(CLEAN, SETTINGS, outcomes(9, 1))
    results.append(CELL, SETTINGS, outcomes(5, 5))
    assert main(["accuracy", str(results.folder)]) == 0
    assert "degradation" in capsys.readouterr().out
    assert (results.folder / "accuracy.csv").read_text().count("\n") == 3
    assert (results.folder / "accuracy.png").exists()


@pytest.mark.quick
def test_a_missing_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", str(tmp_path / "nowhere")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("no results folder at ")
    assert err.count("\n") == 1
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.quick
def test_an_empty_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("no predictions in ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick
def test_a_damaged_line_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Results(tmp_path).path(Cell("llama", "clean", "zero_shot"))
    path.parent.mkdir(parents=True)
    path.write_text("oops\n")
    assert main(["accuracy", str(tmp_path)]) == 1
    assert "clean.jsonl, line 1: expected a prediction" in capsys.readouterr().err


@pytest.mark.quick
def test_a_misspelt_command_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["acuracy"])
    assert stopped.value.code == 2
    assert "accuracy" in capsys.readouterr().err


@pytest.mark.quick
def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['reports', '--help']; from reports.__main__ import main; "
    check = "import atexit; atexit.register(lambda: print(*sorted({'torch', 'pandas', 'scipy'} & set(sys.modules)))); "
    done = subprocess.run([sys.executable, "-c", code + check + "main()"], capture_output=True, text=True, check=True)
    assert "accuracy" in done.stdout
    assert "torch" not in done.stdout
    assert "pandas" not in done.stdout
