"""Several processes give the same noise as one."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import count
from multiprocessing import active_children
from pathlib import Path

import pytest

import noise
from noise import inject, inject_all, mini, parallel
from noise.__main__ import main
from noise.problems.problem import Problem

QUESTION = "Ann has 3 pens. She buys 4 pens. How many pens has Ann?"


def test_the_number_of_processes_changes_neither_noise_nor_order() -> None:
    problems = [replace(problem, original_question="as it was") for problem in mini.problems("test")[:1500]]
    one_by_one = [inject(problem, "rcs2", 3) for problem in problems]
    assert list(inject_all(problems, "rcs2", 3)) == one_by_one
    shared = list(inject_all(iter(problems), "rcs2", 3, processes=2))
    assert shared == one_by_one
    assert shared[0].problem is problems[0]


@pytest.mark.parametrize("processes", [1, 2])
def test_no_more_is_read_ahead_than_documented(processes: int) -> None:
    read = count(1)
    endless = (Problem(str(next(read)), QUESTION, "#### 7") for _ in count())
    noisy = inject_all(endless, "inf", processes=processes)
    assert next(noisy).problem.id == "1"
    assert next(read) <= (1 if processes == 1 else 2000 * processes) + 1
    noisy.close()  # type: ignore[attr-defined]
    assert not active_children()


def test_no_problems_give_no_noise() -> None:
    assert list(inject_all([], "inf", processes=2)) == []


def test_a_failure_in_another_process_is_raised_as_in_this_one() -> None:
    bad = Problem("odd", None, "#### 7")  # type: ignore[arg-type]
    for processes in (1, 2):
        with pytest.raises(TypeError):
            list(inject_all([bad], "inf", processes=processes))


def test_a_process_that_dies_is_an_error_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "_ignore_interrupts", _die)
    arguments = ["--problems", "mini:test", "--datasets", "sd", "--processes", "2", "--out", str(tmp_path)]
    assert main(arguments) == 1
    assert "python -m noise: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def _die() -> None:
    os._exit(3)


@pytest.mark.quick
def test_mistakes_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match="expected at least 1 process, got 0"):
        inject_all(iter(()), "inf", processes=0)
    with pytest.raises(ValueError, match="unknown noise 'onf'\\. Did you mean 'inf'"):
        inject_all(iter(()), "onf", processes=2)


def test_the_command_writes_the_same_bytes_with_several_processes(tmp_path: Path) -> None:
    for processes in ("1", "2"):
        out = tmp_path / processes
        assert main(["--problems", "mini:test", "--datasets", "sd", "--processes", processes, "--out", str(out)]) == 0
    files = [(tmp_path / processes / "mini_sd_test.jsonl").read_bytes() for processes in ("1", "2")]
    assert files[0] == files[1]
    assert files[0].count(b"\n") == len(noise.load_problems("mini:test"))


@pytest.mark.quick
def test_a_wrong_number_of_processes_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--problems", "mini", "--processes", "0"])
    assert caught.value.code == 2
    assert "argument --processes: expected a whole number from 1 to 256, got '0'" in capsys.readouterr().err
