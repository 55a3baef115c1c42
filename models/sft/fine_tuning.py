"""Fine-tune a model into a checkpoint of its own: reuse it if it exists, resume it if it was interrupted, check it."""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from filelock import FileLock
from safetensors import SafetensorError

from models.loading.checkpoint_fingerprint import checkpoint_folder, fingerprint
from models.loading.device_dtype import resolve_device, resolve_dtype
from models.loading.read_checkpoint import hidden_loading_bars
from models.mini.mini_training import data_fingerprint
from models.model_registry import TRAINED_ON, TRAINING_LOG, ModelSpec, trained_on
from models.prompt import PLAIN, Template
from models.sft.checkpoint_reuse import check_reusable, files_fingerprint
from models.sft.reload_checks import check_reload
from models.sft.sft_options import SUFFIX, Tuning
from models.sft.tuning_errors import NoTuningProblems, TuningNotSaved, TuningOutOfMemory, UnsupportedTuningDtype
from models.upstream_torch import is_failed_write
from noise.problems.problem import Problem

if TYPE_CHECKING:  # what trains takes a second to import, and a checkpoint that exists needs none of it
    from models.sft.sft_trainer import Progress
    from models.sft.training_run import TrainingJob

#: Part of every checkpoint's settings: raise it when a change here can change what is trained.
TUNING_VERSION = "2"


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
    """Fine-tune `spec` on `problems`, in the text they have, into `folder`, and return `folder`.

    An existing checkpoint of the same settings is used as it is; an interrupted training continues from its last saved
    step. `facts` are JSON values for the settings in the log, such as the source of the problems and their noise. The
    base is read from disk: a model in memory is never changed. `template` is the prompt. `training.json` in `folder`
    holds the settings, the log, and the results of the checks (`models.sft.reload_checks`).

    Raises `NoTuningProblems`; `ExampleTooLong` for a problem longer than the model's positions;
    `UnsupportedTuningDtype` for float16; `ValueError` for an architecture that peft cannot adapt; `TuningMismatch` if
    `folder` holds something else; `LoadError`; `TuningOutOfMemory`; `TrainingDiverged` if a loss or gradient is not
    finite; `TuningNotApplied` if a check fails; `TuningNotSaved` if the disk refuses a file.
    """
    if not problems:
        raise NoTuningProblems(f"model {spec.name!r}: expected at least one problem to tune on, got none")
    torch_device = resolve_device(device)
    precision = resolve_dtype(dtype, torch_device)
    if precision is torch.float16:
        raise UnsupportedTuningDtype(
            'dtype="float16": expected float32 or bfloat16 for fine-tuning, which does not scale the loss'
        )
    base = checkpoint_folder(spec)
    settings = {
        "base": fingerprint(base, spec.trust),
        **{name: value for name, value in asdict(tuning).items() if name != "rank" or tuning.method == "lora"},
        "samples": len(problems),
        "data": data_fingerprint(list(problems)),
        **(facts or {}),
        "precision": str(precision).removeprefix("torch."),
        "prompt": template.key,
        "version": TUNING_VERSION,
    }
    with _explaining_failed_writes(spec, folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock"):  # two workers that want one checkpoint make it once
            if folder.exists():
                check_reusable(folder, settings)
            else:
                from models.sft.sft_trainer import seeded_global_generators
                from models.sft.training_run import TrainingJob

                job = TrainingJob(spec, problems, tuning, torch_device, precision, progress, template)
                with hidden_loading_bars(), seeded_global_generators(tuning.seed):
                    _train_check_and_publish(job, base, folder, settings)
    return folder


@contextmanager
def _explaining_failed_writes(spec: ModelSpec, folder: Path) -> Iterator[None]:
    """Raise `TuningNotSaved` for what Python, safetensors and torch raise if they cannot write."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not is_failed_write(error):
            raise
        reason = str(error).splitlines()[0]
        raise TuningNotSaved(
            f"model {spec.name!r}: cannot save its fine-tuning in {folder.parent}: {reason}"
        ) from error


def _train_check_and_publish(job: TrainingJob, base: Path, folder: Path, settings: Mapping[str, Any]) -> None:
    """Train, save to a folder next to `folder`, check what was saved, and rename it to `folder`."""
    from models.sft.training_run import train

    spec = job.spec
    settings_hash = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
    work_dir = folder.parent / "unfinished" / f"{folder.name}-{settings_hash}"
    staged = folder.with_name(f".{folder.name}-staged")
    shutil.rmtree(staged, ignore_errors=True)  # left by a run that was killed
    try:
        trained, log = train(job, staged, work_dir)
        _free_memory(job.device)
        proof = check_reload(trained, staged, base, job.precision)
        log = {"model": spec.name + SUFFIX, "caveat": spec.caveat, "settings": settings, **log, "proof": proof}
        log |= {"files": files_fingerprint(staged), "weights": fingerprint(staged, spec.trust)}
        _write(staged / TRAINING_LOG, json.dumps(log, indent=1) + "\n")
        keys = trained_on(spec).union(*(problem.dedup_keys for problem in job.problems))
        _write(staged / TRAINED_ON, "".join(f"{key}\n" for key in sorted(keys)))
        staged.rename(folder)
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        raise TuningOutOfMemory(
            f"model {spec.name!r}: not enough memory on {job.device} to tune it in batches of {job.tuning.batch}"
            f" ({str(error).partition('. ')[0][:200]}); a smaller batch with more accumulation takes the same steps"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        _free_memory(job.device)
    shutil.rmtree(work_dir, ignore_errors=True)
    with suppress(OSError):  # the folder may hold another unfinished training
        work_dir.parent.rmdir()


def _free_memory(device: torch.device) -> None:
    """Release the Trainer, which has reference cycles, and the GPU memory it held: the next model needs it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
