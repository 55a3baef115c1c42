"""Placebos in a grid: case ids, the same text for all models, lengths in tokens, files, and what is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.choices import choose_datasets, choose_models, choose_sft_noise
from benchmarks.placebo_length import placebo_length
from benchmarks.plan import Plan
from benchmarks.plan_errors import PlanError
from benchmarks.runner import ProblemsError, Runner
from models.model_registry import ModelSpec
from noise import generate_noisy_datasets, load_problems
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import typed

DATASETS = ("clean", "inf", "filler:inf", "digits:inf")


def runner_of(folder: Path, **changed: Any) -> Runner:
    plan = Plan(models=choose_models("diffllama,llama"), datasets=DATASETS, stages=("zero_shot",), max_samples=12)
    return Runner(replace(plan, **changed), Experiment(Results(folder), progress=no_progress_bar))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clean,filler", "filler alone needs a noise to match: filler:inf"),
        ("filer:inf", "unknown placebo 'filer'. Did you mean 'filler'?"),
        ("digits:sd", "sd has no numbers to match; use filler:sd"),
        ("filler:inf99", "expected 2 to 32"),
    ],
)
def test_a_placebo_that_means_nothing_is_refused(text: str, words: str) -> None:
    with pytest.raises(PlanError) as refused:
        choose_datasets(text)
    assert words in str(refused.value)


@pytest.mark.quick
def test_placebos_are_datasets_with_and_without_a_dose() -> None:
    assert choose_datasets("clean, inf4, filler:inf4,digits:rcs") == ("clean", "inf4", "filler:inf4", "digits:rcs")
    assert choose_sft_noise("none,filler:inf") == ("clean", "filler:inf")


def test_lengths_are_those_of_the_first_model_s_tokenizer_and_run_json_says_so(tmp_path: Path) -> None:
    runner = runner_of(tmp_path)
    count = placebo_length(runner.plan).count
    assert count is not None
    assert count("Mist drifted.") > 2, "tokens, not words"
    texts = {noise: runner.questions(Cell("llama", noise, "zero_shot")) for noise in DATASETS[1:]}
    assert texts["filler:inf"] == runner.questions(Cell("diffllama", "filler:inf", "zero_shot")), "the same for all"
    for placebo in ("filler:inf", "digits:inf"):
        for noisy, matched in zip(texts["inf"], texts[placebo], strict=True):
            assert abs(count(noisy.question) - count(matched.question)) <= 1
    assert runner.experiment.placebo_length == "tokens of diffllama"


def test_a_tokenizer_that_cannot_be_read_leaves_words(tmp_path: Path) -> None:
    missing = ModelSpec(name="mine", source=str(tmp_path / "nothing"))
    measured = placebo_length(replace(runner_of(tmp_path).plan, models=(missing,)))
    assert (measured.count, measured.unit) == (None, "words")


def test_a_grid_without_a_placebo_reads_no_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.runner.placebo_length", lambda plan: pytest.fail("no length is wanted"))
    runner = runner_of(tmp_path)
    assert runner.questions(Cell("llama", "inf", "zero_shot"))
    assert runner.experiment.placebo_length is None


def problem_file(folder: Path, *last: str) -> Path:
    lines = [f"Ann has {n} caps. She buys 2 more. How many caps does Ann have?" for n in range(20, 24)] + [*last]
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps({"question": line, "answer": "#### 5"}) + "\n" for line in lines))
    return path


def test_a_problem_that_asks_for_a_number_is_left_out_of_digits_and_counted(tmp_path: Path) -> None:
    path = problem_file(tmp_path, "Two numbers add up to 31 and one is 5 larger. What is the larger number?")
    runner = runner_of(tmp_path / "results", problems=str(path))
    sizes = {noise: len(runner.questions(Cell("llama", noise, "zero_shot"))) for noise in DATASETS}
    assert sizes == {"clean": 5, "inf": 5, "filler:inf": 5, "digits:inf": 4}
    assert runner.experiment.notes == ["digits:inf: 1 of 5 questions can carry no such sentence, and are left out"]
    generate_noisy_datasets(path, DATASETS[1:], folder=tmp_path)
    from_files = runner_of(tmp_path / "results", problems=str(path), noisy_folder=tmp_path)
    assert {noise: len(from_files.questions(Cell("llama", noise, "zero_shot"))) for noise in DATASETS} == sizes
    assert from_files.experiment.placebo_length is None, "the files have been matched before"


def test_a_cell_without_any_problem_says_why(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"question": "One number is 5 more than 3. What is the number?", "answer": "#### 8"}))
    runner = runner_of(tmp_path / "results", problems=str(path))
    with pytest.raises(ProblemsError, match="asks for a number"):
        runner.questions(Cell("llama", "digits:inf", "zero_shot"))
    assert load_problems(path)


def test_a_run_with_placebos_resumes_and_reports_what_the_noise_costs_beyond_them(tmp_path: Path) -> None:
    options = ["benchmarks", "--datasets", ",".join(DATASETS), "--max-samples", "4", "--skip-sft", "--results"]
    options += [str(tmp_path), "--measure", "accuracy,likelihood", "-v"]
    first = typed(*options)
    assert first.returncode == 0, first.stdout
    for stage in ("zero_shot", "attention", "likelihood"):
        assert f"[llama-filler:inf-{stage}]" in first.stdout
    assert "over filler: " in first.stdout
    assert (tmp_path / "predictions/zero_shot/llama/filler%3Ainf.jsonl").is_file()
    assert '"placebo_length": "tokens of diffllama"' in (tmp_path / "run.json").read_text()
    assert "inf-digits:inf" in (tmp_path / "comparisons.csv").read_text()
    assert "over filler" in (tmp_path / "report.html").read_text()
    again = typed(*options, "-k", "filler:inf")
    assert again.returncode == 0, again.stdout
    assert "predictions: 8 read, 0 made" in again.stdout
