"""Fine-tuning a model into a checkpoint of its own: reused where it is there, resumed where it was begun, proven."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from filelock import FileLock
from safetensors import SafetensorError

from models.decode.generation import threads_for
from models.loading.checkpoint_fingerprint import LoadError, checkpoint_folder, fingerprint
from models.loading.load_model import device_of, dtype_of, load, without_bars
from models.loading.lora_adapters import adapted, save_adapter
from models.mini.mini_pair import data_fingerprint
from models.model_registry import TRAINED_ON, TRAINING_LOG, ModelSpec, trained_on
from models.prompt import PLAIN, STOP, Template
from models.sft.checkpoint_reuse import refuse_other
from models.sft.reload_checks import Trained, prove
from models.sft.sft_options import RATE_TIMES_WIDTH, SUFFIX, Tuning
from models.sft.sft_trainer import Progress, own_randomness, trainer_for
from models.sft.tokenized_examples import padded, training_rows
from noise.problems.problem import Problem

#: Part of every checkpoint's settings: raise it when a change here can change what is trained.
TUNING_VERSION = "2"
_PROBES = 4  # texts that the proofs are made on


def tune(
    spec: ModelSpec,
    problems: Sequence[Problem],
    folder: Path,
    tuning: Tuning,
    device: str = "auto",
    dtype: str = "auto",
    facts: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, total, loss: None,
    template: Template = PLAIN,
) -> Path:
    """Fine-tune `spec` on `problems`, in that text, into `folder`, and give `folder` back.

    A checkpoint of the same settings that is there is used as it is; a training that was cut off goes on from its last
    saved step. `facts` are for the log and the settings (JSON values: where the problems are from, their noise). The
    base is read from disk: a model in memory is never touched. `template` is what is asked. `training.json` in `folder`
    says what was done, and what was proven of the result (`models.sft.reload_checks`).

    Raises `ValueError` for no problems, for one that is longer than the model's positions, for float16 and for layers
    that peft does not know; `TuningMismatch` where `folder` holds something else; `LoadError`; `TrainingDiverged` where
    a loss or gradient is no number; `TuningNotApplied` where a proof fails.
    """
    if not problems:
        raise ValueError(f"model {spec.name!r}: expected at least one problem to tune on, got none (--sft-samples)")
    place = device_of(device)
    precision = dtype_of(dtype, place)
    if precision is torch.float16:
        raise ValueError("--dtype float16: fine-tuning takes float32 or bfloat16, in which no loss is scaled")
    base = checkpoint_folder(spec)
    settings = {
        "base": fingerprint(base, spec.trust),
        **{name: value for name, value in asdict(tuning).items() if name != "rank" or tuning.method == "lora"},
        "samples": len(problems),
        "data": data_fingerprint(list(problems)),
        **(facts or {}),
        "precision": str(precision).removeprefix("torch."),
        "prompt": template.key,
        "stop": STOP,
        "version": TUNING_VERSION,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):  # two workers that want one checkpoint make it once
        if folder.exists():
            refuse_other(folder, settings)
        else:
            with without_bars(), own_randomness(tuning.seed):
                _make(spec, base, problems, folder, tuning, place, precision, settings, progress, template)
    return folder


def _make(
    spec: ModelSpec,
    base: Path,
    problems: Sequence[Problem],
    folder: Path,
    tuning: Tuning,
    device: torch.device,
    precision: torch.dtype,
    settings: Mapping[str, Any],
    progress: Progress,
    template: Template,
) -> None:
    """Train, save beside the place, prove, and move there whole."""
    key = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
    work = folder.parent / "unfinished" / f"{folder.name}-{key}"
    staged = folder.with_name(f".{folder.name}-staged")
    shutil.rmtree(staged, ignore_errors=True)  # of a run that was killed
    try:
        trained, log = _train(spec, problems, staged, work, tuning, device, precision, progress, template)
        _free(device)
        proof = prove(trained, staged, base, precision)
        log = {"model": spec.name + SUFFIX, "caveat": spec.caveat, "settings": settings, **log, "proof": proof}
        _write(staged / TRAINING_LOG, json.dumps(log, indent=1) + "\n")
        marks = trained_on(spec).union(*(problem.dedup_keys for problem in problems))
        _write(staged / TRAINED_ON, "".join(f"{mark}\n" for mark in sorted(marks)))
        staged.rename(folder)
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        raise LoadError(
            f"model {spec.name!r}: not enough memory on {device} to tune it in batches of {tuning.batch}"
            f" ({str(error).partition('. ')[0][:200]}); a smaller --sft-batch-size with as much more"
            " --sft-accumulation takes the same steps"
        ) from error
    except SafetensorError as error:  # what safetensors makes of a full disk, too
        raise OSError(
            f"model {spec.name!r}: its tuned weights could not be written or read in {staged}: {error}"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        _free(device)
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):  # another training may be unfinished there
        work.parent.rmdir()


def _train(
    spec: ModelSpec,
    problems: Sequence[Problem],
    staged: Path,
    work: Path,
    tuning: Tuning,
    device: torch.device,
    precision: torch.dtype,
    progress: Progress,
    template: Template,
) -> tuple[Trained, dict[str, Any]]:
    """Train, save to `staged`, and give what the proof needs of the model, and the log."""
    # Full weights are held in float32, as an update is smaller than bfloat16 can hold; an adapter is by itself.
    held = precision if tuning.method == "lora" else torch.float32
    started, begin = datetime.now(UTC), time.perf_counter()
    loaded = load(spec, str(device), str(held).removeprefix("torch."), template)
    rows = training_rows(loaded, problems, tuning.loss)
    width = loaded.model.config.get_text_config().hidden_size
    rate = RATE_TIMES_WIDTH[tuning.method] / width if tuning.rate is None else tuning.rate
    filler = loaded.tokenizer.pad_token_id or 0
    low, resumed = precision is torch.bfloat16, last_saved(work)
    with threads_for(loaded):
        model: Any = adapted(loaded.model, tuning) if tuning.method == "lora" else loaded.model
        trainer = trainer_for(model.train(), rows, tuning, rate, work, filler, low, progress)
        trainer.train(resume_from_checkpoint=resumed)
    curve, seconds = trainer.state.log_history, time.perf_counter() - begin
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False).eval()
    if tuning.method == "lora":
        save_adapter(model, staged, spec)
    else:
        model.save_pretrained(staged)
    loaded.tokenizer.save_pretrained(staged)
    log = {
        "base_path": os.path.realpath(checkpoint_folder(spec)),
        "rate": rate,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "tokens": sum(rows["length"]) * tuning.epochs,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "resumed_after_step": 0 if resumed is None else int(resumed.rpartition("-")[2]),
        "loss": [{"step": p["step"], "loss": round(p["loss"], 5)} for p in curve if "loss" in p],
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "transformers", "peft", "tokenizers", "accelerate")},
    }
    return Trained.of(model, padded(rows.select(range(min(_PROBES, len(rows)))).to_list(), filler), spec.trust), log


def _free(device: torch.device) -> None:
    """Give back what a training held: the Trainer refers to itself, and the card is wanted for the next model."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def last_saved(work: Path) -> str | None:
    """The newest step in `work` that was saved whole; its state is written last."""
    whole = [path for path in work.glob("checkpoint-*") if _is_json(path / "trainer_state.json")]
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True
