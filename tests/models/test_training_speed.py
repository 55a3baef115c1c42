"""How much faster batches of similar length and a loss on the answer are than a Trainer with padding to a maximum."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

from models.loading.load_model import LoadedModel
from models.loading.lora_adapters import add_adapter
from models.mini.mini_recipe import Recipe
from models.mini.mini_tokenizer import train_tokenizer
from models.model_registry import ModelSpec
from models.prompt import completion_for, prompt_for
from models.sft.sft_options import Tuning
from models.sft.sft_trainer import build_trainer
from models.sft.tokenized_examples import IGNORED, training_rows
from noise import mini
from noise.problems.problem import Problem

pytestmark = pytest.mark.slow
LENGTH, BATCH, RUNS = 1_024, 4, 3


def model_for(problems: Sequence[Problem]) -> LoadedModel:
    """Return two layers of the width of the 375M pair with random weights, and a byte-level BPE of 16,000 trained on
    `problems`."""
    tokenizer = train_tokenizer(problems, Recipe(vocabulary=16_000))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=16_000,
        hidden_size=1_024,
        intermediate_size=4_096,
        num_hidden_layers=2,
        num_attention_heads=16,
        num_key_value_heads=4,
        max_position_embeddings=2 * LENGTH,
        attn_implementation="sdpa",
    )
    return LoadedModel(LlamaForCausalLM(config), tokenizer, ModelSpec("random", "random"), "")


def ours(loaded: LoadedModel, model: Any, problems: Sequence[Problem], folder: Path) -> Trainer:
    """Return the trainer of `models.tune`."""
    rows = training_rows(loaded, problems)
    return build_trainer(model, rows, Tuning(batch=BATCH, epochs=1), 1e-4, folder, 0, False, lambda *facts: None)


def plain(loaded: LoadedModel, model: Any, problems: Sequence[Problem], folder: Path) -> Trainer:
    """Return a trainer with examples padded to 1,024 tokens and the model's own loss over all tokens but padding."""
    texts = [prompt_for(problem.question) + completion_for(problem.answer) for problem in problems]
    encoded = loaded.tokenizer(texts, padding="max_length", max_length=LENGTH, padding_side="right")
    labels = [
        [token if real else IGNORED for token, real in zip(ids, mask, strict=True)]
        for ids, mask in zip(encoded["input_ids"], encoded["attention_mask"], strict=True)
    ]
    rows = Dataset.from_dict({**encoded, "labels": labels}).remove_columns(
        [name for name in encoded if name not in ("input_ids", "attention_mask")]
    )
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=1e-4,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    return Trainer(model=model, args=arguments, train_dataset=rows)


def seconds_of(trainer: Trainer) -> float:
    begin = time.perf_counter()
    trainer.train()
    return time.perf_counter() - begin


def compare(
    problems: Sequence[Problem], batches: int, title: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> list[float]:
    """Return the ratios, ours over plain, of useful tokens a second: in turn, on the same model and examples."""
    loaded = model_for(problems)
    model = add_adapter(loaded.model, Tuning())
    subset = problems[: batches * BATCH]
    useful = sum(training_rows(loaded, subset)["length"])
    trainers: list[Callable[..., Trainer]] = [ours, plain]
    for make_trainer in trainers:
        make_trainer(loaded, model, subset[:BATCH], folder).train()
    rates: list[list[float]] = [[], []]
    for _ in range(RUNS):
        for trainer_rates, make_trainer in zip(rates, trainers, strict=True):
            trainer_rates.append(useful / seconds_of(make_trainer(loaded, model, subset, folder)))
    ratios = [our_rate / plain_rate for our_rate, plain_rate in zip(*rates, strict=True)]
    with capsys.disabled():
        print(
            f"\n{title}: {len(subset)} examples of {useful / len(subset):.0f} tokens, {RUNS} paired runs,"
            " min/median/max"
        )
        for name, values in (("ours", rates[0]), ("padded to 1,024", rates[1]), ("ratio", ratios)):
            digits = 1 if name == "ratio" else 0
            figures = " / ".join(f"{v:,.{digits}f}" for v in (min(values), statistics.median(values), max(values)))
            print(f"  {name:<16} {figures}" + ("" if name == "ratio" else " useful tokens/s"))
    return ratios


def test_five_times_the_useful_tokens_a_second_on_gsm8k(
    gsm8k: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert statistics.median(compare(gsm8k, 12, "GSM8K", tmp_path, capsys)) >= 5


def test_five_times_the_useful_tokens_a_second_on_the_embedded_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert statistics.median(compare(mini.problems("train"), 4, "mini:train", tmp_path, capsys)) >= 5
