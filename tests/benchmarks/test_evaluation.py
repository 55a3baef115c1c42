"""From a generation to an outcome, and from a cell's problems to its predictions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import models.decode.generation
from benchmarks import run_comprehensive_evaluation
from benchmarks.choices import choose_models
from benchmarks.eval_set import eval_set
from benchmarks.evaluation import draw_questions, evaluate
from benchmarks.grading import grade
from benchmarks.plan import Plan
from benchmarks.plan_errors import PlanError
from benchmarks.stages.likelihood import measure_likelihood
from models.decode.generation import Generation, generate
from models.loading.load_errors import LoadError
from models.loading.load_model import LoadedModel, load
from models.model_registry import UnknownModelError
from noise import mini
from noise.problems.problem import Problem, strip
from reports.experiment import Experiment
from reports.stages import UnknownStageError
from reports.store.records import Cell
from reports.store.results_folder import Results, ResultsMismatch
from tests.models.scripted_model import scripted_model

CLEAN = Cell("llama", "clean", "zero_shot")
PROBLEM = draw_questions("clean", [Problem("p", "How many?", "4+4=8\n#### 8")], 0)[0]


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return load("llama", device="cpu", dtype="float32")


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(Results(tmp_path / "results"))


@pytest.mark.parametrize(
    ("text", "finished", "outcome", "answer"),
    [
        (" 4+4=8\n#### 8", True, "correct", "8"),
        (" 4+4=9\n#### 9", True, "incorrect", "9"),
        (" #### 8.0", True, "correct", "8"),
        (" I do not know.", True, "no_answer", None),
        ("", True, "no_answer", None),
        (" 4+4=8", False, "truncated", None),
        (" The answer is 8. Now let us", False, "correct", "8"),
    ],
)
def test_an_outcome_is_read_from_the_text(text: str, finished: bool, outcome: str, answer: str | None) -> None:
    """A text that was cut off counts only where it had already said its final answer."""
    prediction = grade(PROBLEM, Generation(text, 5, finished))
    assert (prediction.outcome, prediction.answer) == (outcome, answer)


@pytest.mark.parametrize("noise", ["inf", "rcs", "sd"])
def test_both_models_are_asked_the_same_noisy_text_whatever_the_subset(noise: str) -> None:
    problems = mini.problems("test")[:20]
    asked = draw_questions(noise, problems, seed=0)
    assert draw_questions(noise, problems[5:9], seed=0) == asked[5:9]
    assert [strip(problem) for problem in asked] == [problem.question for problem in problems]
    assert all(noisy.question != problem.question for noisy, problem in zip(asked, problems, strict=True))


def test_predictions_are_read_back_and_only_the_missing_ones_made(loaded: LoadedModel, experiment: Experiment) -> None:
    asked = draw_questions("clean", mini.problems("test")[:9], 0)
    first = evaluate(experiment, loaded, CLEAN, asked[:4], "mine")
    assert evaluate(experiment, loaded, CLEAN, asked, "mine")["mini-test-00000"] == first["mini-test-00000"]
    assert [(run.read, run.made) for run in experiment.runs] == [(0, 4), (4, 5)]
    assert len(experiment.results.newest_records(CLEAN)) == 9


def test_another_token_limit_is_another_experiment(loaded: LoadedModel, experiment: Experiment) -> None:
    asked = draw_questions("clean", mini.problems("test")[:2], 0)
    evaluate(experiment, loaded, CLEAN, asked, "mine")
    with pytest.raises(ResultsMismatch, match="max_new_tokens was 256 and is now 64"):
        evaluate(experiment, loaded, CLEAN, asked, "mine", max_new_tokens=64)


def test_another_model_under_the_same_name_is_another_experiment(experiment: Experiment, loaded: LoadedModel) -> None:
    asked = draw_questions("clean", mini.problems("test")[:2], 0)
    evaluate(experiment, loaded, CLEAN, asked, "mine")
    with pytest.raises(ResultsMismatch, match="weights was"):
        evaluate(experiment, load("diffllama", device="cpu", dtype="float32"), CLEAN, asked, "mine")


def test_one_problem_that_fails_leaves_its_batch_alone(loaded: LoadedModel, experiment: Experiment) -> None:
    """The batch is asked again one at a time: the long one cannot fit, and the others get their answers."""
    problems = [*mini.problems("test")[:3], Problem("long", "How many marbles? " * 900, "#### 1")]
    found = evaluate(experiment, loaded, CLEAN, draw_questions("clean", problems, 0), "mine")
    assert found["long"].outcome == "error"
    assert "PromptTooLongError" in (found["long"].error or "")
    assert all(found[problem.id].outcome in {"correct", "incorrect"} for problem in problems[:3])
    assert experiment.accuracies()[0].n == 3


def test_an_error_is_asked_again_on_the_next_run(
    loaded: LoadedModel, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = draw_questions("clean", mini.problems("test")[:3], 0)

    def fails(*asked: object) -> Iterator[tuple[int, Generation]]:
        raise RuntimeError("the model broke")

    with monkeypatch.context() as patch:
        patch.setattr(models.decode.generation, "answers", fails)
        failed = evaluate(experiment, loaded, CLEAN, asked, "mine")
    assert {prediction.outcome for prediction in failed.values()} == {"error"}
    again = evaluate(experiment, loaded, CLEAN, asked, "mine")
    assert "error" not in {prediction.outcome for prediction in again.values()}


def failing_after(ends: int, error: BaseException) -> Callable[..., Iterator[tuple[int, Generation]]]:
    """The real `answers`, which raise `error` in the place of the answer after the first `ends` of the first call."""
    real = models.decode.generation.answers
    calls = []

    def answers(*asked: Any) -> Iterator[tuple[int, Generation]]:
        calls.append(1)
        for number, answer in enumerate(real(*asked)):
            if number == ends and len(calls) == 1:
                raise error
            yield answer

    return answers


def test_an_interrupted_cell_keeps_what_had_ended(
    loaded: LoadedModel, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = draw_questions("clean", mini.problems("test")[:6], 0)
    monkeypatch.setattr(models.decode.generation, "answers", failing_after(4, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        evaluate(experiment, loaded, CLEAN, asked, "mine", batch_size=2)
    assert len(experiment.results.newest_records(CLEAN)) == 4


def test_what_had_ended_before_a_failure_is_not_asked_again(
    loaded: LoadedModel, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = draw_questions("clean", mini.problems("test")[:6], 0)
    expected = generate(loaded, [noisy.question for noisy in asked])
    monkeypatch.setattr(models.decode.generation, "answers", failing_after(4, RuntimeError("once")))
    found = evaluate(experiment, loaded, CLEAN, asked, "mine", batch_size=2)
    assert [found[noisy.problem.id].text for noisy in asked] == [generation.text for generation in expected]
    path = experiment.results.path(CLEAN)
    assert len(path.read_bytes().splitlines()) == 6, "one line each"


def test_the_grid_runs_from_python_and_resumes(tmp_path: Path) -> None:
    options = {"models": ["llama"], "datasets": ["clean", "inf"], "results": tmp_path / "results"}
    table, details = run_comprehensive_evaluation(max_samples_per_dataset=6, **options)  # type: ignore[arg-type]
    assert list(table.columns[:5]) == ["model", "dataset", "accuracy", "correct", "total"]
    assert list(table["dataset"]) == ["clean", "inf"]
    assert list(table["total"]) == [6, 6]
    assert set(details) == {"llama-clean-zero_shot", "llama-inf-zero_shot"}
    for row in table.to_dict("records"):
        outcomes = [prediction.outcome for prediction in details[f"llama-{row['dataset']}-zero_shot"]]
        assert row["correct"] == outcomes.count("correct")
    again, _ = run_comprehensive_evaluation(max_samples_per_dataset=6, **options)  # type: ignore[arg-type]
    assert again.equals(table)
    runs = json.loads((tmp_path / "results" / "run.json").read_text())["runs"]
    assert len(runs) == 2
    assert (tmp_path / "results" / "accuracy.csv").is_file()


def test_a_checkpoint_that_cannot_be_loaded_leaves_a_failed_run_with_what_was_made(tmp_path: Path) -> None:
    results = tmp_path / "results"
    with pytest.raises(LoadError, match="'mine'"):
        run_comprehensive_evaluation(["llama", f"mine={tmp_path}"], "clean", 2, results=results)
    (run,) = json.loads((results / "run.json").read_text())["runs"]
    assert (run["status"], [cell["made"] for cell in run["cells"]]) == ("failed", [2])


def test_other_stages_run_from_python_too(tmp_path: Path) -> None:
    _, records = run_comprehensive_evaluation(
        "llama", "clean,inf", 2, results=tmp_path / "results", stages=["zero_shot", "attention", "likelihood"]
    )
    stages = ("zero_shot", "attention", "likelihood")
    assert list(records) == [f"llama-{noise}-{stage}" for stage in stages for noise in ("clean", "inf")]
    assert all(len(of_cell) == 2 for of_cell in records.values())
    with pytest.raises(UnknownStageError, match="Did you mean 'zero_shot'"):
        run_comprehensive_evaluation("llama", stages="zero-shot")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"models": ["lama"]}, UnknownModelError, "Did you mean 'llama'"),
        ({"datasets": ["infs"]}, PlanError, "Did you mean 'inf'"),
        ({"models": "lama"}, UnknownModelError, "Did you mean 'llama'"),
        ({"max_samples_per_dataset": 0}, PlanError, "max_samples_per_dataset=0: expected a number from 1 up"),
        ({"batch_size": 0}, PlanError, "batch_size=0"),
        (
            {"max_samples_per_dataset": 2.5},
            PlanError,
            "^max_samples_per_dataset=2.5: expected a whole number, got float$",
        ),
        (
            {"max_samples_per_dataset": "5"},
            PlanError,
            "^max_samples_per_dataset='5': expected a whole number, got str$",
        ),
        ({"max_new_tokens": None}, PlanError, "^max_new_tokens=None: expected a whole number, got NoneType$"),
        ({"seed": 1.0}, PlanError, "^seed=1.0: expected a whole number, got float$"),
        ({"models": None}, PlanError, "^models=None: expected a name, or a list of names, got NoneType$"),
        ({"models": ["llama", 3]}, PlanError, r"^models=\['llama', 3\]: expected a name, or a list of names, got int$"),
        ({"datasets": 5}, PlanError, "^datasets=5: expected a name, or a list of names, got int$"),
        ({"stages": None}, PlanError, "^stages=None: expected a name, or a list of names, got NoneType$"),
    ],
)
def test_a_misspelt_word_fails_before_anything_is_written(
    tmp_path: Path, options: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run_comprehensive_evaluation(results=tmp_path / "results", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "results").exists()


def test_a_noise_is_drawn_several_times_with_the_seeds_after_the_first() -> None:
    """The first draw keeps the problem's id, so that more draws extend a run; the clean problem has none."""
    problems = mini.problems("test")[:3]
    asked = draw_questions("inf", problems, seed=5, draws=2)
    assert asked[:3] == draw_questions("inf", problems, seed=5)
    assert [noisy.question for noisy in asked[3:]] == [
        noisy.question for noisy in draw_questions("inf", problems, seed=6)
    ]
    assert [noisy.problem.id for noisy in asked[3:]] == [f"{problem.id} (draw 2)" for problem in problems]
    assert len(draw_questions("clean", problems, seed=5, draws=2)) == 3


