"""`--shard I/N`: which problems a shard takes, what it leaves to others, and how it says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.choices import choose_models
from benchmarks.gate_options import gate_of
from benchmarks.plan import Plan
from benchmarks.plan_errors import PlanError
from benchmarks.plan_from_options import plan_of
from benchmarks.runner import ProblemsError, Runner
from benchmarks.shards import MOST_SHARDS, WHOLE, Shard, read_shard
from benchmarks.stages import STAGES, Stage, register_stage
from benchmarks.stages.stage import NothingToMeasure
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.stages import REPORTED_STAGES
from reports.store.record_kinds import LIKELIHOODS
from reports.store.records import Cell, problem_of
from reports.store.results_folder import Results
from tests.benchmarks.test_option_values import pytest_parser

pytestmark = pytest.mark.quick
PLAN = Plan(
    models=choose_models("llama"),
    datasets=("clean", "inf"),
    stages=("zero_shot", "attention", "intervene"),
    max_samples=7,
    attention_samples=5,
    noise_seeds=2,
)


def plan(*arguments: str) -> Plan:
    return plan_of(pytest_parser().parse(list(arguments)))


def runner_of(shard: Shard, tmp_path: Path, **changed: object) -> Runner:
    experiment = Experiment(Results(tmp_path / "results"), progress=no_progress_bar)
    return Runner(replace(PLAN, shard=shard, **changed), experiment)  # type: ignore[arg-type]


def shards(count: int) -> list[Shard]:
    return [Shard(number, count) for number in range(1, count + 1)]


@given(size=st.integers(0, 60), count=st.integers(1, 70))
def test_shards_share_out_every_sample_and_keep_its_order(size: int, count: int) -> None:
    sample = list(range(size))
    parts = [shard.part(sample) for shard in shards(count)]
    assert sorted(number for part in parts for number in part) == sample
    assert all(part == sorted(part) for part in parts)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1, "none has much more to do than another"


@given(size=st.integers(0, 60), more=st.integers(0, 60), count=st.integers(1, 12))
def test_a_larger_sample_leaves_each_problem_in_its_shard(size: int, more: int, count: int) -> None:
    """So a folder resumes: `--max-samples` may grow, and another stage may ask fewer."""
    for shard in shards(count):
        assert shard.part(range(size + more))[: len(shard.part(range(size)))] == shard.part(range(size))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", f"1/{MOST_SHARDS + 1}", "a/b", "3", "1/2/3", "", "-1/3", "²/3"])
def test_what_is_no_shard_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(PlanError) as raised:
        plan(f"--shard={text}")
    sentence = raised.value.as_options()
    assert sentence.startswith("--shard ")
    assert "expected I/N" in sentence
    assert "\n" not in sentence


def test_a_plan_has_the_shard_that_was_asked_for_and_says_so() -> None:
    divided = plan("--shard", "2/3", "--max-samples", "9")
    assert divided.shard == Shard(2, 3)
    assert "; shard 2/3 of 9 problems a cell from mini" in divided.describe()
    assert divided.options()["shard"] == "2/3"
    whole = plan()
    assert whole.shard is WHOLE
    assert "shard" not in whole.describe()
    assert whole.options()["shard"] is None
    assert read_shard(" 1/1 ").is_whole


@pytest.mark.parametrize("option", ["baseline", "save_baseline"])
def test_a_baseline_of_a_shard_is_refused(option: str, tmp_path: Path) -> None:
    typed = f"--{option.replace('_', '-')}"
    options = pytest_parser().parse(["--shard", "2/3", f"{typed}={tmp_path / 'ci.json'}"])
    with pytest.raises(PlanError, match=rf"--shard and {typed}: .* merge the shards first") as raised:
        gate_of(options)
    assert "\n" not in raised.value.as_options()
    assert gate_of(pytest_parser().parse(["--shard", "1/1", f"--save-baseline={tmp_path / 'ci.json'}"])) is None


@pytest.mark.parametrize("stage", ["zero_shot", "attention", "intervene"])
@pytest.mark.parametrize("noise", ["clean", "inf", "filler:inf"])
def test_the_shards_ask_what_the_whole_run_asks(stage: str, noise: str, tmp_path: Path) -> None:
    """In the same text, and every draw of a problem in one shard."""
    cell = Cell("llama", noise, stage)
    whole = {noisy.problem.id: noisy.question for noisy in runner_of(WHOLE, tmp_path).questions(cell)}
    parts = [runner_of(shard, tmp_path).questions(cell) for shard in shards(3)]
    asked = {noisy.problem.id: noisy.question for part in parts for noisy in part}
    assert asked == whole
    assert len(whole) == sum(map(len, parts))
    owners = [{problem_of(noisy.problem.id) for noisy in part} for part in parts]
    assert owners[0] | owners[1] | owners[2] == set(map(problem_of, whole))
    assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]


def test_a_shard_without_a_problem_of_a_cell_skips_it(tmp_path: Path) -> None:
    runner = runner_of(Shard(6, 7), tmp_path)
    assert len(runner.questions(Cell("llama", "clean", "zero_shot"))) == 1
    with pytest.raises(NothingToMeasure, match="shard 6/7: none of the cell's 5 problems is in it; other shards have"):
        runner.run(Cell("llama", "clean", "attention"))


def numbers_and_texts(tmp_path: Path) -> str:
    """Return a file in which no sentence suits the questions of even number, as they ask about their own text."""
    asking = {0: "How many caps has Ann?", 1: "What is the sum of these numbers?"}
    lines = [
        {"question": f"Ann has {n + 3} caps and {n + 4} pens. {asking[n % 2]}", "answer": f"#### {2 * n + 7}"}
        for n in range(6)
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_a_shard_whose_problems_cannot_carry_the_noise_skips_the_cell(tmp_path: Path) -> None:
    mine, cell = numbers_and_texts(tmp_path), Cell("llama", "inf", "zero_shot")
    assert len(runner_of(Shard(1, 2), tmp_path, problems=mine, noise_seeds=1).questions(cell)) == 3
    with pytest.raises(NothingToMeasure, match="none of the cell's 6 problems suits the noise"):
        runner_of(Shard(2, 2), tmp_path, problems=mine).questions(cell)


def test_what_no_shard_could_ask_is_an_error_in_every_shard(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    line = {"question": "Ann has 3 caps and 4 pens. What is the sum of these numbers?", "answer": "#### 7"}
    path.write_text((json.dumps(line) + "\n") * 4)
    with pytest.raises(ProblemsError, match="expected questions that can carry such a sentence"):
        runner_of(Shard(2, 2), tmp_path, problems=str(path)).questions(Cell("llama", "inf", "zero_shot"))


@pytest.mark.parametrize("count", [0, 1, 2, 4])
@pytest.mark.parametrize("problems", ["mini", "mine"])
def test_each_of_the_first_questions_keeps_its_number_in_the_shard_that_asks_it(
    count: int, problems: str, tmp_path: Path
) -> None:
    """Also where some of the first problems can carry no noise: their numbers go to later ones."""
    source = numbers_and_texts(tmp_path) if problems == "mine" else "mini"
    cell = Cell("llama", "inf", "attention")
    whole = runner_of(WHOLE, tmp_path, problems=source).questions(cell)[:count]
    parts = [runner_of(Shard(number, 3), tmp_path, problems=source) for number in (1, 2, 3)]
    numbered = [
        (number, noisy.question) for part in parts for number, noisy in part.mapped_questions(cell, count).items()
    ]
    assert sorted(numbered) == [(number, noisy.question) for number, noisy in enumerate(whole)]
    assert parts[0].experiment.notes == [] or problems == "mine"


@pytest.fixture
def undivided_stage() -> Iterator[Stage]:
    stage = Stage(name="counted", records=LIKELIHOODS, run=lambda runner, cell: {}, divides_problems=False)
    register_stage(stage)
    yield stage
    del STAGES["counted"], REPORTED_STAGES["counted"]


def test_a_stage_that_divides_no_problems_is_run_by_shard_1(undivided_stage: Stage, tmp_path: Path) -> None:
    cell = Cell("llama", "clean", undivided_stage.name)
    assert len(runner_of(Shard(1, 3), tmp_path).questions(cell)) == PLAN.max_samples
    assert runner_of(Shard(1, 3), tmp_path).run(cell) == {}
    with pytest.raises(
        NothingToMeasure, match="shard 2/3: the stage counted divides no problems, and shard 1 asks all"
    ):
        runner_of(Shard(2, 3), tmp_path).run(cell)


def test_questions_that_are_given_are_not_divided(tmp_path: Path) -> None:
    given_questions = {"inf": runner_of(WHOLE, tmp_path).questions(Cell("llama", "inf", "zero_shot"))}
    with pytest.raises(ValueError, match="expected a whole run of the questions that are given, got shard 1/2"):
        Runner(replace(PLAN, shard=Shard(1, 2)), Experiment(Results(tmp_path)), questions=given_questions)


def test_every_shard_tunes_on_the_same_problems(tmp_path: Path) -> None:
    """So that their checkpoints are the same, and their records have the same settings."""
    stages = ("zero_shot", "sft")
    sets = [runner_of(shard, tmp_path, stages=stages).sft_set for shard in (WHOLE, *shards(2))]
    assert sets[0] == sets[1] == sets[2]


def test_every_shard_ranks_heads_over_the_same_problems(tmp_path: Path) -> None:
    cell = Cell("llama", "inf", "intervene")
    firsts = [runner_of(shard, tmp_path).first_questions(cell, 5) for shard in (WHOLE, *shards(2))]
    assert firsts[0] == firsts[1] == firsts[2]
