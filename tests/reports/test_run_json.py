from __future__ import annotations

import hashlib
import json
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.store import run_json
from reports.store.record_codec import settings_hash
from reports.store.records import Cell, CellRun
from reports.store.run_json import add_run, newest_caveat, read_runs
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


def test_a_caveat_outlives_later_runs_of_other_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_json, "MAX_RUNS", 3)
    path = tmp_path / "run.json"
    add_run(path, {"caveat": "of a"}, [replace(cell_run(), cell=replace(CELL, model="a"))])
    for number in range(5):
        add_run(path, {"number": number}, [cell_run()])
    assert newest_caveat(path, ["a"]) == "of a"
    assert [run.get("number") for run in runs_in(path)] == [None, 3, 4]


def test_without_the_file_a_caveat_may_be_missing(tmp_path: Path) -> None:
    assert "run.json is not there, so a caveat" in str(newest_caveat(tmp_path / "run.json", ["a"]))


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


def written(path: Path) -> bytes:
    add_run(path, {"seed": 3, "caveat": "two miniatures"}, [cell_run()])
    return path.read_bytes()


def test_the_file_ends_in_its_checksum_and_reads_well(tmp_path: Path) -> None:
    content = written(tmp_path / "run.json")
    body, _, check = content.decode().rpartition(',\n  "check": "')
    assert hashlib.sha256(body.encode()).hexdigest()[:12] == check.removesuffix('"\n}\n')
    assert content.startswith(b'{\n  "format": 2,\n  "runs": [\n    {\n      "seed": 3,')
    assert json.loads(content)["check"] == check[:12]


@pytest.mark.parametrize("places", [300, pytest.param(None, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_never_used_silently(tmp_path: Path, places: int | None) -> None:
    """In random places, or at one random bit of every byte. The file is named as damaged, and is kept."""
    rng, path = random.Random(0), tmp_path / "run.json"
    content = written(path)
    chosen = range(len(content)) if places is None else rng.sample(range(len(content)), places)
    for index in [*chosen, *range(len(content) - 40, len(content))]:
        flipped = bytearray(content)
        flipped[index] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        assert read_runs(path) is None, flipped[max(0, index - 20) : index + 20]
    assert "run.json is damaged" in str(newest_caveat(path, ["diffllama"]))
    assert add_run(path, {"number": 1}, []) == tmp_path / "run.json.damaged"
    assert (tmp_path / "run.json.damaged").read_bytes() == flipped
    assert [run["number"] for run in runs_in(path)] == [1]


def test_a_cut_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    content = written(path)
    for size in (*range(0, len(content), 50), *range(len(content) - 30, len(content))):
        path.write_bytes(content[:size])
        assert read_runs(path) is None


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for content in ("first", "second", "third"):
        path.write_text(content)
        add_run(path, {}, [])
    kept = {file.name: file.read_text() for file in tmp_path.glob("*damaged*")}
    assert kept == {"run.json.damaged": "first", "run.json.damaged-2": "second", "run.json.damaged-3": "third"}


def test_a_file_of_an_older_version_without_a_checksum_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"format": 1, "runs": [{"number": 0}]}, indent=2) + "\n")
    assert add_run(path, {"number": 1}, []) is None
    assert [run["number"] for run in runs_in(path)] == [0, 1]
    assert json.loads(path.read_text())["format"] == 2


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "deep", "loop"])
def test_what_stands_in_its_place_is_named_and_moved_away(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "run.json"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "deep":
            path.write_text("[" * 100_000)
        case "loop":
            path.symlink_to("run.json")
    if kind != "loop":  # which counts as missing: nothing can be read from it
        assert "run.json is damaged" in str(newest_caveat(path, ["diffllama"]))
    add_run(path, {"number": 0}, [])
    assert [run["number"] for run in runs_in(path)] == [0]
