"""Write a converted checkpoint: the model that transformers makes of it, and a tokenizer's files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DiffLlamaConfig, LlamaConfig

from models.convert.conversion_errors import ConversionError
from models.convert.decoder_shape import HEAD, DecoderShape
from models.loading.checkpoint_file_checks import check_tokenizer, reading
from models.loading.checkpoint_layout import is_tokenizer_file
from models.loading.read_checkpoint import fit_tokenizer, hidden_loading_bars
from models.loading.weight_checks import check_values

#: The files of a tokenizer beside those that hold its tokens.
_TOKENIZER_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "chat_template.jinja",
)
_TOKEN_SETTINGS = ("bos_token_id", "eos_token_id", "pad_token_id")
#: Is read with the tokenizer before and after it is copied.
_SAMPLE = "Bob has 16 eggs, eats 3 and sells 5.50 $.\nHow many are left?\n#### 8"


def check_free(out: Path) -> None:
    """Raise `ConversionError` unless nothing, or an empty folder, is at `out`."""
    if os.path.lexists(out) and not (out.is_dir() and not any(out.iterdir())):
        raise ConversionError(f"{out} exists; expected a new or an empty folder to write to")


def write_converted(
    weights: Mapping[str, torch.Tensor], shape: DecoderShape, source: Path, out: Path, tokenizer: Path | None
) -> tuple[str, int]:
    """Write the model to `out`; return its class and its number of parameters.

    `weights` are all tensors of the model in transformers, by name. `source` is the file that they are from, for
    errors. All is written to a folder beside `out`, which is renamed once it is complete.
    """
    model = _model_of(weights, shape, source)
    token_reader = None if tokenizer is None else _read_tokenizer(tokenizer)
    for name in _TOKEN_SETTINGS:
        token = getattr(token_reader, name, None)
        for settings in (model.config, model.generation_config):
            setattr(settings, name, token if token is None or token < shape.vocabulary else None)
    if token_reader is not None:
        try:
            fit_tokenizer(token_reader, model)
        except ValueError as error:
            raise ConversionError(f"{tokenizer}: its tokenizer is not this model's: {error}") from error
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = out.absolute().with_name(f".{out.absolute().name}-{os.getpid()}")
    try:
        staged.mkdir()
        with hidden_loading_bars():
            model.save_pretrained(staged)
        if tokenizer is not None:
            _copy_tokenizer(tokenizer, staged, token_reader)
        if out.is_dir():
            out.rmdir()  # an empty one; a rename does not replace it everywhere
        staged.rename(out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return type(model).__name__, model.num_parameters()


def _model_of(weights: Mapping[str, torch.Tensor], shape: DecoderShape, source: Path) -> Any:
    """Return the model with these weights. Raises `CheckpointDamaged` where they are not finite."""
    config_class = DiffLlamaConfig if shape.differential else LlamaConfig
    config = config_class(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        hidden_act="silu",
        max_position_embeddings=shape.positions,
        rms_norm_eps=shape.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=shape.tied,
        attention_bias=False,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    head = {HEAD: weights["model.embed_tokens.weight"]} if shape.tied else {}
    model.load_state_dict({**weights, **head}, assign=True)
    model.tie_weights()
    check_values(source, model)
    return model


def _read_tokenizer(folder: Path) -> Any:
    if not folder.is_dir():
        raise ConversionError(f"{folder}: no such folder; expected a folder with a tokenizer")
    check_tokenizer(folder)
    with reading(folder / "tokenizer_config.json"):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _copy_tokenizer(folder: Path, staged: Path, token_reader: Any) -> None:
    """Copy a tokenizer's files, and check that they are read in the same way there.

    A tokenizer without a class of its own gets that of the model beside it.
    """
    for path in sorted(folder.iterdir()):
        if path.is_file() and (path.name in _TOKENIZER_FILES or is_tokenizer_file(path.name)):
            shutil.copyfile(path, staged / path.name)
    copied = _read_tokenizer(staged)
    if copied.get_vocab() != token_reader.get_vocab() or copied(_SAMPLE) != token_reader(_SAMPLE):
        raise ConversionError(
            f"{folder}: its tokenizer reads text differently next to this model; expected tokenizer_config.json to"
            " name a tokenizer_class"
        )
