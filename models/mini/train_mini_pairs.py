"""Train pairs of miniatures in parallel, a process and a thread for each model, and save each with its log."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from importlib.metadata import version
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TextIO

import torch
import transformers
from tqdm import tqdm

from models.mini.mini_families import PAIR
from models.mini.mini_recipe import Recipe
from models.mini.mini_tokenizer import make_tokenizer
from models.mini.mini_training import TrainingMismatchError, data_fingerprint, train
from models.model_registry import TRAINING_LOG
from noise.mini import training

#: Locked while models are trained into a folder.
_LOCK = ".training"
#: The log has the fingerprint of this many problems as `data_start`, which takes no time to compare.
_FIRST = 1_000


def train_pairs(
    out: Path,
    seeds: Sequence[int],
    recipe: Recipe,
    report: Callable[[str], None] = print,
    workers: int = 2,
    families: Sequence[str] = PAIR,
) -> list[Path]:
    """Train each of `families` (`models.mini.mini_families.FAMILIES`) with each seed, into `out/<family>/<seed>`.
    Return the folders.

    Those of a seed get the same problems in the same order, the same tokenizer, and the same initial weights as far
    as they have them. A folder appears once it is complete. One that exists is kept, and an interrupted training
    resumes from its last snapshot. `report` gets a line for each model that is done. Raises `TrainingMismatchError`
    where a folder holds a model of another recipe, before anything is trained, or a snapshot of one; and
    `BlockingIOError` where another training writes into `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / _LOCK).open("w") as lock:
        _lock(lock, out)
        jobs = [(family, seed) for seed in seeds for family in families]
        folders = _train_what_is_missing(out, jobs, recipe, report, workers)
    (out / _LOCK).unlink(missing_ok=True)
    return folders


def _lock(file: TextIO, out: Path) -> None:
    """Lock a file until it is closed or the process ends. Windows has no such lock."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(f"another train-mini is already writing to {out}") from None


def _train_what_is_missing(
    out: Path, jobs: Sequence[tuple[str, int]], recipe: Recipe, report: Callable[[str], None], workers: int
) -> list[Path]:
    waiting = [job for job in jobs if not _is_complete(_folder(out, *job), *job, recipe)]
    if len(waiting) < len(jobs):
        report(f"{len(jobs) - len(waiting)} of {len(jobs)} models already trained")
    if waiting:
        _train_all(out, waiting, recipe, report, workers)
    return [_folder(out, *job) for job in jobs]


def _folder(out: Path, family: str, seed: int) -> Path:
    return out / family / str(seed)


def _is_complete(folder: Path, family: str, seed: int, recipe: Recipe) -> bool:
    """Return whether a folder holds the model to be trained. Raises `TrainingMismatchError` where it holds another."""
    if not folder.exists():
        return False
    if not (folder / "model.safetensors").is_file():
        raise TrainingMismatchError(f"{folder} already exists, without model.safetensors")
    wanted = {"family": family, "seed": seed, "recipe": asdict(recipe), "data_start": _start(seed, recipe)}
    try:
        log = json.loads((folder / TRAINING_LOG).read_bytes())
    except (OSError, ValueError):
        log = {}
    for entry, value in wanted.items():
        if log.get(entry) != value:
            raise TrainingMismatchError(f"{folder} already exists, with another {entry!r} in its {TRAINING_LOG}")
    return True


def _start(seed: int, recipe: Recipe) -> str:
    return data_fingerprint(training(seed, _FIRST, recipe.distractor_share))


def _train_all(
    out: Path, jobs: list[tuple[str, int]], recipe: Recipe, report: Callable[[str], None], workers: int
) -> None:
    """Train the models of `jobs`, at most `workers` at a time, under one progress bar over all steps."""
    context = multiprocessing.get_context("spawn")
    steps, stop = context.Value("q", 0), context.Event()
    begin = time.perf_counter()
    with (
        ProcessPoolExecutor(min(workers, len(jobs)), context, _init_worker, (steps, stop)) as pool,
        tqdm(total=len(jobs) * recipe.steps, unit="step", smoothing=0.02, disable=None) as bar,
    ):
        running: set[Future[str]] = {pool.submit(_train_model, *job, out, recipe) for job in jobs}
        done = 0
        try:
            while running:
                finished, running = wait(running, timeout=1, return_when=FIRST_COMPLETED)
                done += len(finished)
                bar.set_description(f"{done} of {len(jobs)} models", refresh=False)
                bar.update(steps.value - bar.n)
                for future in finished:
                    with tqdm.external_write_mode():
                        report(future.result())
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    report(f"{len(jobs)} models in {_duration(time.perf_counter() - begin)}")


def _init_worker(steps: Any, stop: Event) -> None:
    """Prepare a worker: its models count their steps together with those of the others."""
    global _steps, _stop
    _steps, _stop = steps, stop
    transformers.utils.logging.disable_progress_bar()  # of a save that takes a moment
    torch.set_num_threads(1)  # two processes of one thread are faster than two threads for one model after the other


_steps: Any
_stop: Event


class _StoppedError(RuntimeError):
    """The process that trains all models was interrupted."""


def _parent_lives() -> bool:
    """Return whether the process that trains all models is there: one that was killed could not stop this one."""
    parent = multiprocessing.parent_process()
    return parent is None or parent.is_alive()


def _train_model(family: str, seed: int, out: Path, recipe: Recipe) -> str:
    """Train and save one model. Return a line about it."""
    folder = _folder(out, family, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    snapshot = folder.with_name(f".{seed}.snapshot")
    counted = 0

    def progress(step: int, _: float) -> None:
        nonlocal counted
        with _steps.get_lock():
            _steps.value += step - counted  # the steps before a snapshot, too
        counted = step
        if not _parent_lives():
            os._exit(1)  # nobody waits for this process: it would take the next model, and then wait for ever
        if _stop.is_set():
            raise _StoppedError

    problems = training(seed, recipe.steps * recipe.batch, recipe.distractor_share)
    tokenizer = make_tokenizer(recipe)
    model, log = train(family, problems, tokenizer, recipe, seed, progress, snapshot)
    log["data_start"] = _start(seed, recipe)
    log["parameters"] = model.num_parameters()
    log["versions"] = {"python": platform.python_version()} | {
        package: version(package) for package in ("torch", "transformers", "tokenizers")
    }
    _save(folder, model, tokenizer, log)
    snapshot.unlink(missing_ok=True)
    last = log["loss"][-1]
    return f"{folder}: loss {last['loss']:.3f} nats a token after {_duration(last['seconds'])}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _save(folder: Path, model: Any, tokenizer: Any, log: dict[str, Any]) -> None:
    """Write a checkpoint to a temporary folder and rename it once complete. Weights are bfloat16: half the size."""
    temporary = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    (temporary / TRAINING_LOG).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
    temporary.rename(folder)
