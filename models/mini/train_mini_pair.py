"""Train the two miniatures in parallel on the same problems, and save each with a log of its training."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import platform
import shutil
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from models.mini.mini_training import FAMILIES, Recipe, make_tokenizer, train
from models.model_registry import TRAINING_LOG
from noise.mini import training
from noise.problems.problem import Problem


class CheckpointExistsError(ValueError):
    """A checkpoint folder exists already. Training never overwrites one."""


def data_fingerprint(problems: list[Problem]) -> str:
    """Return the SHA-256 (hex) over questions and answers, in order. Equal values mean the same training text."""
    digest = hashlib.sha256()
    for problem in problems:
        digest.update(f"{problem.question}\0{problem.answer}\0".encode())
    return digest.hexdigest()


def train_pair(out: Path, seed: int, recipe: Recipe) -> list[Path]:
    """Train both families of `FAMILIES` with `seed`, a process and a thread each, into `out/<family>`.

    Both get the same problems, order, seed and tokenizer. A folder appears once it is complete. Return the folders.
    Raises `CheckpointExistsError` where one exists already.
    """
    for family in FAMILIES:
        if (out / family).exists():
            raise CheckpointExistsError(f"{out / family} exists already")
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(len(FAMILIES), mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_train_family, family, row, out, seed, recipe) for row, family in enumerate(FAMILIES)]
        return [job.result() for job in jobs]


def _train_family(family: str, row: int, out: Path, seed: int, recipe: Recipe) -> Path:
    """Train and save one model; `row` is the terminal row of its progress bar. Return its folder."""
    torch.set_num_threads(1)  # two processes of one thread are faster than two threads for one model after the other
    problems = training(seed, recipe.steps * recipe.batch)
    tokenizer = make_tokenizer(problems[: recipe.tokenizer_problems], recipe)
    with tqdm(total=recipe.steps, desc=f"{family:<10}", position=row, unit="step", disable=None) as bar:

        def progress(step: int, loss: float) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)

        model, log = train(family, problems, tokenizer, recipe, seed, progress)
    log["data"] = data_fingerprint(problems)
    log["parameters"] = model.num_parameters()
    log["versions"] = {"python": platform.python_version()} | {
        package: version(package) for package in ("torch", "transformers", "tokenizers")
    }
    return _save(out / family, model, tokenizer, log)


def _save(folder: Path, model: Any, tokenizer: Any, log: dict[str, Any]) -> Path:
    """Write a checkpoint to a temporary folder and rename it once complete. Weights are bfloat16: half the size."""
    temporary = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    (temporary / TRAINING_LOG).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
    temporary.rename(folder)
    return folder
