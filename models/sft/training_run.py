"""One training: from the base's checkpoint to a saved one, with its log."""

from __future__ import annotations

import os
import platform
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from models.decode.generation import threads_for
from models.loading.checkpoint_fingerprint import checkpoint_folder
from models.loading.load_model import load
from models.loading.lora_adapters import add_adapter, save_adapter
from models.model_registry import ModelSpec
from models.prompt import Template
from models.sft.reload_checks import TrainedSnapshot
from models.sft.saved_steps import last_intact_step
from models.sft.sft_options import RATE_TIMES_WIDTH, Tuning
from models.sft.sft_trainer import Progress, build_trainer
from models.sft.tokenized_examples import pad_left, training_rows
from models.upstream_transformers import checkpoint_of_step
from noise.problems.problem import Problem

_CHECKED_TEXTS = 4  # texts on which the reload checks compare logits


@dataclass(frozen=True)
class TrainingJob:
    """What to train, how, and on which device."""

    spec: ModelSpec
    problems: Sequence[Problem]
    tuning: Tuning
    device: torch.device
    precision: torch.dtype
    progress: Progress
    template: Template


def train(job: TrainingJob, output: Path, work_dir: Path) -> tuple[TrainedSnapshot, dict[str, Any]]:
    """Train, save the checkpoint to `output`, and return what the reload checks need of the model, and the log.

    `work_dir` holds the Trainer's own checkpoints; the training resumes from the last one that is as it was saved, and
    warns of those that it passes over.
    """
    spec, tuning = job.spec, job.tuning
    # Full weights are kept in float32, as an update can be smaller than bfloat16 resolves; peft keeps adapters so.
    dtype = job.precision if tuning.method == "lora" else torch.float32
    started, begin = datetime.now(UTC), time.perf_counter()
    loaded = load(spec, str(job.device), str(dtype).removeprefix("torch."), job.template)
    rows = training_rows(loaded, job.problems, tuning.loss)
    width = loaded.model.config.get_text_config().hidden_size
    rate = RATE_TIMES_WIDTH[tuning.method] / width if tuning.rate is None else tuning.rate
    pad_token_id = loaded.tokenizer.pad_token_id or 0
    autocast, (resumed, passed_over) = job.precision is torch.bfloat16, last_intact_step(work_dir)
    if passed_over is not None:
        warnings.warn(f"model {spec.name!r}: {passed_over}", stacklevel=2)
    with threads_for(loaded):
        model: Any = add_adapter(loaded.model, tuning) if tuning.method == "lora" else loaded.model
        trainer = build_trainer(model.train(), rows, tuning, rate, work_dir, pad_token_id, autocast, job.progress)
        trainer.train(resume_from_checkpoint=str(checkpoint_of_step(work_dir, resumed)) if resumed else None)
    curve, seconds = trainer.state.log_history, time.perf_counter() - begin
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False).eval()
    if tuning.method == "lora":
        save_adapter(model, output, spec)
    else:
        model.save_pretrained(output)
    loaded.tokenizer.save_pretrained(output)
    log = {
        "base_path": os.path.realpath(checkpoint_folder(spec)),
        "rate": rate,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "tokens": sum(rows["length"]) * tuning.epochs,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "resumed_after_step": resumed,
        "loss": [{"step": p["step"], "loss": round(p["loss"], 5)} for p in curve if "loss" in p],
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "transformers", "peft", "tokenizers", "accelerate")},
    }
    checked = pad_left(rows.select(range(min(_CHECKED_TEXTS, len(rows)))).to_list(), pad_token_id)
    return TrainedSnapshot.of(model, checked, spec.trust), log
