"""A/A: a Llama and its twin in the other architecture go through the whole grid, and nothing is found between them.

With the damage that is planted next to it, the same comparisons find it (docs/statistics.md).
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from models.commands.differentiate import write_differentiated
from models.model_registry import MODELS
from reports.store.records import AttentionReading, Cell, Intervention, Likelihood, Prediction
from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import ROOT, command

pytestmark = pytest.mark.slow
PROBLEMS = 24
NOISES = ("clean", "inf", "near", "filler:inf")
GRID = (
    "--datasets",
    ",".join(NOISES),
    "--max-samples",
    str(PROBLEMS),
    "--skip-sft",
    "--measure",
    "accuracy,likelihood",
)
#: How far float32 may be off: log-likelihoods in nats, shares of attention.
NATS, SHARE = 1e-4, 1e-5


def run(folder: Path, *arguments: str) -> Path:
    """The results folder of a run of `pytest benchmarks` in which no case was red."""
    done = subprocess.run(
        command("benchmarks", *GRID, *arguments, "--results", str(folder), "-q"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found_nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the Llama and its control, λ = 0, in every stage but fine-tuning."""
    folder = tmp_path_factory.mktemp("control")
    write_differentiated(MODELS["llama"], folder / "control")
    models = f"llama,control={folder / 'control'}"
    return run(folder / "results", "--models", models, "--interventions", "everywhere,moved")


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the Llama and its twin with λ = 0.7, in the stages that answer."""
    folder = tmp_path_factory.mktemp("damaged")
    write_differentiated(MODELS["llama"], folder / "damaged", lambda_=0.7)
    models = f"llama,damaged={folder / 'damaged'}"
    return run(folder / "results", "--models", models, "--skip-attention", "--skip-intervene")


def pairs(folder: Path, stage: str) -> Iterator[tuple[object, object]]:
    """The records of the Llama and of its control for the same text."""
    results = Results(folder)
    for noise in NOISES:
        if stage == "intervene" and noise == "clean":
            continue
        llama, control = (results.newest_records(Cell(model, noise, stage)) for model in ("llama", "control"))
        assert llama.keys() == control.keys(), (stage, noise)
        assert len({record.question for record in llama.values()}) >= PROBLEMS
        yield from ((llama[key], control[key]) for key in llama)


def test_every_answer_is_the_same_text(found_nothing: Path) -> None:
    for ours, theirs in pairs(found_nothing, "zero_shot"):
        assert isinstance(ours, Prediction)
        assert isinstance(theirs, Prediction)
        assert (ours.text, ours.outcome) == (theirs.text, theirs.outcome)


def test_every_worked_answer_is_as_likely(found_nothing: Path) -> None:
    for ours, theirs in pairs(found_nothing, "likelihood"):
        assert isinstance(ours, Likelihood)
        assert isinstance(theirs, Likelihood)
        assert ours.tokens == theirs.tokens
        assert theirs.nats == pytest.approx(ours.nats, abs=NATS, rel=0)


def test_every_intervention_changes_it_in_the_same_way(found_nothing: Path) -> None:
    for ours, theirs in pairs(found_nothing, "intervene"):
        assert isinstance(ours, Intervention)
        assert isinstance(theirs, Intervention)
        assert (ours.text, ours.outcome, ours.fault) == (theirs.text, theirs.outcome, theirs.fault)
        assert theirs.nats == pytest.approx(ours.nats, abs=NATS, rel=0)


def test_every_head_shares_its_attention_out_in_the_same_way(found_nothing: Path) -> None:
    for ours, theirs in pairs(found_nothing, "attention"):
        assert isinstance(ours, AttentionReading)
        assert isinstance(theirs, AttentionReading)
        assert numpy.allclose(theirs.signed, ours.signed, atol=SHARE, rtol=0)
        assert numpy.allclose(theirs.absolute, ours.absolute, atol=SHARE, rtol=0)
        assert numpy.allclose(theirs.lambdas, 0, atol=1e-7)


def between_models(folder: Path) -> list[dict[str, str]]:
    return [row for name in ("comparisons", "interventions") for row in rows(folder / f"{name}.csv") if row["against"]]


def test_comparisons_find_nothing(found_nothing: Path) -> None:
    compared = between_models(found_nothing)
    kinds = {(row.get("stage", "intervene"), row["measure"], row["contrast"]) for row in compared}
    assert {
        ("zero_shot", "accuracy", "difference_in_differences"),
        ("zero_shot", "accuracy", "retained_difference_over_filler"),
        ("likelihood", "likelihood", "difference_in_differences"),
        ("attention", "noise_lift", "model_difference"),
        ("intervene", "accuracy", "part_difference"),
    } <= kinds
    for row in compared:
        if not row["p"]:  # `retained` says what each retains, and compares nothing
            continue
        assert float(row["p"]) == 1, row
        estimate = float(row["estimate"])
        assert estimate == 0 if row["measure"] == "accuracy" else abs(estimate) < 1e-6, row
    accuracies = {
        model: {row["noise"]: row["correct"] for row in rows(found_nothing / "accuracy.csv") if row["model"] == model}
        for model in ("llama", "control")
    }
    assert accuracies["llama"] == accuracies["control"] != {}


def test_the_same_comparisons_find_the_damage(damaged: Path) -> None:
    of_damage = [row for row in rows(damaged / "comparisons.csv") if row["contrast"] == "model_difference"]
    for measure in ("accuracy", "likelihood"):
        noises = {row["noise"]: row for row in of_damage if row["measure"] == measure}
        assert noises.keys() == set(NOISES)
        assert float(noises["clean"]["p_adjusted"]) < 0.001, noises["clean"]
