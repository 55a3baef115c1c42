"""Replicates in the grid: which models `--replicates` names, and which stages each of them goes through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.choices import choose_models, choose_replicated_stages
from benchmarks.plan import Plan
from benchmarks.plan_errors import PlanError
from benchmarks.plan_from_options import plan_of
from models.model_registry import INCLUDED_SEEDS, MODELS, SINGLE_SEED, find_models
from tests.benchmarks.test_option_values import pytest_parser

pytestmark = pytest.mark.quick
LAST = INCLUDED_SEEDS[-1]


def plan(*arguments: str) -> Plan:
    return plan_of(pytest_parser().parse(list(arguments)))


def names(*arguments: str) -> list[str]:
    return [spec.name for spec in plan(*arguments).models]


def test_replicates_of_each_model_are_asked_pair_by_pair() -> None:
    assert names("--replicates", "0-1") == ["diffllama", "llama", "diffllama:1", "llama:1"]
    assert names("--replicates", "1,3", "--models", "llama") == ["llama:1", "llama:3"]
    assert len(names("--replicates", "all")) == 2 * len(INCLUDED_SEEDS)


def test_a_star_names_the_same_models() -> None:
    assert set(names("--models", "diffllama:*,llama:*")) == set(names("--replicates", "all"))


def test_a_replicate_is_a_model_like_another() -> None:
    assert names("--models", "diffllama:3") == ["diffllama:3"]
    cells = plan("--models", "diffllama:3", "--datasets", "near").cells("zero_shot")
    assert [cell.id for cell in cells] == ["diffllama:3-near-zero_shot"]


def test_replicates_of_ones_own_need_no_registry(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert names("--models", f"a:0={tmp_path / 'one'},a:1={tmp_path / 'two'}") == ["a", "a:1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replicates", "0-99"], f"'0-99': diffllama has no replicate {LAST + 1}; available: diffllama:0-{LAST}"),
        (["--replicates", "x"], "--replicates 'x': expected numbers from 0 up"),
        (
            ["--replicates", "0-1", "--models", "a=llama"],
            "--replicates works with registered families only",
        ),
        (["--replicates", "0-1", "--models", "llama:2"], "expected families in --models, got the replicate llama:2"),
        (
            ["--replicated-stages", "zero-shot"],
            "--replicated-stages: unknown stage 'zero-shot'. Did you mean 'zero_shot'",
        ),
    ],
)
def test_what_is_no_replicate_is_refused_in_one_sentence(arguments: list[str], message: str) -> None:
    with pytest.raises(PlanError) as raised:
        plan(*arguments)
    assert message in raised.value.as_options()


def test_only_the_first_replicate_goes_through_the_slower_stages() -> None:
    grid = plan("--replicates", "0-2", "--measure", "accuracy,likelihood")
    through = {stage: {cell.model for cell in grid.cells(stage)} for stage in grid.stages}
    assert through["zero_shot"] == {"diffllama", "llama", "diffllama:1", "llama:1", "diffllama:2", "llama:2"}
    assert through["likelihood"] == through["zero_shot"] | {"diffllama+sft", "llama+sft"}
    assert through["sft"] == through["intervene"] == {"diffllama", "llama"}
    assert through["attention"] == {"diffllama", "llama", "diffllama+sft", "llama+sft"}


def test_the_first_replicate_is_the_one_of_the_lowest_number() -> None:
    assert {cell.model for cell in plan("--replicates", "2-3").cells("sft")} == {"diffllama:2", "llama:2"}
    assert {cell.model for cell in plan("--models", "llama:3,llama:2").cells("sft")} == {"llama:2"}


def test_other_stages_can_be_replicated() -> None:
    grid = plan("--replicates", "0-1", "--replicated-stages", "intervene")
    assert {cell.model for cell in grid.cells("intervene")} == {"diffllama", "llama", "diffllama:1", "llama:1"}
    assert grid.cells("zero_shot")[-1].model == "llama:1", "it stays as it was"
    assert {cell.model for cell in grid.cells("sft")} == {"diffllama", "llama"}
    assert set(choose_replicated_stages("all")) >= {"zero_shot", "sft", "attention", "likelihood", "intervene"}


def test_the_header_names_replicates_together() -> None:
    assert plan("--replicates", "0-3").describe().startswith("grid: diffllama:0-3, llama:0-3 × clean")


def test_the_caveat_speaks_of_one_seed_only_where_there_is_one() -> None:
    alone, several = plan(), plan("--replicates", "0-1")
    assert SINGLE_SEED in (alone.caveat(alone.cells("zero_shot")) or "")
    assert several.caveat(several.cells("zero_shot")) == MODELS["llama"].caveat
    both = [*several.cells("zero_shot"), *several.cells("attention")]
    assert several.caveat(both) == f"{MODELS['llama'].caveat}; attention: one training seed"
    uneven = plan("--models", "llama,diffllama:0,diffllama:1")
    assert SINGLE_SEED in (uneven.caveat(uneven.cells("zero_shot")) or "")


def test_a_caveat_that_several_models_have_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text(json.dumps({"caveat": f"{MODELS['llama'].caveat}; a control"}))
    (tmp_path / "config.json").write_text("{}")
    both = plan("--models", f"llama,control={tmp_path}")
    caveat = both.caveat(both.cells("zero_shot")) or ""
    assert caveat.startswith(f"{MODELS['llama'].caveat}; a control")
    assert caveat.count(MODELS["llama"].caveat) == 1
    assert caveat.count(MODELS["llama"].caveat) == 1


def test_models_of_a_python_call_may_be_replicates() -> None:
    assert choose_models(["llama:1", "llama:2"]) == tuple(find_models("llama:1,llama:2"))