def test_an_id_that_reads_as_a_draw_is_refused(tmp_path: Path) -> None:
    """It would be pooled with the problem that it seems to be a draw of."""
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "q (draw 2)", "question": "How many?", "answer": "#### 3"}) + "\n")
    plan = Plan(models=choose_models("llama"), datasets=("clean",), stages=("zero_shot",), problems=str(path))
    with pytest.raises(ValueError, match=r"expected ids that do not end in '\(draw N\)', which .* got 'q \(draw 2\)'"):
        eval_set(plan, needs_tuning=False)


def test_scores_that_are_not_finite_are_errors(tmp_path: Path) -> None:
    """Not wrong answers: the case of such a problem fails."""
    problem = Problem("bob", "Bob has 16 eggs. He eats 3. How many are left?", "16-3=13\n#### 13")
    loaded = scripted_model(tmp_path / "model", problem.question, " 13", score=float("inf"))
    experiment, asked = Experiment(Results(tmp_path / "results")), draw_questions("clean", [problem], 0)
    prediction = evaluate(experiment, loaded, Cell("m", "clean", "zero_shot"), asked, "mine")["bob"]
    likelihood = measure_likelihood(experiment, loaded, Cell("m", "clean", "likelihood"), asked, "mine")["bob"]
    for record in (prediction, likelihood):
        assert record.outcome == "error"
        assert re.search("NaN or infinite|not finite", str(record.error))


def test_a_corrected_gold_answer_is_graded_again_without_the_model(tmp_path: Path) -> None:
    wrong = Problem("bob", "Bob has 16 eggs. He eats 3. How many are left?", "16-3=12\n#### 12")
    loaded = scripted_model(tmp_path / "model", wrong.question, " 13")
    cell, results = Cell("m", "clean", "zero_shot"), Results(tmp_path / "results")
    first = evaluate(Experiment(results), loaded, cell, draw_questions("clean", [wrong], 0), "mine")["bob"]
    assert (first.outcome, first.answer) == ("incorrect", "13")
    right, experiment = replace(wrong, answer="16-3=13\n#### 13"), Experiment(results)
    again = evaluate(experiment, loaded, cell, draw_questions("clean", [right], 0), "mine")["bob"]
    assert (again.outcome, again.answer, again.gold) == ("correct", "13", right.answer)
    (run,) = experiment.runs
    assert (run.read, run.made, run.graded_again) == (1, 0, 1)
    assert results.newest_records(cell) == {"bob": again}
