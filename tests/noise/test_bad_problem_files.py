"""A bad file of problems ends in one sentence: `file:line: expected … got …`, at once, whichever command reads it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from noise.__main__ import main
from noise.problems.bad_lines import BadLine, bad_lines_key, without
from noise.problems.problem_sources import load_problems
from tests.bad_problem_files import BAD_FILES, BAD_LINES, GOOD_FILES, WHOLE_FILES, BadFile

pytestmark = pytest.mark.quick
NAMED = [pytest.param(file, id=file.name) for file in BAD_FILES]


@pytest.mark.parametrize("file", NAMED)
def test_the_reader_and_the_command_say_what_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: BadFile
) -> None:
    path = tmp_path / "mine.jsonl"
    file.write(path)
    started = time.process_time()
    with pytest.raises((ValueError, OSError)) as refused:
        load_problems(path)
    assert time.process_time() - started < 1
    assert str(refused.value).startswith(f"{path}{file.said}")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 2 * len(str(path)) + 300
    assert main(["--problems", str(path), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"python -m noise: {path}{file.said}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", [pytest.param(file, id=file.name) for file in BAD_LINES])
def test_a_bad_line_can_be_left_out_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: BadFile
) -> None:
    path = tmp_path / "mine.jsonl"
    file.write(path)
    bad_lines: list[BadLine] = []
    problems = load_problems(path, bad_lines=bad_lines)
    both_golds = file.name == "two gold answers"
    assert [line.number for line in bad_lines] == ([1, 2] if both_golds else [2])
    assert bad_lines[-1].reason.startswith(f"{path}{file.said}")
    assert len(problems) == path.read_bytes().count(b"\n") - len(bad_lines)
    assert main(["--problems", str(path), "--out", str(tmp_path), "--datasets", "sd", "--skip-bad-lines"]) == 0
    assert f"left out: {path}{file.said}" in capsys.readouterr().err
    assert len((tmp_path / "mine_sd.jsonl").read_text().splitlines()) == len(problems)


@pytest.mark.parametrize("file", [pytest.param(file, id=file.name) for file in WHOLE_FILES])
def test_what_is_wrong_with_the_whole_file_stays_an_error(tmp_path: Path, file: BadFile) -> None:
    path = tmp_path / "mine.jsonl"
    file.write(path)
    with pytest.raises((ValueError, OSError)) as refused:
        load_problems(path, bad_lines=[])
    assert str(refused.value).startswith(f"{path}{file.said}")


def test_a_file_without_a_good_line_stays_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("[1]\n[2]\n")
    message = (
        "mine.jsonl: expected at least one line that is a problem, got 2 bad ones; .*mine.jsonl:1: expected a JSON"
    )
    with pytest.raises(ValueError, match=message):
        load_problems(path, bad_lines=[])


@pytest.mark.parametrize(("name", "write", "count"), GOOD_FILES)
def test_what_looks_odd_and_is_fine_is_read(tmp_path: Path, name: str, write, count: int) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.jsonl"
    write(path)
    bad_lines: list[BadLine] = []
    assert len(load_problems(path)) == len(load_problems(path, bad_lines=bad_lines)) == count
    assert bad_lines == []
    assert main(["--problems", str(path), "--out", str(tmp_path), "--datasets", "inf"]) == 0, name


def test_a_problem_keeps_its_id_when_a_line_before_it_is_left_out(tmp_path: Path) -> None:
    """So that a noisy file and a noise draw belong to it with and without the bad line."""
    path = tmp_path / "mine.jsonl"
    path.write_text('[1]\n{"question": "How many?", "answer": "#### 3"}\n')
    assert [problem.id for problem in load_problems(path, bad_lines=[])] == ["mine-00002"]


def test_of_two_lines_with_one_id_the_first_is_kept_and_of_two_golds_neither(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    lines = [("a", "How many?", 3), ("a", "How much?", 4), ("b", "how many?", 5), ("c", "How many?", 3)]
    path.write_text("".join(f'{{"id": "{i}", "question": "{q}", "answer": "#### {n}"}}\n' for i, q, n in lines))
    path.write_text(path.read_text() + '{"id": "d", "question": "How long?", "answer": "#### 1"}\n')
    bad_lines: list[BadLine] = []
    assert [problem.id for problem in load_problems(path, bad_lines=bad_lines)] == ["d"]
    assert [(line.number, line.reason.partition(": expected ")[2][:22]) for line in bad_lines] == [
        (1, "one gold answer per qu"),
        (2, "a unique id, got 'a', "),
        (3, "one gold answer per qu"),
        (4, "one gold answer per qu"),
    ]


def test_files_whose_bad_lines_differ_are_not_taken_for_one_another(tmp_path: Path) -> None:
    def key(*lines: str) -> bytes:
        path, bad_lines = tmp_path / "mine.jsonl", list[BadLine]()
        good = '{"question": "How many?", "answer": "#### 3"}'
        path.write_text("\n".join((good, *lines)) + "\n")
        load_problems(path, bad_lines=bad_lines)
        return bad_lines_key(bad_lines)

    other = '{"question": "How much?", "answer": "#### 4"}'
    keys = [key(), key("[1]"), key("[2]"), key("[1]", "[2]"), key(other, "[1]"), key("[1]", other, "[1]")]
    assert keys[0] == b""
    assert len(set(keys)) == len(keys)
    assert key("[1]\r") == key("[1]")
    assert (without([]), without([BadLine(2, "", "")])) == ("", " without 1 bad line")
