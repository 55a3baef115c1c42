"""`--datasets NAME=FILE`, `--certified-only` and `--noise-file`: sets of others beside drawn noise, in one grid."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import run_comprehensive_evaluation
from benchmarks.dataset_file_choices import choose_dataset_files
from benchmarks.plan import Plan
from benchmarks.plan_errors import PlanError
from benchmarks.runner import ProblemsError, Runner
from models.model_registry import MODELS
from noise import NOISES, inject, load_problems
from noise.sentence_files import SENTENCE_FILES
from reports.experiment import Experiment
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import typed, typed_in_turn

_GRID = ["benchmarks/test_zero_shot.py", "--skip-sft", "--skip-attention", "--models", "llama", "--max-new-tokens", "2"]


def set_of(folder: Path, name: str = "pairs.jsonl", **changed: Any) -> Path:
    """A set of the first eight problems: six insertions, of which two are not certified, a paraphrase, a wrong gold."""
    lines = []
    for number, problem in enumerate(load_problems("mini")[:8]):
        question = inject(problem, "inf", seed=9).question
        if number in (2, 3):
            question = f"{problem.question} Could it be 12345?"
        if number == 4:
            question = question.replace(problem.question.split()[0], "Somebody", 1)
        answer = "#### 12345" if number == 5 else problem.answer
        lines.append({"question": question, "seed_question": problem.question, "answer": answer, **changed})
    path = folder / name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def runner_of(folder: Path, datasets: str, samples: int = 10, certified_only: bool = False, **changed: Any) -> Runner:
    names, files = choose_dataset_files(datasets, certified_only=certified_only)
    plan = Plan(models=(MODELS["llama"],), datasets=names, files=files, stages=("zero_shot",), max_samples=samples)
    return Runner(replace(plan, **changed), Experiment(Results(folder / "results")))


@pytest.mark.quick
def test_a_cell_asks_the_lines_of_its_problems(tmp_path: Path) -> None:
    path = set_of(tmp_path)
    runner = runner_of(tmp_path, f"clean,inf,plus={path}")
    asked = runner.questions(Cell("llama", "plus", "zero_shot"))
    problems = load_problems("mini")
    assert [noisy.problem for noisy in asked] == [problems[number] for number in (0, 1, 2, 3, 6, 7)]
    assert {noisy.noise for noisy in asked} == {"plus"}
    assert runner.read_noisy_files() == [
        "plus: 6 of 8 lines can be used; not used: 1 another answer than the clean problem's, 1 changes or drops words"
        " of the original question (all in run.json); 6 of 10 problems have a line, the others are left out"
    ]
    known = runner.experiment.paired_sets["plus"]
    assert known["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert known["refused"]["another answer than the clean problem's"] == {"count": 1, "lines": "6"}


@pytest.mark.quick
def test_certified_lines_alone_are_a_dataset_of_their_own(tmp_path: Path) -> None:
    """So that both effects can stand in one table."""
    runner = runner_of(tmp_path, f"plus={set_of(tmp_path)}", certified_only=True)
    assert runner.plan.datasets == ("plus+certified",)
    asked = runner.questions(Cell("llama", "plus+certified", "zero_shot"))
    assert [noisy.problem.id for noisy in asked] == [load_problems("mini")[number].id for number in (0, 1, 6, 7)]
    assert "; 2 are not certified and left out; 4 of 10 problems have a line" in runner.read_noisy_files()[0]
    reasons = runner.experiment.paired_sets["plus+certified"]["not_certified"]
    assert reasons == {"it stands behind the sentence that asks": 2}


@pytest.mark.quick
def test_further_lines_of_a_problem_are_its_further_draws(tmp_path: Path) -> None:
    path = set_of(tmp_path)
    path.write_text(path.read_text() * 3)
    once = runner_of(tmp_path, f"plus={path}", noise_seeds=1)
    twice = runner_of(tmp_path, f"plus={path}", noise_seeds=2)
    cell = Cell("llama", "plus", "zero_shot")
    assert (len(once.questions(cell)), len(twice.questions(cell))) == (6, 12)
    assert [noisy.problem.id for noisy in twice.questions(cell)][6] == f"{load_problems('mini')[0].id} (draw 2)"
    assert "; 12 further lines of them are not asked" in once.read_noisy_files()[0]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ("clean,inf={}", "expected a name of its own, got that of the dataset 'inf'"),
        ("Needle={}", "got that of the dataset 'needle'"),
        ("plus2={}", "ends in no digit"),
        ("a={0},A={0}", "expected a different name for each set, got 'A' twice"),
        ("plus={}.none", "no such file"),
        ("plus=", "expected NAME=FILE, got no file"),
        ("={}", "expected a name of letters"),
        ("plus={},ifn", "unknown dataset 'ifn'. Did you mean 'inf'?"),
    ],
)
def test_a_name_or_file_that_cannot_be_used_is_wrong_use(tmp_path: Path, datasets: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        choose_dataset_files(datasets.format(set_of(tmp_path)))
    assert message in caught.value.as_options()


@pytest.mark.quick
def test_a_set_that_fits_no_problem_is_said_before_the_first_case(tmp_path: Path) -> None:
    cell = Cell("llama", "plus", "zero_shot")
    others = runner_of(tmp_path, f"plus={set_of(tmp_path)}", problems="mini:new-names")
    with pytest.raises(ProblemsError, match="the file belongs to other problems"):
        others.questions(cell)
    unusable = runner_of(tmp_path, f"plus={set_of(tmp_path, 'x.jsonl', answer='none')}")
    with pytest.raises(ProblemsError, match=r"got none: 0 of 8 lines .* 7 no answer that is a number"):
        unusable.questions(cell)
    later = set_of(tmp_path)
    later.write_text(later.read_text().splitlines()[7])
    with pytest.raises(ProblemsError, match="expected noisy lines of the first 5 problems, got none of them"):
        runner_of(tmp_path, f"plus={later}", samples=5).questions(cell)
    behind = set_of(tmp_path)
    behind.write_text(behind.read_text().splitlines()[3])
    with pytest.raises(ProblemsError, match="expected certified lines, got none among 1; `python -m noise audit"):
        runner_of(tmp_path, f"plus={behind}", certified_only=True).questions(
            Cell("llama", "plus+certified", "zero_shot")
        )


def test_a_set_runs_beside_drawn_noise_resumes_and_is_reported(tmp_path: Path) -> None:
    path, folder = set_of(tmp_path), tmp_path / "results"
    command = [*_GRID, "--datasets", f"clean,inf,plus={path}", "--max-samples", "8", "--results", str(folder)]
    first, again = typed_in_turn([command, command])
    assert first.returncode == again.returncode == 0, first.stdout
    assert "22 made" in first.stdout
    assert "22 read, 0 made" in again.stdout
    with (folder / "accuracy.csv").open(newline="") as file:
        assert {row["noise"]: row["n"] for row in csv.DictReader(file)} == {"clean": "8", "inf": "8", "plus": "6"}
    with (folder / "comparisons.csv").open(newline="") as file:
        assert "plus" in {row["noise"] for row in csv.DictReader(file)}
    assert ">plus<" in (folder / "report.html").read_text()
    (_, newest) = json.loads((folder / "run.json").read_text())["runs"]
    assert newest["paired_sets"]["plus"]["usable"] == 6
    assert newest["options"]["files"]["paired"] == {"plus": str(path)}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["seed_question"] = lines[0]["seed_question"].replace(" ", "  ")  # the words are those of the problem
    path.write_text("\n".join(map(json.dumps, lines)))
    third = typed(*command)
    assert "22 read, 0 made" in third.stdout, third.stdout + third.stderr
    lines[0]["question"] = f"Cats sleep. {lines[0]['seed_question']}"
    path.write_text("\n".join(map(json.dumps, lines)))
    changed = typed(*command)
    assert changed.returncode == pytest.ExitCode.USAGE_ERROR
    assert "had another text" in changed.stdout


def test_sentences_of_ones_own_are_a_dataset(tmp_path: Path) -> None:
    sentences = tmp_path / "cats.txt"
    sentences.write_text("Far away, wind was blowing.\nRain was falling softly.\n")
    command = [*_GRID, "--noise-file", str(sentences), "--datasets", "clean,cats,cats2", "--max-samples", "3"]
    done = typed(*command, "--results", str(tmp_path / "results"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 made" in done.stdout


def test_problems_without_a_certified_sentence_are_left_out_and_said(tmp_path: Path) -> None:
    """The included problems all end in a bare "how many" or name what is asked for."""
    sentences = tmp_path / "buses.txt"
    sentences.write_text("A bus to Lima seats 77,777 people.\n")
    command = [
        *_GRID,
        "--noise-file",
        str(sentences),
        "--datasets",
        "clean,buses",
        "--results",
        str(tmp_path / "results"),
    ]
    done = typed(*command, "--max-samples", "20")
    said = " ".join(done.stdout.split())
    assert "of 20 questions can carry no such sentence, and are left out" in said, said
    assert done.returncode == 0
    none = typed(*command, "--max-samples", "1")
    assert none.returncode == pytest.ExitCode.USAGE_ERROR
    assert "buses: expected questions that can carry such a sentence, got none" in none.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--certified-only"], "--certified-only is about paired sets, NAME=FILE in --datasets, and there is none"),
        (["--noise-file", "none.txt"], "--noise-file none.txt: no such file"),
        (["--datasets", "plus=none.jsonl"], "--datasets none.jsonl: no such file"),
    ],
)
def test_a_mistake_is_answered_at_once(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = typed(*_GRID, *arguments, "--results", str(tmp_path / "results"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stderr


def test_a_set_is_a_dataset_from_python_too(tmp_path: Path) -> None:
    table, records = run_comprehensive_evaluation(
        "llama", ["clean", f"plus={set_of(tmp_path)}"], 8, results=tmp_path / "results", max_new_tokens=2
    )
    assert dict(zip(table["dataset"], table["total"], strict=True)) == {"clean": 8, "plus": 6}
    assert len(records["llama-plus-zero_shot"]) == 6


@pytest.mark.quick
def test_nothing_is_registered_by_these_tests() -> None:
    assert not SENTENCE_FILES
    assert {"clean", "needle"}.isdisjoint(NOISES)
