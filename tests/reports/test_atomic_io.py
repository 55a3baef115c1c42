from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from reports.store.atomic_io import (
    ResultsFolderError,
    display_path,
    explaining_os_errors,
    locked,
    truncate_partial_line,
    write_atomically,
)

pytestmark = pytest.mark.quick


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.csv"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.csv"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultsFolderError, match=r"^cannot write .*b\.csv: No space left on device$"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.csv"
    write_atomically(path, b"old")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(ResultsFolderError, match=r"results is a file; expected a folder$"):
        write_atomically(tmp_path / "results" / "deep" / "b.csv", b"")


def test_display_path_is_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert display_path(tmp_path / "results" / "run.json") == str(Path("results", "run.json"))
    assert display_path(tmp_path.parent / "else") == str(tmp_path.parent / "else")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError("no such luck"), "no such luck"),
        (FileExistsError(17, "File exists"), "File exists"),
    ],
)
def test_an_error_of_the_file_system_says_what_could_not_be_done_to_which_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(ResultsFolderError, match=f"^cannot read a.csv: {reason}$") as outer,
        explaining_os_errors(tmp_path, "write"),
        explaining_os_errors(tmp_path / "a.csv", "read"),
    ):
        raise error
    assert outer.value.__cause__ is error, "it is explained once, by what is nearest"


@pytest.mark.parametrize(
    ("content", "kept"), [(b"", b""), (b"a\n", b"a\n"), (b"a\nbc\nd", b"a\nbc\n"), (b"abc", b""), (b"\n\n", b"\n\n")]
)
def test_what_follows_the_last_line_end_is_removed(tmp_path: Path, content: bytes, kept: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    truncate_partial_line(path)
    assert path.read_bytes() == kept


def test_a_locked_file_is_locked_for_others_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("ab") as ours, path.open("ab") as theirs:
        with locked(ours), pytest.raises(BlockingIOError):
            fcntl.flock(theirs, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_system_without_locks_is_written_to_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with (tmp_path / "a.jsonl").open("ab") as file, locked(file):
        file.write(b"a")
    assert (tmp_path / "a.jsonl").read_bytes() == b"a"
