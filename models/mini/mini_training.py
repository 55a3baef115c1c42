"""The recipe of the miniature pair: both families are trained alike, from scratch, on two CPU cores."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional
from transformers import (
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from models.prompt import completion_for, prompt_for
from noise.problems.problem import Problem

FAMILIES: dict[str, tuple[type, type]] = {
    "diffllama": (DiffLlamaConfig, DiffLlamaForCausalLM),
    "llama": (LlamaConfig, LlamaForCausalLM),
}


@dataclass(frozen=True)
class Recipe:
    """Sizes and settings; everything else is PyTorch's or transformers' default."""

    hidden: int = 128
    intermediate: int = 384
    layers: int = 4
    heads: int = 4
    vocabulary: int = 1_000
    tokenizer_problems: int = 20_000  # the tokenizer is trained on the text of the first ones
    positions: int = 2_048
    steps: int = 4_500
    batch: int = 32
    muon_lr: float = 0.02
    adamw_lr: float = 3e-3
    warmup: int = 100
    bucket: int = 50  # this many batches of problems are sorted by length together


def make_tokenizer(problems: list[Problem], recipe: Recipe) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer with one token per digit. It adds `<bos>` itself, so harnesses prompt alike."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=["<pad>", "<bos>", "<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (prompt_for(problem.question) + completion_for(problem.answer) for problem in problems), trainer
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", tokenizer.token_to_id("<bos>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        padding_side="left",
        model_max_length=recipe.positions,
        clean_up_tokenization_spaces=False,
    )


def make_model(family: str, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """Return a model with random weights. Both families get the same sizes and, as defaults differ, `rms_norm_eps`."""
    config_class, model_class = FAMILIES[family]
    config = config_class(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.positions,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return model_class(config)


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
        (matrices if parameter.ndim == 2 and "embed" not in name else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=recipe.muon_lr, weight_decay=0.0),
        torch.optim.AdamW(others, lr=recipe.adamw_lr, weight_decay=0.0, betas=(0.9, 0.95)),
    ]


def train(
    family: str,
    problems: list[Problem],
    tokenizer: PreTrainedTokenizerFast,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Train one model on `recipe.steps` batches of `problems`, in order. Return it with its training log.

    `progress(step, loss)` is called after each step; the loss is the mean over answer tokens, in nats.
    """
    torch.manual_seed(seed)
    model = make_model(family, recipe, tokenizer).train()
    optimizers = _optimizers(model, recipe)
    base_rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    curve: list[dict[str, float]] = []
    total, count, tokens, begin = 0.0, 0, 0, time.perf_counter()
    for step, (ids, labels) in enumerate(_batches(problems, tokenizer, recipe, seed), 1):
        rate = min(step / recipe.warmup, 0.5 * (1 + math.cos(math.pi * step / recipe.steps)) + 0.01)
        groups = (group for optimizer in optimizers for group in optimizer.param_groups)
        for group, base in zip(groups, base_rates, strict=True):
            group["lr"] = base * rate
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        answer = labels[:, 1:] != -100  # the output projection is only needed where there is a loss
        loss = functional.cross_entropy(model.lm_head(hidden[answer]), labels[:, 1:][answer])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        total, count, tokens = total + loss.item(), count + 1, tokens + int((ids != tokenizer.pad_token_id).sum())
        progress(step, loss.item())
        if step % 100 == 0 or step == recipe.steps:
            curve.append({"step": step, "loss": round(total / count, 4), "seconds": round(time.perf_counter() - begin)})
            total, count = 0.0, 0
        if step == recipe.steps:
            break
    log = {
        "family": family,
        "seed": seed,
        "recipe": asdict(recipe),
        "tokens": tokens,
        "problems": recipe.steps * recipe.batch,
    }
    return model.eval(), {**log, "loss": curve}
