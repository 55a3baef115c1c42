"""Checkpoints with random weights in the form of the study's two: a sub-folder, tied embeddings, grouped queries,
128,256 tokens of which the last 256 are special, `<|eot_id|>` as the end of text, no padding token."""

from __future__ import annotations

import itertools
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from noise import mini

SUBFOLDER = "checkpoint-64434"
#: The number of ordinary tokens, and of the special ones after them.
TOKENS, SPECIAL = 128_000, 256
BEGIN, END = "<|begin_of_text|>", "<|eot_id|>"
#: The shape of the study's models. Source: the configurations next to their weights.
STUDY: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
}
#: A small shape of the same form: 33 MB of float32, nearly all of it embeddings.
SMALL: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
_FAMILIES: dict[str, tuple[Any, Any]] = {
    "diffllama": (DiffLlamaConfig, DiffLlamaForCausalLM),
    "llama": (LlamaConfig, LlamaForCausalLM),
}
#: A chat template of the same kind: roles in headers, a special token after each turn.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n{{ message.content | trim }}<|eot_id|>"
    "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


def write_checkpoint(
    family: str, folder: Path, shape: dict[str, Any] = SMALL, dtype: torch.dtype = torch.float32, seed: int = 0
) -> Path:
    """Write a checkpoint of `family` to `folder`, and return the folder."""
    config_class, model_class = _FAMILIES[family]
    config = config_class(
        **shape,
        vocab_size=TOKENS + SPECIAL,
        max_position_embeddings=131_072,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500_000.0,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        bos_token_id=TOKENS,
        eos_token_id=TOKENS + 9,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = model_class(config).to(dtype)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@lru_cache(maxsize=1)
def tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer with as many tokens as the study's, most of which never occur in a text."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = _pre_tokenizer()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2_000, initial_alphabet=alphabet, show_progress=False)
    trained.train_from_iterator((f"{p.question}\n{p.answer}" for p in mini.problems("train")[:500]), trainer)
    learned = json.loads(trained.to_str())["model"]
    vocabulary = dict(learned["vocab"])
    for number in itertools.count():
        if len(vocabulary) == TOKENS:
            break
        vocabulary.setdefault(f"never{number}", len(vocabulary))
    padded = Tokenizer(models.BPE(vocabulary, [tuple(merge) for merge in learned["merges"]]))
    padded.pre_tokenizer, padded.decoder = _pre_tokenizer(), decoders.ByteLevel()
    names = {0: BEGIN, 1: "<|end_of_text|>", 6: "<|start_header_id|>", 7: "<|end_header_id|>", 9: END}
    padded.add_special_tokens([names.get(n, f"<|reserved_special_token_{n}|>") for n in range(SPECIAL)])
    padded.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, TOKENS)])
    return PreTrainedTokenizerFast(
        tokenizer_object=padded,
        bos_token=BEGIN,
        eos_token=END,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def _pre_tokenizer() -> Any:
    """Return the pre-tokenizer of the study: words with the space before them, numbers of up to three digits."""
    pattern = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
