"""The experiment over training seeds: each of its commands is one that the harness takes, and its tables are right."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from benchmarks import seed_experiment
from benchmarks.options import add_skip_options, pytest_addoption
from benchmarks.plan import Plan
from benchmarks.plan_from_options import plan_of
from benchmarks.seed_experiment_steps import (
    FAMILIES,
    INCLUDED,
    NOISES,
    QUICK,
    SUCCESSOR_FAMILIES,
    SUCCESSORS,
    VARIANTS,
    WHOLE,
    Step,
    steps,
)
from benchmarks.seed_experiment_tables import tables
from models.commands.command_parser import command_parser
from models.mini.mini_recipe import RECIPES
from models.mini.train_mini_options import parse_families
from models.replicate_names import canonical_name, replicate_name
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.reports.record_factories import SETTINGS, predicted

pytestmark = pytest.mark.quick
FILLERS = tuple(f"filler:{noise}" for noise in NOISES)


def plan_of_step(step: Step) -> Plan:
    parser = pytest.Parser(_ispytest=True)
    pytest_addoption(parser)
    add_skip_options(parser)
    assert step.command[-3:] == ("-n", "2", "-q")  # of xdist and pytest, unknown to this parser
    return plan_of(parser.parse(step.command[4:-3]))


def grids(out: Path, included: bool = False) -> dict[str, Plan]:
    """The plans of all grids, as if the models were trained."""
    for name in (INCLUDED, *VARIANTS, SUCCESSORS):
        for family in SUCCESSOR_FAMILIES if name == SUCCESSORS else FAMILIES:
            for seed in WHOLE.seeds:
                (out / "models" / name / family / str(seed)).mkdir(parents=True, exist_ok=True)
    made = [step for step in steps(out, WHOLE, included) if step.name.startswith("grid ")]
    return {step.name.removeprefix("grid "): plan_of_step(step) for step in made}


def test_every_grid_has_the_pairs_of_one_training(tmp_path: Path) -> None:
    for name, plan in grids(tmp_path).items():
        folder = tmp_path / "models" / (name if name in VARIANTS else INCLUDED)
        if name == SUCCESSORS:
            continue
        assert all(Path(spec.source).is_relative_to(folder) for spec in plan.models)
        seeds = {family: [s.name for s in plan.models if s.name.startswith(family)] for family in FAMILIES}
        assert len(seeds["llama"]) == len(seeds["diffllama"]) >= 3


def test_later_architectures_stand_beside_pairs_of_the_same_seeds(tmp_path: Path) -> None:
    names = [spec.name for spec in grids(tmp_path)[SUCCESSORS].models]
    families = (*SUCCESSOR_FAMILIES, *FAMILIES)
    assert sorted(names) == sorted(
        canonical_name(replicate_name(family, seed)) for family in families for seed in WHOLE.variant_seeds
    )


def test_the_included_pairs_take_the_names_of_the_registry(tmp_path: Path) -> None:
    included = grids(tmp_path, included=True)["accuracy"]
    assert {spec.name for spec in included.models} >= {"diffllama", "llama", "llama:1"}
    assert not any(step.name == f"train {INCLUDED}" for step in steps(tmp_path, WHOLE, included=True))


def test_every_grid_of_the_primary_contrast_has_each_noise_and_its_filler(tmp_path: Path) -> None:
    for name in ("accuracy", *VARIANTS):
        assert {"clean", *NOISES, *FILLERS} <= set(grids(tmp_path)[name].datasets)


def test_every_training_is_one_that_train_mini_takes(tmp_path: Path) -> None:
    trained = [step.command for step in steps(tmp_path, QUICK, included=False) if step.name.startswith("train ")]
    options = [command_parser("").parse_args(command[3:]) for command in trained]
    names = (INCLUDED, *VARIANTS, SUCCESSORS)
    assert {str(option.out) for option in options} == {str(tmp_path / "models" / name) for name in names}
    assert {family for option in options for family in parse_families(option.family)} == set(FAMILIES) | {
        *SUCCESSOR_FAMILIES
    }
    assert {option.size for option in options} == set(RECIPES)


def test_a_failed_step_ends_the_experiment_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = [(sys.executable, "-c", f"raise SystemExit({status})") for status in (0, 3, 0)]
    monkeypatch.setattr(
        seed_experiment, "steps", lambda *_: [Step(f"step {number}", end) for number, end in enumerate(ends)]
    )
    assert seed_experiment.main(["--out", str(tmp_path)]) == 3
    printed = capsys.readouterr().out
    assert "step 1 failed with exit status 3; run the same command again to resume" in printed
    assert "step 2" not in printed


def test_tables_without_results_are_an_error_of_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        seed_experiment.main(["--tables", "--out", str(tmp_path / "nowhere")])
    assert ended.value.code == 1
    assert "nowhere" in capsys.readouterr().err


#: Of 20 problems that every model solves clean: how many it solves with a noise, by family and seed; with filler 18.
SOLVED = {"diffllama": (10, 12, 17), "llama": (12, 12, 14)}


def results_of_three_pairs(folder: Path) -> None:
    results = Results(folder)
    for family, by_seed in SOLVED.items():
        for seed, solved in enumerate(by_seed):
            model = replicate_name(family, seed)
            settings = replace(SETTINGS, weights=model)
            for noise in ("clean", *NOISES, *FILLERS):
                right = 20 if noise == "clean" else 18 if noise in FILLERS else solved
                records = [predicted(f"p{n}", "correct" if n < right else "incorrect") for n in range(20)]
                results.append(Cell(model, noise, "zero_shot"), settings, records)


def points_of(lines: list[str], title: str) -> dict[str, float]:
    """The first figure of each row of a table, by what stands in front of it."""
    begin = lines.index(title) + 4
    rows = [line.strip("| ").split(" | ") for line in lines[begin:][: lines[begin:].index("")]]
    return {row[0].strip("*"): float(row[1].strip("*").split()[0]) for row in rows}


def test_the_primary_contrast_is_that_of_each_pair_and_their_mean(tmp_path: Path) -> None:
    results_of_three_pairs(tmp_path / "accuracy")
    lines = tables(tmp_path)
    by_pair = 100 * (numpy.array(SOLVED["diffllama"]) - numpy.array(SOLVED["llama"])) / 20
    primary = points_of(lines, "Primary contrast")
    assert list(primary) == ["seed 0", "seed 1", "seed 2", "mean of 3"]
    assert list(primary.values()) == pytest.approx([*by_pair, by_pair.mean()], abs=0.05)
    without = points_of(lines, "What the mean depends on")
    expected = [(by_pair.sum() - value) / 2 for value in by_pair]
    assert list(without.values()) == pytest.approx([*expected, by_pair.mean()], abs=0.05)
