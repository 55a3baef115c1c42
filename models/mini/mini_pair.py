"""Training the two miniatures side by side on the same problems, and leaving checkpoints that tell how."""

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

from models.mini.mini_recipe import FAMILIES, Recipe, make_tokenizer, train
from models.model_registry import TRAINING_LOG
from noise.mini import training
from noise.problems.problem import Problem


class FamilyExistsError(ValueError):
    """A checkpoint folder is already there. Training never writes over one."""


def data_fingerprint(problems: list[Problem]) -> str:
    """SHA-256 (hex) over questions and answers, in order: two models with the same one saw the same text."""
    digest = hashlib.sha256()
    for problem in problems:
        digest.update(f"{problem.question}\0{problem.answer}\0".encode())
    return digest.hexdigest()


def train_pair(out: Path, seed: int, recipe: Recipe) -> list[Path]:
    """Train both families of `FAMILIES` with `seed`, a process and a thread each, into `out/<family>`.

    Same problems, order, seed and tokenizer. A folder appears when it is whole. Raises `FamilyExistsError` where one
    is there already.
    """
    for family in FAMILIES:
        if (out / family).exists():
            raise FamilyExistsError(f"{out / family} exists already; name another --out, or move it away")
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(len(FAMILIES), mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_train_family, family, place, out, seed, recipe) for place, family in enumerate(FAMILIES)]
        return [job.result() for job in jobs]


def _train_family(family: str, place: int, out: Path, seed: int, recipe: Recipe) -> Path:
    torch.set_num_threads(1)  # two processes of one thread each are faster than one after the other with two
    problems = training(seed, recipe.steps * recipe.batch)
    tokenizer = make_tokenizer(problems[: recipe.tokenizer_problems], recipe)
    with tqdm(total=recipe.steps, desc=f"{family:<10}", position=place, unit="step", disable=None) as bar:

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
    """Write a checkpoint beside its place and move it there whole. Weights are kept in bfloat16: half the size."""
    temporary = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    (temporary / TRAINING_LOG).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
    temporary.rename(folder)
    return folder
