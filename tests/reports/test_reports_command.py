from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.experiment import Experiment
from reports.plots.attention_maps import save_map
from reports.store.records import AttentionReading, Cell
from reports.store.results_folder import Results
from tests.reports.attention_factories import (
    ATTENTION_CELL,
    ATTENTION_SETTINGS,
    attention_map,
    failed_reading,
    readings,
)
from tests.reports.record_factories import CELL, CLEAN, SETTINGS, asked, outcomes, predicted


def test_reports_are_rebuilt_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(tmp_path / "results")
    results.append(CLEAN, SETTINGS, outcomes(9, 1))
    results.append(CELL, SETTINGS, outcomes(5, 5))
    assert main(["accuracy", str(results.folder)]) == 0
    assert "degradation" in capsys.readouterr().out
    assert (results.folder / "accuracy.csv").read_text().count("\n") == 3
    assert (results.folder / "accuracy.png").exists()


def test_one_command_writes_what_a_run_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(tmp_path / "results")
    results.append(CLEAN, SETTINGS, outcomes(9, 1))
    results.append(CELL, SETTINGS, outcomes(5, 5))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1"], 2, 2))
    by_run = {path.name for path in Experiment(results).write()} - {"run.json"}
    for name in by_run:
        (results.folder / name).unlink()
    assert main(["all", str(results.folder)]) == 0
    assert all((results.folder / name).exists() for name in by_run)
    assert "report.html" in capsys.readouterr().out
    assert {"accuracy.csv", "comparisons.csv", "attention.csv", "report.html"} <= by_run


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    """As in `python -m reports accuracy results | head -1`."""
    results = Results(tmp_path / "results")
    results.append(CLEAN, SETTINGS, outcomes(9, 1))
    command = [sys.executable, "-m", "reports", "accuracy", str(results.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.quick
@pytest.mark.parametrize("command", ["accuracy", "attention", "all"])
def test_a_missing_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, str(tmp_path / "nowhere")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("no results folder at ")
    assert err.count("\n") == 1
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.quick
def test_an_empty_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, sentence in (("accuracy", "no predictions in "), ("all", "no records in ")):
        assert main([command, str(tmp_path)]) == 1
        assert capsys.readouterr().err.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick
def test_a_damaged_line_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Results(tmp_path).path(Cell("llama", "clean", "zero_shot"))
    path.parent.mkdir(parents=True)
    path.write_text("oops\n")
    assert main(["accuracy", str(tmp_path)]) == 1
    assert "clean.jsonl, line 1: expected a prediction" in capsys.readouterr().err


def test_attention_reports_are_rebuilt_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(tmp_path / "results")
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1"], 2, 2))
    save_map(results.folder, attention_map(20))
    assert main(["attention", str(results.folder)]) == 0
    out = capsys.readouterr().out
    assert "attention: lift of each segment" in out
    assert any(line.startswith("files:") for line in out.splitlines())
    assert {path.name for path in results.folder.iterdir()} == {
        "attention.csv",
        "attention_heat.png",
        "attention_maps",
        "readings",
    }
    assert len(list((results.folder / "attention_maps").glob("*/*.png"))) == 1


@pytest.mark.quick
@pytest.mark.parametrize("readings", [[], [failed_reading("p0")]])
def test_a_folder_without_a_reading_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], readings: list[AttentionReading]
) -> None:
    results = Results(tmp_path)
    results.append(CELL, SETTINGS, outcomes(1, 1))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings)
    assert main(["attention", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("no readings in ")
    assert err.count("\n") == 1
    assert not (tmp_path / "attention.csv").exists()


@pytest.mark.quick
def test_a_damaged_map_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_map(tmp_path, attention_map(20)).write_bytes(b"oops")
    assert main(["attention", str(tmp_path)]) == 1
    assert "head1.npz: expected an attention map" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["accuracy", "attention", "all"])
def test_the_caveat_of_a_run_is_printed_beside_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    experiment = Experiment(Results(tmp_path), caveat=lambda cells: "made up, all of it")
    with experiment.cell(CELL, SETTINGS, asked("p0")) as recorder:
        recorder.append([predicted("p0")])
    with experiment.cell(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0", "p1")) as looked:
        looked.append(readings(["p0", "p1"], 2, 2))
    experiment.write()
    assert main([command, str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    note = lines.index("note: made up, all of it")
    assert lines[note + 1].startswith("files:")


@pytest.mark.parametrize("command", ["accuracy", "attention", "all"])
def test_the_caveat_of_a_model_that_is_not_in_the_table_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The run read and asked another model, whose cells are gone since."""
    results = Results(tmp_path)
    experiment = Experiment(results, caveat=lambda cells: "made up, all of it")
    with experiment.cell(Cell("mine", "inf", "zero_shot"), SETTINGS, asked("p0")):
        pass
    experiment.write()
    results.append(CELL, SETTINGS, outcomes(1, 1))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1"], 2, 2))
    assert main([command, str(tmp_path)]) == 0
    assert "note:" not in capsys.readouterr().out


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
    assert "attention" in done.stdout
    assert "torch" not in done.stdout
    assert "pandas" not in done.stdout
