"""The summary of a tuned model comes from the log of its checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.store.records import Cell, CellRun
from reports.store.tuning_logs import tuned_checkpoint_folder, tuning_summary
from tests.reports.record_factories import SETTINGS

pytestmark = pytest.mark.quick
LOG: dict[str, Any] = {
    "settings": {"method": "lora", "samples": 1500, "epochs": 2, "source": "mini:train", "noise": "clean"},
    "loss": [{"step": step, "loss": 2.0 if step <= 2 else 0.5} for step in range(1, 21)],
    "seconds": 9.6,
    "weights": SETTINGS.weights,
}


def run_of(model: str, stage: str) -> CellRun:
    return CellRun(Cell(model, "inf", stage), SETTINGS, ("p1",), 0, 1, 1.0, {"correct": 1})


def write_log(folder: Path, model: str, log: Any) -> None:
    tuned_checkpoint_folder(folder, model).mkdir(parents=True)
    (tuned_checkpoint_folder(folder, model) / "training.json").write_text(
        log if isinstance(log, str) else json.dumps(log)
    )


@pytest.mark.parametrize(("model", "stage"), [("llama", "sft"), ("llama+sft", "attention")])
def test_a_tuned_model_has_one_line(tmp_path: Path, model: str, stage: str) -> None:
    """The losses are the means of the first and the last tenth of the curve."""
    write_log(tmp_path, "llama", LOG)
    line = "tuned: llama, lora on 1,500 problems of mini:train × 2, loss 2.00 → 0.50, 10 s"
    assert tuning_summary(tmp_path, [run_of(model, stage), run_of(model, stage)]) == [line]
    assert len(line) <= 80


@pytest.mark.parametrize("stage", ["zero_shot", "attention"])
def test_a_model_that_is_only_named_like_a_tuned_one_has_no_line(tmp_path: Path, stage: str) -> None:
    write_log(tmp_path, "llama", {**LOG, "weights": "others"})
    assert tuning_summary(tmp_path, [run_of("llama+sft", stage)]) == []


def test_a_model_with_such_a_name_is_tuned_under_its_whole_name(tmp_path: Path) -> None:
    write_log(tmp_path, "llama", LOG)
    assert tuning_summary(tmp_path, [run_of("llama+sft", "sft")]) == []
    write_log(tmp_path, "llama+sft", LOG)
    assert tuning_summary(tmp_path, [run_of("llama+sft", "sft")])[0].startswith("tuned: llama+sft, lora")


def test_the_noise_of_the_training_is_named(tmp_path: Path) -> None:
    write_log(tmp_path, "llama", {**LOG, "settings": {**LOG["settings"], "noise": "inf,sd"}})
    assert " of mini:train with inf,sd × 2," in tuning_summary(tmp_path, [run_of("llama", "sft")])[0]


def test_models_not_tuned_in_this_run_or_without_a_log_have_no_line(tmp_path: Path) -> None:
    write_log(tmp_path, "llama", LOG)
    write_log(tmp_path, "odd", "{")
    write_log(tmp_path, "deep", "[" * 100_000)
    runs = [run_of("llama", "zero_shot"), run_of("llama", "attention")]
    runs += [run_of("odd", "sft"), run_of("deep", "sft"), run_of("gone", "sft")]
    assert tuning_summary(tmp_path, runs) == []
