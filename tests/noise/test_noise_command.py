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
    assert {path.name for path in mine.parent.iterdir()} == {"mine.jsonl"} | {f"mine_{n}.jsonl" for n in noise.NOISES}


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


def test_help_names_every_option_and_noise() -> None:
    command = [sys.executable, "-m", "noise", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(noise.__file__).parents[1])
    for word in ("--problems", "--datasets", "--seed", "--out", *noise.NOISES):
        assert word in done.stdout
