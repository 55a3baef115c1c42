"""`pytest benchmarks --problems FILE` on files that are bad, wholly or in a line: a usage error in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.eval_set import EvalSet, eval_set
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from models.model_registry import MODELS
from reports.experiment import Experiment
from reports.store.results_folder import Results
from tests.bad_problem_files import BAD_FILES, GOOD, WHOLE_FILES
from tests.benchmarks.typed_commands import typed, typed_in_turn

#: One case, so that collecting it costs little.
_CASE = ["benchmarks/test_zero_shot.py", "--skip-sft", "--models", "llama", "--datasets", "clean"]
OTHER = {"question": "Ida has 12 pears. She sells 5. How many are left?", "answer": "#### 7"}


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_a_bad_file_is_a_usage_error_before_anything_is_loaded(
    subtests: pytest.Subtests, tmp_path: Path, step: int
) -> None:
    """Every seventh, or all of them: their sentences are checked in `tests/noise/test_bad_problem_files.py`."""
    commands, files = [], BAD_FILES[::step]
    for number, file in enumerate(files):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / str(number) / "mine.jsonl"
        file.write(path)
        commands.append([*_CASE, "--problems", str(path), "--results", f"{tmp_path}/results"])
    for number, (file, done) in enumerate(zip(files, typed_in_turn(commands), strict=True)):
        with subtests.test(file.name):
            assert done.returncode == pytest.ExitCode.USAGE_ERROR
            assert f"{tmp_path / str(number) / 'mine.jsonl'}{file.said}" in done.stderr
            assert "Traceback" not in done.stderr
            assert "INTERNALERROR" not in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_a_bad_file_stops_workers_before_they_start(tmp_path: Path, workers: list[str]) -> None:
    path = write(tmp_path / "mine.jsonl", GOOD, [1])
    done = typed(*_CASE, "--problems", str(path), "--results", f"{tmp_path}/results", *workers)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"{path}:2: expected a JSON object, got list [1]" in done.stderr


def test_whole_files_stay_errors_where_bad_lines_are_left_out(subtests: pytest.Subtests, tmp_path: Path) -> None:
    path, commands = tmp_path / "none_is_good.jsonl", []
    write(path, [1], [2])
    chosen = [file for file in WHOLE_FILES if file.name in ("UTF-16", "gzip", "a folder")]
    for number, file in enumerate(chosen):
        file.write(tmp_path / f"{number}.jsonl")
    for source in (*(tmp_path / f"{number}.jsonl" for number in range(len(chosen))), path):
        commands.append([*_CASE, "--problems", str(source), "--skip-bad-lines", "--results", f"{tmp_path}/results"])
    for done in typed_in_turn(commands):
        with subtests.test(done.stderr):
            assert done.returncode == pytest.ExitCode.USAGE_ERROR
            assert "expected" in done.stderr


def test_bad_lines_that_are_left_out_are_counted_and_named(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl", GOOD, [1], [2], OTHER, [3], [4])
    folder = tmp_path / "results"
    done = typed(*_CASE, "--problems", str(path), "--skip-bad-lines", "--results", str(folder), "--max-new-tokens", "2")
    assert done.returncode == 0, done.stdout
    assert "bad lines left out: 4, all named in run.json" in done.stdout
    assert f"{path}:2: expected a JSON object, got list [1]" in done.stdout
    (run,) = json.loads((folder / "run.json").read_text())["runs"]
    assert [line.rpartition(" ")[2] for line in run["bad_lines"]] == ["[1]", "[2]", "[3]", "[4]"]
    assert run["options"]["skip_bad_lines"] is True
    (settings,) = run["settings"].values()
    assert settings["problems"].startswith("mine.jsonl without 4 bad lines ")
    write(path, GOOD, {**GOOD, "id": "mended"}, [2], OTHER, [3], [4])
    again = typed(*_CASE, "--problems", str(path), "--skip-bad-lines", "--results", str(folder))
    assert again.returncode == pytest.ExitCode.USAGE_ERROR
    assert "problems was 'mine.jsonl without 4 bad lines" in " ".join(again.stdout.split())


def test_questions_that_are_asked_twice_are_said(tmp_path: Path) -> None:
    """Two rows of one question are not two pieces of evidence."""
    path = write(tmp_path / "mine.jsonl", GOOD, OTHER, {**GOOD, "id": "again"})
    done = typed(*_CASE, "--problems", str(path), "--results", f"{tmp_path}/results", "--max-new-tokens", "2")
    assert done.returncode == 0, done.stdout
    assert "problems: 3 a cell; mine.jsonl has no more" in " ".join(done.stdout.split())
    said = "repeated questions in mine.jsonl: 1 of 3 problems ask what an earlier one asks, and each of them counts"
    assert said in " ".join(done.stdout.split())
    assert set_of(write(path, GOOD, OTHER)).repeated_questions_message() == ""


def set_of(path: Path, skip: bool = True) -> EvalSet:
    plan = Plan((MODELS["llama"],), ("clean",), ("zero_shot",), problems=str(path), skip_bad_lines=skip)
    return eval_set(plan, needs_tuning=False)


def test_the_problems_of_a_key_are_others_where_other_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    whole = set_of(write(path, GOOD, OTHER))
    assert whole.source == set_of(path, skip=False).source, "where nothing is bad, the option changes nothing"
    sources = [set_of(write(path, *lines)).source for lines in ([GOOD, [1]], [GOOD, [2]], [GOOD, OTHER, [1]])]
    assert len({whole.source, *sources}) == 4


def test_bad_lines_of_the_problems_to_tune_on_are_left_out_too(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", GOOD, [1], {**GOOD, "question": "How many pens has Bo, who buys 7?"})
    plan = Plan((MODELS["llama"],), ("clean",), ("sft",), sft_problems=str(path), skip_bad_lines=True, sft_samples=2)
    runner = Runner(plan, Experiment(Results(tmp_path / "results")))
    assert len(runner.sft_set.problems) == 2
    assert runner.experiment.bad_lines == [f"{path}:2: expected a JSON object, got list [1]"]
