"""Stage `sft`, as its users type it, and which problems it tunes on."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.choices import choose_models, choose_sft_noise
from benchmarks.comprehensive_evaluation import run_comprehensive_evaluation
from benchmarks.eval_set import eval_set
from benchmarks.plan import Plan
from benchmarks.sft_set import SftSet, sft_set
from noise import mini
from noise.inject import inject
from noise.problems.splits import shared_problems
from tests.benchmarks.test_command_line import rows
from tests.benchmarks.typed_commands import typed

PLAN = Plan(models=choose_models("llama"), datasets=("clean",), stages=("zero_shot", "sft"))


SMALL = ["benchmarks", "--models", "llama", "--datasets", "clean,inf", "--max-samples", "3", "--sft-epochs", "1"]


def own_problems(folder: Path, name: str, count: int, first: int = 0) -> Path:
    lines = [
        json.dumps({"question": f"Ann has {n} caps. She buys 2. How many caps has Ann?", "answer": f"#### {n + 2}"})
        for n in range(first, first + count)
    ]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def lines_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def sft_set_of(plan: Plan) -> SftSet:
    return sft_set(plan, eval_set(plan, needs_tuning=True))


@pytest.mark.quick
def test_the_first_problems_of_the_training_split_are_tuned_on_as_they_are() -> None:
    chosen = sft_set_of(replace(PLAN, sft_samples=30))
    assert list(chosen.problems) == mini.problems("train")[:30]
    assert (chosen.source, chosen.noises) == ("mini:train", ("clean",))


@pytest.mark.quick
def test_a_problem_is_tuned_on_with_one_of_the_noises_whatever_the_subset() -> None:
    noises = choose_sft_noise("clean,inf,sd")
    many = sft_set_of(replace(PLAN, sft_samples=60, sft_noise=noises)).problems
    assert many[:20] == sft_set_of(replace(PLAN, sft_samples=20, sft_noise=noises)).problems
    counts = dict.fromkeys(noises, 0)
    for text, problem in zip(many, mini.problems("train"), strict=False):
        asked = {name: problem.question if name == "clean" else inject(problem, name).question for name in noises}
        (name,) = [name for name in noises if asked[name] == text.question]
        counts[name] += 1
        assert text.answer == problem.answer
    assert min(counts.values()) > 10


@pytest.mark.quick
def test_no_noise_is_the_clean_problem() -> None:
    assert choose_sft_noise("none") == ("clean",)
    assert choose_sft_noise("none,inf") == ("clean", "inf")


@pytest.mark.quick
def test_a_default_size_takes_what_there_is_and_a_size_that_was_asked_for_does_not(tmp_path: Path) -> None:
    plan = replace(PLAN, problems=str(own_problems(tmp_path, "mine.jsonl", 40)))
    chosen = sft_set_of(plan)
    assert 0 < len(chosen.problems) < 40
    assert chosen.source == "half of mine.jsonl"
    measured, whole = (eval_set(plan, needs_tuning).problems for needs_tuning in (True, False))
    assert not shared_problems(chosen.problems, measured)
    assert len(measured) + len(chosen.problems) == len(whole) == 40
    with pytest.raises(ValueError, match=r"--sft-samples 40: half of mine\.jsonl has \d+ problems to tune on"):
        sft_set_of(replace(plan, sft_samples=40, sft_exactly=True))
    assert sft_set_of(replace(plan, sft_samples=-1, sft_exactly=True)) == chosen


@pytest.mark.quick
@pytest.mark.parametrize(
    ("file", "sft_problems", "said"),
    [
        (
            "mine_test.jsonl",
            None,
            r"--problems: .* has no training split: expected mine_train\.jsonl next to it; .* --sft-problems",
        ),
        ("one.jsonl", None, r"--problems: half of one\.jsonl leaves no problem to .*; name others with --sft-problems"),
        ("mine.jsonl", "mine.jsonl", r"--sft-problems: 9 of the 9 problems of mine\.jsonl are asked by the evaluation"),
    ],
)
def test_problems_that_nothing_can_be_tuned_on_are_one_sentence(
    tmp_path: Path, file: str, sft_problems: str | None, said: str
) -> None:
    path = own_problems(tmp_path, file, 1 if file == "one.jsonl" else 9)
    other = None if sft_problems is None else str(tmp_path / sft_problems)
    with pytest.raises(ValueError, match=said):
        sft_set_of(replace(PLAN, problems=str(path), sft_problems=other))


def test_a_model_is_tuned_evaluated_reused_and_used_on_its_own(tmp_path: Path) -> None:
    """One folder: tuned, tuned already, other settings refused, the checkpoint as a model of its own, and --fresh."""
    folder = tmp_path / "results"
    common = [*SMALL, "--skip-attention", "--results", str(folder)]
    first = typed(*common, "--sft-samples", "24")
    assert first.returncode == 0, first.stdout
    said = r"tuned: llama, lora on 24 problems of mini:train with clean,inf,rcs,sd × 1, loss \d\.\d\d → \d\.\d\d, \d+ s"
    assert re.search(said, first.stdout)
    assert "predictions: 0 read, 12 made" in first.stdout
    assert "one training seed: a comparison of checkpoints" in " ".join(first.stdout.split())
    assert "warning" not in first.stdout
    table = {(row["stage"], row["noise"]): row for row in rows(folder)}
    assert set(table) == {(stage, noise) for stage in ("zero_shot", "sft") for noise in ("clean", "inf")}
    assert table["sft", "inf"]["gain_n"] == "3"
    checkpoint = folder / "checkpoints" / "llama-sft"
    log = json.loads((checkpoint / "training.json").read_text())
    assert log["settings"]["source"] == "mini:train"
    assert not list((folder / "checkpoints").glob("unfinished/*"))

    (run,) = json.loads((folder / "run.json").read_text())["runs"]
    weights = {settings["weights"] for settings in run["settings"].values()}
    assert log["weights"] in weights, "by which the summary knows the tuned model"

    again = typed(*common, "--sft-samples", "24")
    assert "predictions: 12 read, 0 made" in again.stdout
    assert json.loads((checkpoint / "training.json").read_text()) == log

    other = typed(*common, "--sft-samples", "12", "-k", "sft")
    assert other.returncode == pytest.ExitCode.USAGE_ERROR
    shown = " ".join(other.stdout.split())
    assert "samples was 24 and is now 12" in shown
    assert "Tune as before (--sft-samples)." in shown
    assert "Traceback" not in other.stdout
    assert json.loads((checkpoint / "training.json").read_text()) == log

    moved = shutil.move(checkpoint, tmp_path / "mine")
    alone = typed(
        *("benchmarks", "--models", f"mine={moved}", "--datasets", "clean,inf", "--max-samples", "3"),
        *("--skip-attention", "--skip-sft", "--results", str(tmp_path / "own")),
    )
    assert alone.returncode == 0, alone.stdout
    assert "one training seed: a comparison of checkpoints" in " ".join(alone.stdout.split())
    for noise in ("clean.jsonl", "inf.jsonl"):
        here, there = folder / "predictions/sft/llama" / noise, tmp_path / "own/predictions/zero_shot/mine" / noise
        assert [line["text"] for line in lines_of(here)] == [line["text"] for line in lines_of(there)]

    fresh = typed(*common, "--sft-samples", "12", "--fresh", "-k", "sft and clean")
    assert fresh.returncode == 0, fresh.stdout
    assert "predictions: 0 read, 3 made" in fresh.stdout


def test_every_stage_of_a_run_that_tunes_asks_the_half_that_is_not_tuned_on(tmp_path: Path) -> None:
    file, folder = own_problems(tmp_path, "mine.jsonl", 24), tmp_path / "results"
    arguments = [*SMALL[:3], "--datasets", "clean", "--problems", str(file), "--results", str(folder)]
    arguments += ["--skip-attention", "--sft-epochs", "1"]
    done = typed(*arguments)
    assert done.returncode == 0, done.stdout
    before, after = (
        sorted(line["id"] for line in lines_of(folder / f"predictions/{stage}/llama/clean.jsonl"))
        for stage in ("zero_shot", "sft")
    )
    assert before == after
    assert 0 < len(before) < 24
    assert f"on {24 - len(before)} problems of half of mine.jsonl" in " ".join(done.stdout.split())
    alone = typed(*arguments, "-k", "zero_shot")
    assert f"predictions: {len(before)} read, {24 - len(before)} made" in alone.stdout


def test_a_tuned_checkpoint_is_not_asked_what_it_was_tuned_on(tmp_path: Path) -> None:
    """On its own, over the file of which it saw one half, it is asked the other half: what the stage asked."""
    file, folder = own_problems(tmp_path, "mine.jsonl", 24), tmp_path / "results"
    common = ["benchmarks", "--problems", str(file), "--datasets", "clean", "--max-samples", "-1", "--skip-attention"]
    first = typed(*common, "--models", "llama", "--skip-zero-shot", "--sft-epochs", "1", "--results", str(folder))
    assert first.returncode == 0, first.stdout
    asked = {line["id"] for line in lines_of(folder / "predictions/sft/llama/clean.jsonl")}
    mine = f"mine={folder / 'checkpoints' / 'llama-sft'}"
    alone = typed(*common, "--models", f"{mine},llama", "--skip-sft", "--results", str(tmp_path / "own"))
    assert alone.returncode == 0, alone.stdout
    assert f"problems left out of mine.jsonl: {24 - len(asked)} that mine was tuned on" in alone.stdout
    for name in ("mine", "llama"):
        assert {line["id"] for line in lines_of(tmp_path / f"own/predictions/zero_shot/{name}/clean.jsonl")} == asked
    _, details = run_comprehensive_evaluation(mine, "clean", -1, str(file), tmp_path / "python")
    assert {prediction.id for prediction in details["mine-clean-zero_shot"]} == asked

    seen = tmp_path / "seen.jsonl"
    lines = [line for n, line in enumerate(file.read_text().splitlines(), 1) if f"mine-{n:05d}" not in asked]
    seen.write_text("\n".join(lines))
    none_left = typed(*common, "--models", mine, "--skip-sft", "--problems", str(seen), "--results", str(folder))
    assert none_left.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'mine' was tuned on all of them" in none_left.stderr

    inside = typed(*common, "--models", mine, "--skip-sft", "--fresh", "--results", str(folder))
    assert inside.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--fresh sets aside all that is in" in inside.stderr
    assert "'mine' is read from there" in inside.stderr
    assert (folder / "checkpoints" / "llama-sft").is_dir()


@pytest.mark.quick
def test_a_file_has_one_name_whichever_of_its_problems_are_asked(tmp_path: Path) -> None:
    plan = replace(PLAN, problems=str(own_problems(tmp_path, "yours.jsonl", 12)))
    some, all_ = (eval_set(plan, needs_tuning) for needs_tuning in (True, False))
    assert some.problems[0] != all_.problems[0], "else this shows nothing"
    assert some.source == all_.source
    other = eval_set(replace(plan, problems=str(own_problems(tmp_path, "other/yours.jsonl", 12, 5))), False)
    assert other.source != all_.source


def test_a_training_that_diverges_fails_its_cases_with_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    arguments = [*SMALL, "--skip-attention", "--results", str(folder), "--sft-samples", "24", "--sft-lr", "1e30"]
    done = typed(*arguments, "--sft-method", "full")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "a learning rate below 1e+30 may help. Lower --sft-lr." in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout
    assert {row["stage"] for row in rows(folder)} == {"zero_shot"}, "what was earned before stays"
    assert not (folder / "checkpoints" / "llama-sft").exists()


@pytest.mark.slow
def test_two_workers_tune_a_model_once(tmp_path: Path) -> None:
    arguments = [*SMALL, "--skip-attention", "--skip-zero-shot", "--sft-samples", "24"]
    for name, workers in (("one", "0"), ("two", "2")):
        done = typed(*arguments, "--results", str(tmp_path / name), "-n", workers)
        assert done.returncode == 0, done.stdout
    assert (tmp_path / "one/accuracy.csv").read_text() == (tmp_path / "two/accuracy.csv").read_text()
    assert [path.name for path in (tmp_path / "two/checkpoints").iterdir() if not path.name.startswith(".")] == [
        "llama-sft"
    ]
