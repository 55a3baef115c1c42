"""`python -m noise` reports what it wrote, or in one sentence why it did not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import noise
from noise.__main__ import main
from noise.problems.noisy_files import read_noisy
from noise.registry import default_noises

pytestmark = pytest.mark.quick


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    line = {"question": "Ann has 3 pens. She buys 4 pens. How many pens has Ann?", "answer": "#### 7"}
    path.write_text(json.dumps(line) + "\n", "utf-8")
    return path


def test_it_writes_the_files_and_says_where_and_how_many(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = mine.parent / "out"
    assert main(["--problems", str(mine), "--datasets", "sd, inf", "--seed", "4", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'mine_sd.jsonl'}  1 problem\n{out / 'mine_inf.jsonl'}  1 problem\n"
    assert [noisy.seed for noisy in read_noisy(out / "mine_inf.jsonl")] == [4]


def test_it_writes_every_noise_by_default(mine: Path) -> None:
    assert main(["--problems", str(mine), "--out", str(mine.parent)]) == 0
    files = {"mine.jsonl", "noise.json"} | {f"mine_{name}.jsonl" for name in default_noises()}
    assert {path.name for path in mine.parent.iterdir()} == files


def test_there_is_no_progress_bar_without_a_terminal(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--problems", str(mine), "--out", str(mine.parent)])
    assert capsys.readouterr().err == ""


def test_it_works_without_tqdm(mine: Path) -> None:
    """The package needs the standard library alone: with `-S` there are no installed packages."""
    command = [
        sys.executable,
        "-S",
        "-m",
        "noise",
        "--problems",
        str(mine),
        "--datasets",
        "inf",
        "--out",
        str(mine.parent),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(noise.__file__).parents[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{mine.parent / 'mine_inf.jsonl'}  1 problem\n"


def test_a_misspelt_noise_is_misuse(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--problems", str(mine), "--datasets", "inf,rsc"])
    assert caught.value.code == 2
    assert "unknown noise 'rsc'. Did you mean 'rcs'? Known: inf, rcs, sd" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.jsonl", "nothing.jsonl: no such file"),
        ("mni", "unknown source of problems 'mni'. Did you mean 'mini'?"),
    ],
)
def test_another_failure_is_one_sentence_and_status_1(
    tmp_path: Path, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--problems", source, "--out", str(tmp_path / "out")]) == 1
    written = capsys.readouterr()
    assert written.err.startswith(f"python -m noise: {message}")
    assert written.err.count("\n") == 1
    assert written.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["jsonl", "lm-eval"])
def test_the_same_files_are_written_twice(mine: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["--problems", str(mine), "--format", form, "--out", str(mine.parent / "out")]
    assert main(typed) == 0
    written = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (mine.parent / "out").iterdir()}
    first = capsys.readouterr()
    assert main([*typed, "--processes", "2"]) == 0
    assert capsys.readouterr() == first
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (mine.parent / "out").iterdir()} == written


def test_another_file_is_replaced_only_where_that_is_asked_for(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_hand = mine.parent / "mine_inf.jsonl"
    by_hand.write_text("made by hand\n")
    typed = ["--problems", str(mine), "--datasets", "inf", "--out", str(mine.parent)]
    assert main(typed) == 1
    assert capsys.readouterr().err == (
        f"python -m noise: {by_hand}: something else is there already; choose another --out, or add --force\n"
    )
    assert by_hand.read_text() == "made by hand\n"
    assert {path.name for path in mine.parent.iterdir()} == {"mine.jsonl", "mine_inf.jsonl"}
    assert main([*typed, "--force"]) == 0
    assert len(read_noisy(by_hand)) == 1


@pytest.mark.parametrize("name", ["mine_clean.jsonl", "mine_inf.jsonl", "mine_inf.yaml", "read_noisy_mine.py"])
def test_no_file_of_a_task_is_replaced_either(mine: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["--problems", str(mine), "--datasets", "inf", "--format", "lm-eval", "--out", str(mine.parent)]
    (mine.parent / name).write_text("made by hand\n")
    assert main(typed) == 1
    assert f"{mine.parent / name}: something else is there already" in capsys.readouterr().err
    assert (mine.parent / name).read_text() == "made by hand\n"
    assert main([*typed, "--force"]) == 0


def test_the_files_of_two_sources_of_one_name_do_not_replace_each_other(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = mine.parent / "other" / "mine.jsonl"
    other.parent.mkdir()
    other.write_text(mine.read_text("utf-8").replace("Ann", "Bea"), "utf-8")
    out = mine.parent / "out"
    assert main(["--problems", str(mine), "--datasets", "sd", "--out", str(out)]) == 0
    assert main(["--problems", str(other), "--datasets", "sd", "--out", str(out)]) == 1
    assert "mine_sd.jsonl: something else is there already" in capsys.readouterr().err
    assert "Ann" in read_noisy(out / "mine_sd.jsonl")[0].question


@pytest.mark.parametrize("kind", ["folder", "link to nothing"])
def test_what_is_no_file_is_not_replaced(mine: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = mine.parent / "mine_inf.jsonl"
    path.mkdir() if kind == "folder" else path.symlink_to("nothing")
    assert main(["--problems", str(mine), "--datasets", "inf", "--out", str(mine.parent)]) == 1
    assert f"{path}: something else is there already" in capsys.readouterr().err
    assert path.is_dir() or path.is_symlink()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("mine.jsonl", "mine.jsonl: expected a folder to write to, got a file"),
        ("mine.jsonl/deep/er", "mine.jsonl: expected a folder to write to, got a file"),
        ("nul\0here", "expected the name of a folder, got a NUL character in it"),
        ("a" * 300, ": cannot make this folder: File name too long"),
        ("/proc/nowhere/at/all", "cannot make this folder: No such file or directory"),
    ],
)
def test_a_folder_that_can_be_none_is_one_sentence(
    mine: Path, out: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("jsonl", "lm-eval"):
        assert main(["--problems", str(mine), "--format", form, "--out", str(mine.parent / out)]) == 1
        said = capsys.readouterr().err
        assert message in said
        assert "Errno" not in said
        assert said.count("\n") == 1


def test_a_target_that_cannot_be_replaced_is_one_sentence(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mine.parent / "mine_inf.jsonl").mkdir()
    assert main(["--problems", str(mine), "--datasets", "inf", "--out", str(mine.parent), "--force"]) == 1
    said = capsys.readouterr().err
    assert said.endswith(": Is a directory\n")
    assert "Errno" not in said


def test_help_names_every_option_and_noise() -> None:
    command = [sys.executable, "-m", "noise", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(noise.__file__).parents[1])
    for word in ("--problems", "--datasets", "--seed", "--out", "--force", *noise.NOISES):
        assert word in done.stdout
