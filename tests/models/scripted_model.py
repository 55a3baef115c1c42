"""A model that writes what it is told: GPT-2 whose scores depend on the position alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from models.loading.load_model import LoadedModel, load
from models.model_registry import MODELS, ModelSpec
from models.prompt import PLAIN, Template

POSITIONS = 512


def scripted_model(
    folder: Path,
    question: str,
    text: str,
    template: Template = PLAIN,
    special_tokens: tuple[str, ...] = (),
    chat_template: str | None = None,
    score: float = 10.0,
) -> LoadedModel:
    """Write a checkpoint to `folder` that answers `question` with `text`, and load it.

    The score of each token of the text is `score`, all others are 0. After the text comes an end of text.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(MODELS["llama"].source)
    tokenizer.add_special_tokens({"additional_special_tokens": list(special_tokens)})
    tokenizer.chat_template = chat_template
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=POSITIONS, n_layer=1, n_head=1, n_positions=POSITIONS,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, tie_word_embeddings=False,
    )  # fmt: skip
    model: Any = GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.transformer.ln_f.weight.fill_(1.0)
        model.transformer.wpe.weight.copy_(torch.eye(POSITIONS))
        model.lm_head.weight[0, 0] = 1.0  # an output layer of zeros would be refused
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    loaded = load(ModelSpec("scripted", str(folder)), "cpu", "float32", template)
    begin = len(loaded.encode(loaded.prompts([question]))["input_ids"][0])
    tokens = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    head: Any = loaded.model.get_output_embeddings()
    with torch.no_grad():
        for position, token in enumerate(tokens, begin - 1):
            head.weight[token, position] = score
    return loaded
