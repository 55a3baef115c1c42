"""A runner without pytest: it reads each file once, keeps the models of one name, and tries a bad checkpoint once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.choices import choose_models
from benchmarks.plan import Plan
from benchmarks.runner import AlreadyFailed, ProblemsError, Runner
from models.loading import load_model
from models.loading.load_errors import LoadError
from noise.problems import jsonl
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.folder_lock import FolderLock, ResultsInUse
from reports.store.records import Cell
from reports.store.results_folder import Results


def runner_of(tmp_path: Path, **changed: Any) -> Runner:
    plan = Plan(models=choose_models("llama"), datasets=("clean", "inf"), stages=("zero_shot",), max_samples=2)
    return Runner(replace(plan, **changed), Experiment(Results(tmp_path / "results"), progress=no_progress_bar))


@pytest.mark.quick
def test_a_problem_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To evaluate on, to tune on, and for every cell."""
    path = tmp_path / "mine.jsonl"
    line = {"question": "Ann has {n} caps. She buys 2 more. How many caps does Ann have?", "answer": "#### 5"}
    path.write_text("".join(json.dumps({**line, "question": line["question"].format(n=n)}) + "\n" for n in range(20)))
    reads: Counter[Path] = Counter()
    original = Path.open

    def counted(self: Path, *arguments: Any, **kwargs: Any) -> Any:
        reads[self] += 1
        return original(self, *arguments, **kwargs)

    monkeypatch.setattr(jsonl.Path, "open", counted)
    runner = runner_of(tmp_path, problems=str(path), stages=("zero_shot", "sft", "attention"))
    assert runner.sft_set.problems
    for stage in runner.plan.stages:
        for cell in runner.plan.cells(stage):
            assert runner.questions(cell)
    assert reads[path] == 1


def test_a_cell_is_run_without_pytest_and_read_again(tmp_path: Path) -> None:
    runner, cell = runner_of(tmp_path), Cell("llama", "inf", "zero_shot")
    first = runner.run(cell)
    assert [record.outcome in ("correct", "incorrect") for record in first.values()] == [True, True]
    again = runner_of(tmp_path)
    assert again.run(cell) == first
    assert (again.experiment.runs[-1].read, again.experiment.runs[-1].made) == (2, 0)


@pytest.mark.quick
def test_of_clean_problems_none_is_left_out_however_often_noise_is_drawn(tmp_path: Path) -> None:
    runner = runner_of(tmp_path, noise_seeds=3)
    assert [len(runner.questions(Cell("llama", noise, "zero_shot"))) for noise in ("clean", "inf")] == [2, 6]
    assert runner.experiment.notes == []


@pytest.mark.quick
def test_a_checkpoint_that_cannot_be_loaded_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fails(*arguments: Any) -> None:
        tries.append(arguments)
        raise LoadError("model 'llama': no luck")

    monkeypatch.setattr(load_model, "load", fails)
    runner = runner_of(tmp_path)
    first, *others = runner.plan.cells("zero_shot")
    with pytest.raises(LoadError, match="no luck"):
        runner.run(first)
    assert others
    for cell in others:
        with pytest.raises(AlreadyFailed, match="no luck"):
            runner.run(cell)
    assert len(tries) == 1


@pytest.mark.quick
def test_the_models_of_one_name_are_kept_until_those_of_another_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(load_model, "load", lambda spec, *arguments: loaded.append(spec.name) or object())
    runner = runner_of(tmp_path, models=choose_models("llama,diffllama"))
    llama, diffllama = runner.plan.models
    assert runner.base_model(llama) is runner.base_model(llama)
    runner.base_model(diffllama)
    runner.base_model(llama)
    assert loaded == ["llama", "diffllama", "llama"]


@pytest.mark.quick
def test_the_folder_is_locked_before_a_tuning_creates_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, there = tmp_path / "results", list[str]()

    def tunes(*arguments: Any) -> Path:
        there.extend(path.name for path in folder.iterdir())
        with pytest.raises(ResultsInUse):
            FolderLock(folder, "another run").acquire()
        return folder

    monkeypatch.setattr("benchmarks.runner.tuned_checkpoint", tunes)
    runner = runner_of(tmp_path, stages=("sft",))
    assert not folder.exists()
    runner.tuned_checkpoint(runner.plan.models[0])
    assert there == [".lock"]
    runner.experiment.results.lock.release()
    assert not folder.exists(), "and nothing is left of a tuning that created nothing"


@pytest.mark.quick
def test_a_folder_in_which_another_run_tunes_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = FolderLock(tmp_path / "results", "another run")
    other.acquire(create=True)
    monkeypatch.setattr("benchmarks.runner.tuned_checkpoint", lambda *arguments: pytest.fail("tuned"))
    runner = runner_of(tmp_path, stages=("sft",))
    with pytest.raises(ResultsInUse, match="is in use by another run"):
        runner.tuned_checkpoint(runner.plan.models[0])
    other.release()


@pytest.mark.quick
def test_problems_that_cannot_be_used_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("{}\n")
    runner = runner_of(tmp_path, problems=str(tmp_path / "mine.jsonl"))
    with pytest.raises(ProblemsError, match=r"mine\.jsonl:1"):
        runner.run(Cell("llama", "clean", "zero_shot"))
