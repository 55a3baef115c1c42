"""`noise.json`: what a folder's noisy files are made from; the same commands in any order give the same bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from noise import load_problems
from noise.__main__ import main
from noise.problems.noisy_files import read_noisy
from noise.registry import NOISE_VERSION

pytestmark = pytest.mark.quick


def write(out: Path, *more: str) -> int:
    return main(["--problems", "mini:new-names", "--out", str(out), *more])


def files(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "noise.json").read_text("utf-8"))["files"])


def test_every_file_has_an_entry_with_its_hash(tmp_path: Path) -> None:
    assert write(tmp_path, "--datasets", "inf,sd2", "--seed", "5") == 0
    entries = files(tmp_path)
    assert {*entries, "noise.json"} == {path.name for path in tmp_path.iterdir()}
    for name, entry in entries.items():
        assert entry["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert (entry["seed"], entry["source"], entry["version"]) == (5, "mini:new-names", NOISE_VERSION)
        noisy = read_noisy(tmp_path / name)
        assert entry["problems"] == len(noisy) == len(load_problems("mini:new-names"))
        assert sum(entry["templates"].values()) == sum(len(one.spans) for one in noisy)


def test_a_file_of_problems_is_named_with_its_hash(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text('{"question": "Ann has 3 pens. How many pens?", "answer": "#### 3"}\n')
    assert main(["--problems", str(mine), "--datasets", "sd", "--out", str(tmp_path / "out")]) == 0
    entry = files(tmp_path / "out")["mine_sd.jsonl"]
    assert (entry["source"], entry["source_sha256"]) == ("mine.jsonl", hashlib.sha256(mine.read_bytes()).hexdigest())


def test_the_files_of_a_task_have_entries_too(tmp_path: Path) -> None:
    assert write(tmp_path, "--datasets", "inf", "--format", "lm-eval") == 0
    assert {*files(tmp_path), "noise.json"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("more", [[], ["--processes", "2"]])
def test_it_does_not_depend_on_the_order_of_commands(tmp_path: Path, more: list[str]) -> None:
    for folder, order in (("a", ("inf", "sd")), ("b", ("sd", "inf"))):
        for name in order:
            assert write(tmp_path / folder, "--datasets", name, *more) == 0
    assert write(tmp_path / "c", "--datasets", "inf,sd") == 0
    manifests = {(tmp_path / folder / "noise.json").read_bytes() for folder in "abc"}
    assert len(manifests) == 1


def test_what_is_no_file_of_ours_any_more_leaves_it(tmp_path: Path) -> None:
    write(tmp_path, "--datasets", "inf,rcs,sd")
    (tmp_path / "mini_inf_new-names.jsonl").unlink()
    with (tmp_path / "mini_rcs_new-names.jsonl").open("a") as file:
        file.write("\n")
    assert write(tmp_path, "--datasets", "sd") == 0
    assert [*files(tmp_path)] == ["mini_sd_new-names.jsonl"]


@pytest.mark.parametrize("content", ["made by hand\n", "[]", '{"format": 1}', '{"format": 9, "files": {}}'])
def test_another_file_of_its_name_is_not_replaced_unasked(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.json").write_text(content)
    assert write(tmp_path, "--datasets", "sd") == 1
    assert capsys.readouterr().err == (
        f"python -m noise: {tmp_path / 'noise.json'}: something else is there already; choose another --out, or add"
        " --force\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["noise.json"]
    assert (tmp_path / "noise.json").read_text() == content
    assert write(tmp_path, "--datasets", "sd", "--force") == 0
    assert [*files(tmp_path)] == ["mini_sd_new-names.jsonl"]
