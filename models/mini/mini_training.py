"""Train one miniature from scratch, on one CPU thread, and resume after an interruption, bit for bit."""

from __future__ import annotations

import hashlib
import math
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from models.mini.mini_families import initial_model
from models.mini.mini_recipe import Recipe
from models.mini.newton_schulz import orthogonalised
from models.prompt import completion_for, prompt_for
from models.upstream_torch import multiplies_bfloat16, muon_orthogonalised_by
from noise.problems.problem import Problem

_SNAPSHOT_EVERY = 250  # steps


def data_fingerprint(problems: list[Problem]) -> str:
    """Return the SHA-256 (hex) over questions and answers, in order. Equal values mean the same training text."""
    digest = hashlib.sha256()
    for problem in problems:
        digest.update(f"{problem.question}\0{problem.answer}\0".encode())
    return digest.hexdigest()


def _batches(
    problems: list[Problem], tokenizer: PreTrainedTokenizerFast, recipe: Recipe, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield `(input_ids, labels)`, each (batch, length), right-padded; labels are −100 outside the answer."""
    rng = random.Random(seed)
    window = recipe.batch * recipe.bucket
    for start in range(0, len(problems), window):
        by_length = sorted(
            _tokenize(problems[start : start + window], tokenizer), key=lambda row: len(row[0]) + len(row[1])
        )
        batches = [by_length[i : i + recipe.batch] for i in range(0, len(by_length), recipe.batch)]
        rng.shuffle(batches)
        for batch in batches:
            length = max(len(prompt) + len(completion) for prompt, completion in batch)
            ids = torch.full((len(batch), length), tokenizer.pad_token_id)
            labels = torch.full((len(batch), length), -100)
            for row, (prompt, completion) in enumerate(batch):
                ids[row, : len(prompt) + len(completion)] = torch.tensor(prompt + completion)
                labels[row, len(prompt) : len(prompt) + len(completion)] = torch.tensor(completion)
            yield ids, labels


def _tokenize(problems: list[Problem], tokenizer: PreTrainedTokenizerFast) -> list[tuple[list[int], list[int]]]:
    """Return the tokens of each problem's prompt and completion, the end-of-text token included."""
    prompts = tokenizer([prompt_for(problem.question) for problem in problems])["input_ids"]
    answers = tokenizer([completion_for(problem.answer) for problem in problems], add_special_tokens=False)["input_ids"]
    return [(prompt, [*answer, tokenizer.eos_token_id]) for prompt, answer in zip(prompts, answers, strict=True)]


def _optimizers(model: PreTrainedModel, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside the layers, and AdamW for the rest: embeddings, norms and λ."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_inner = parameter.ndim == 2 and "embed" not in name and "lambda" not in name
        (matrices if is_inner else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=recipe.muon_lr, weight_decay=0.0),
        torch.optim.AdamW(others, lr=recipe.adamw_lr, weight_decay=0.0, betas=(0.9, 0.95)),
    ]


class TrainingMismatchError(ValueError):
    """A folder holds a checkpoint or a snapshot of a different training run."""


@dataclass
class _Training:
    """A model in training, and what its log says so far."""

    model: PreTrainedModel
    optimizers: list[torch.optim.Optimizer]
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)  # since the last entry of the curve
    curve: list[dict[str, float]] = field(default_factory=list)

    def save(self, path: Path, of: dict[str, Any]) -> None:
        """Write a snapshot to a temporary file, and rename it once it is complete. `of` says what is trained."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        numbers = (self.step, self.tokens, self.seconds, self.losses, self.curve)
        states = [optimizer.state_dict() for optimizer in self.optimizers]
        snapshot = {"of": of, "model": self.model.state_dict(), "optimizers": states, "numbers": numbers}
        with temporary.open("wb") as file:
            torch.save(snapshot, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def restore(self, path: Path, of: dict[str, Any]) -> None:
        """Resume from a snapshot; start over where it cannot be read. Raises `TrainingMismatchError` where it is not
        `of` this training."""
        try:
            snapshot = torch.load(path, weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError):  # a disk that was full, or a machine that went down
            warnings.warn(f"{path} is damaged: training restarts from step 0", stacklevel=2)
            return
        if snapshot["of"] != of:
            raise TrainingMismatchError(f"{path} belongs to a different training run; move it away")
        self.model.load_state_dict(snapshot["model"])
        for optimizer, state in zip(self.optimizers, snapshot["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.step, self.tokens, self.seconds, self.losses, self.curve = snapshot["numbers"]

    def set_rates(self, recipe: Recipe) -> None:
        """Set the learning rates of a step: a linear warm-up, then a cosine down to a hundredth."""
        factor = min(self.step / recipe.warmup, 0.5 * (1 + math.cos(math.pi * self.step / recipe.steps)) + 0.01)
        for optimizer, rate in zip(self.optimizers, (recipe.muon_lr, recipe.adamw_lr), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor

    def train_step(self, ids: torch.Tensor, labels: torch.Tensor) -> float:
        """Take one step on a batch. Return its loss, the mean over answer tokens in nats."""
        hidden = self.model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        answer = labels[:, 1:] != -100  # the output projection is only needed where there is a loss
        loss = functional.cross_entropy(self.model.lm_head(hidden[answer]), labels[:, 1:][answer])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        with nullcontext() if multiplies_bfloat16() else muon_orthogonalised_by(orthogonalised):
            for optimizer in self.optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
        return loss.item()


def train(
    family: str,
    problems: list[Problem],
    tokenizer: PreTrainedTokenizerFast,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    snapshot: Path | None = None,
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Train one model on `recipe.steps` batches of `problems`, in order. Return it with its training log.

    `progress(step, loss)` is called after each step; the loss is the mean over answer tokens, in nats. The state is
    written to the file `snapshot` every few minutes. Where the file exists, training goes on from it, to the same
    weights. Raises `TrainingMismatchError` where it is one of another training.
    """
    model = initial_model(family, recipe, tokenizer, seed).train()
    training = _Training(model, _optimizers(model, recipe))
    log = {
        "family": family,
        "seed": seed,
        "recipe": asdict(recipe),
        "problems": recipe.steps * recipe.batch,
        "data": data_fingerprint(problems),
    }
    if snapshot is not None and snapshot.exists():
        training.restore(snapshot, log)
    done, before, begin = training.step, training.seconds, time.perf_counter()
    for step, (ids, labels) in enumerate(_batches(problems, tokenizer, recipe, seed), 1):
        if step > recipe.steps:
            break
        if step <= done:
            continue
        training.step = step
        training.set_rates(recipe)
        loss = training.train_step(ids, labels)
        training.losses.append(loss)
        training.tokens += int((ids != tokenizer.pad_token_id).sum())
        training.seconds = before + time.perf_counter() - begin
        progress(step, loss)
        if step % 100 == 0 or step == recipe.steps:
            mean = sum(training.losses) / len(training.losses)
            training.curve.append({"step": step, "loss": round(mean, 4), "seconds": round(training.seconds)})
            training.losses = []
        if snapshot is not None and step % _SNAPSHOT_EVERY == 0:
            training.save(snapshot, log)
    return model.eval(), {**log, "tokens": training.tokens, "loss": training.curve}
