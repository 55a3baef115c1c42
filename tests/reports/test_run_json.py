from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.store import run_json
from reports.store.record_codec import settings_hash
from reports.store.records import Cell, CellRun
from reports.store.run_json import add_run, newest_caveat
from tests.reports.record_factories import CELL, SETTINGS

pytestmark = pytest.mark.quick


def cell_run(made: int = 2) -> CellRun:
    return CellRun(CELL, SETTINGS, ("p0", "p1", "p2"), read=1, made=made, seconds=1.5, outcomes={"correct": 3})


def runs_in(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["runs"]


@pytest.fixture(autouse=True)
def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running git fifty times is slow."""
    monkeypatch.setattr(run_json, "_commit", lambda folder: "c0ffee")


def test_a_run_has_its_options_versions_machine_and_cells(tmp_path: Path) -> None:
    add_run(tmp_path / "run.json", {"seed": 3, "options": {"models": "a,b"}, "started": "now"}, [cell_run()])
    (run,) = runs_in(tmp_path / "run.json")
    assert (run["seed"], run["options"], run["started"], run["commit"]) == (3, {"models": "a,b"}, "now", "c0ffee")
    assert run["versions"]["python"] == sys.version.split()[0]
    assert run["versions"]["pytest"] == pytest.__version__
    assert run["machine"]["cores"] >= 1
    (cell,) = run["cells"]
    assert (cell["model"], cell["noise"], cell["stage"]) == ("diffllama", "inf", "zero_shot")
    assert (cell["asked"], cell["read"], cell["made"], cell["seconds"]) == (3, 1, 2, 1.5)
    assert run["settings"][cell["settings"]]["weights"] == SETTINGS.weights
    assert cell["settings"] == settings_hash(SETTINGS)


def test_torch_is_not_imported_for_its_version(tmp_path: Path) -> None:
    import subprocess

    code = "import sys, pathlib; from reports.store.run_json import add_run; add_run(pathlib.Path(sys.argv[1]), {}, [])"
    check = "; assert not {'torch', 'transformers', 'pandas', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check, str(tmp_path / "run.json")], check=True)


def test_earlier_runs_are_kept(tmp_path: Path) -> None:
    for number in range(3):
        add_run(tmp_path / "run.json", {"number": number}, [cell_run()])
    assert [run["number"] for run in runs_in(tmp_path / "run.json")] == [0, 1, 2]


def test_runs_without_new_records_are_dropped_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_json, "MAX_RUNS", 3)
    for number, made in enumerate([5, 0, 0, 5, 0]):
        add_run(tmp_path / "run.json", {"number": number}, [cell_run(made)])
    assert [run["number"] for run in runs_in(tmp_path / "run.json")] == [0, 3, 4]
    for number in (5, 6):
        add_run(tmp_path / "run.json", {"number": number}, [cell_run()])
    assert [run["number"] for run in runs_in(tmp_path / "run.json")] == [3, 5, 6]


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, '{"runs": 3}', '{"runs": [3]}', "{}"])
def test_a_damaged_file_is_kept_next_to_the_new_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    add_run(tmp_path / "run.json", {"number": 0}, [])
    assert [run["number"] for run in runs_in(tmp_path / "run.json")] == [0]
    assert (tmp_path / "run.json.damaged").read_text() == content


def test_a_value_that_is_not_json_is_written_as_text(tmp_path: Path) -> None:
    add_run(tmp_path / "run.json", {"options": {"results": Path("here")}}, [])
    assert runs_in(tmp_path / "run.json")[0]["options"] == {"results": "here"}


def test_the_newest_caveat_about_a_model_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for caveat, model in (("old", "a"), ("newer", "a"), ("of b", "b"), (None, "a")):
        run = replace(cell_run(), cell=Cell(model, "inf", "zero_shot"))
        add_run(path, {"caveat": caveat}, [cell_run(), run])
    assert newest_caveat(path, ["a"]) == "newer"
    assert newest_caveat(path, ["b"]) == "of b"
    assert newest_caveat(path, (model for model in ("a", "b"))) == "of b"
    assert newest_caveat(path, ["c"]) is None
    assert newest_caveat(path, []) is None


def test_no_caveat_without_a_run_that_has_one(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert newest_caveat(path, ["diffllama"]) is None
    assert not path.exists()
    add_run(path, {}, [cell_run()])  # the format before runs had a caveat
    assert newest_caveat(path, ["diffllama"]) is None


def test_a_damaged_file_may_have_a_caveat_and_is_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("{")
    assert "run.json is damaged" in str(newest_caveat(path, ["diffllama"]))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("run.json", "{")]


def test_no_commit_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert run_json._commit(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_json._commit(tmp_path) is None
