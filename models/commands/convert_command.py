"""The options of `python -m models convert`, and what it prints at its end. No torch here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.convert.convert_checkpoint import Conversion

_DESCRIPTION = """\
Write a checkpoint of another layout to a folder that transformers reads as DiffLlama or Llama, in float32. Its logits
are those of the checkpoint, computed in float32. Attention is taken as differential if the file has λ vectors or
subln. Any tensor or configuration field that is not listed below is an error. Exit status: 0 if the folder is written,
1 if the checkpoint cannot be converted, and then nothing is written.

mlx: guygrigsby/diff-mlx on the hub, its diff/latest.safetensors and vanilla/latest.safetensors, next to or below
its config.json. The optimiser's state is left out.

authors: the attention modules of the paper's authors (github.com/microsoft/unilm, Diff-Transformer) in a decoder. They
published no checkpoint, as far as known, so the names around attention are those of a Llama:
  model.embed_tokens.weight, model.norm.weight, lm_head.weight (without it, the embedding is the output layer)
  model.layers.N. (N from 0), followed by
    input_layernorm.weight, post_attention_layernorm.weight, mlp.{gate,up,down}_proj.weight
    self_attn.{q,k,v,out}_proj.weight, self_attn.lambda_{q1,k1,q2,k2}, self_attn.subln.weight
  in config.json: rope_theta, rms_norm_eps (of the norms outside attention), max_position_embeddings, and
  num_heads, which the baseline needs; num_heads, num_kv_heads and tie_word_embeddings, if given, must agree with the
  tensors
"""


def add_convert_command(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    command = commands.add_parser(
        "convert",
        help="turn a checkpoint of another layout into a DiffLlama or Llama folder",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("source", type=_path, metavar="SOURCE", help="a .safetensors file, or a folder with one")
    command.add_argument("--out", type=_path, required=True, metavar="FOLDER", help="a new or an empty folder")
    command.add_argument(
        "--from", choices=("mlx", "authors"), dest="layout", help="the layout (default: detected from the tensor names)"
    )
    command.add_argument(
        "--config",
        type=_path,
        metavar="FILE",
        help="configuration (default: config.json beside the weights, or a folder above)",
    )
    command.add_argument("--tokenizer", type=_path, metavar="FOLDER", help="folder of a tokenizer to copy")
    command.add_argument(
        "--grouped-keys",
        choices=("diffattn", "flashdiff"),
        help="which of the authors' files trained the model, multihead_diffattn.py or multihead_flashdiff_*.py;"
        " required if differential heads share keys",
    )


def _path(text: str) -> Path:
    """Return a path. Raises `ArgumentTypeError` for one that no file has, or that safetensors cannot open."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError(f"expected a path in UTF-8, got {text[:60]!r}") from error
    if "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, got {text[:60]!r}")
    return Path(text)


def conversion_lines(conversion: Conversion) -> list[str]:
    """Return what was written in a line, and what is missing in another."""
    left_out = f"; {conversion.left_out:,} tensors of an optimiser were left out" if conversion.left_out else ""
    written = f"{conversion.architecture}, {conversion.parameters:,} parameters in float32"
    lines = [f"{conversion.folder}: {written}{left_out}"]
    if not conversion.has_tokenizer:
        published = f"; the published checkpoints use {conversion.layout.tokenizer}"
        lines.append(
            "missing: a tokenizer, without which the folder cannot be loaded (--tokenizer FOLDER copies one)"
            f"{published if conversion.layout.tokenizer else ''}"
        )
    return lines
