"""A checkpoint that cannot be converted is refused in a sentence, and leaves nothing behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.__main__ import main
from models.convert.convert_checkpoint import ConversionError, convert
from models.loading.load_errors import CheckpointDamaged
from models.model_registry import MODELS
from tests.models.reference_checkpoints import TinyCheckpoint

MLX = TinyCheckpoint("mlx", differential=True)
AUTHORS = TinyCheckpoint("authors", differential=True, tied=False)


def edit_config(folder: Path, **fields: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (config.get("model", config)).update(fields)
    (folder / "config.json").write_text(json.dumps(config))


def edit_weights(folder: Path, decoder: TinyCheckpoint, edit: Callable[[dict[str, Tensor]], Any]) -> None:
    weights = decoder.weights()
    edit(weights)
    decoder.write(folder, weights)


#: What makes a checkpoint of each layout unusable, and what the message says.
Q, LAMBDA = "blocks.1.attn.q_proj.weight", "model.layers.1.self_attn.lambda_k2"
BIAS = "model.layers.0.self_attn.q_proj.bias"
WHOLE = "not a complete safetensors"
FAULTS: dict[str, tuple[TinyCheckpoint, Callable[[Path], Any], str]] = {
    "a missing tensor": (MLX, lambda f: edit_weights(f, MLX, lambda w: w.pop(Q)), f"lacks the tensor {Q}"),
    "a missing λ": (AUTHORS, lambda f: edit_weights(f, AUTHORS, lambda w: w.pop(LAMBDA)), f"lacks the tensor {LAMBDA}"),
    "a missing layer": (
        AUTHORS,
        lambda f: edit_weights(f, AUTHORS, lambda w: [w.pop(name) for name in list(w) if ".1." in name]),
        "no tensor of layer 1",
    ),
    "an unknown tensor": (
        MLX,
        lambda f: edit_weights(f, MLX, lambda w: w.update(mystery=torch.zeros(2))),
        "has the unknown tensor model.mystery",
    ),
    "biases": (
        AUTHORS,
        lambda f: edit_weights(f, AUTHORS, lambda w: w.update({BIAS: torch.zeros(32)})),
        f"has the unknown tensor {BIAS}",
    ),
    "a wrong shape": (
        MLX,
        lambda f: edit_weights(f, MLX, lambda w: w.update({Q: torch.ones(32, 31)})),
        rf"expected model.{Q} to have the shape \[32, 32\], got \[32, 31\]",
    ),
    "integers": (
        MLX,
        lambda f: edit_weights(f, MLX, lambda w: w.update({Q: torch.ones(32, 32, dtype=torch.int8)})),
        "to be one of F32, BF16, F16, got I8",
    ),
    "weights that are not finite": (
        MLX,
        lambda f: edit_weights(f, MLX, lambda w: w[Q].fill_(float("nan"))),
        "are not finite: model.layers.1.self_attn.q_proj.weight",
    ),
    "no safetensors": (
        MLX,
        lambda f: (f / "latest.safetensors").write_bytes(b"PK\3\4"),
        WHOLE,
    ),
    "an empty file": (MLX, lambda f: (f / "latest.safetensors").write_bytes(b""), WHOLE),
    "weights cut short": (
        MLX,
        lambda f: (f / "latest.safetensors").write_bytes((f / "latest.safetensors").read_bytes()[:-9]),
        WHOLE,
    ),
    "two files of weights": (
        MLX,
        lambda f: shutil.copy(f / "latest.safetensors", f / "best.safetensors"),
        "got best.safetensors, latest.safetensors; name the file",
    ),
    "no checkpoint": (MLX, shutil.rmtree, "there is no .*source; expected"),
    "another layout": (
        MLX,
        lambda f: save_file({"h.0.attn.c_attn.weight": torch.ones(2)}, f / "latest.safetensors"),
        r"of no known layout \(mlx, authors\): it has h.0.attn.c_attn.weight",
    ),
    "no configuration": (MLX, lambda f: (f / "config.json").unlink(), "no config.json in the folder of"),
    "a configuration that is no JSON": (MLX, lambda f: (f / "config.json").write_text("{"), "not valid JSON"),
    "a configuration of transformers": (
        MLX,
        lambda f: (f / "config.json").write_text('{"model_type": "llama"}'),
        'no object "model"',
    ),
    "an unknown field": (AUTHORS, lambda f: edit_config(f, rope_scaling={}), "unknown fields: rope_scaling"),
    "an unknown field in mlx": (MLX, lambda f: edit_config(f, n_kv_heads=2), "unknown fields: model.n_kv_heads"),
    "another number of layers": (MLX, lambda f: edit_config(f, n_layers=2), "n_layers = 2, but .* has 3 layers"),
    "other heads": (MLX, lambda f: edit_config(f, qk_head_dim=4), "got 4 × 4 and 32"),
    "a text for a number": (MLX, lambda f: edit_config(f, dim="32"), 'model.dim to be a positive integer, got "32"'),
    "an endless number": (AUTHORS, lambda f: edit_config(f, rope_theta=float("inf")), "rope_theta to be a positive"),
    "an untied mlx": (MLX, lambda f: edit_config(f, tie_embeddings=False), "tie_embeddings to be true"),
    "another tie": (AUTHORS, lambda f: edit_config(f, tie_word_embeddings=True), "the weights have an lm_head"),
    "another number of heads": (AUTHORS, lambda f: edit_config(f, num_heads=4), "num_heads to be 2"),
    "a baseline without heads": (
        replace(AUTHORS, differential=False),
        lambda f: (f / "config.json").write_text('{"rope_theta": 1, "rms_norm_eps": 1, "max_position_embeddings": 9}'),
        "lacks num_heads",
    ),
}


@pytest.mark.parametrize(("decoder", "damage", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_converted_is_refused_in_a_sentence(
    decoder: TinyCheckpoint,
    damage: Callable[[Path], Any],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    decoder.write(source)
    damage(source)
    assert main(["convert", str(source), "--out", str(out)]) == 1
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("python -m models convert: ")
    with pytest.raises((ConversionError, CheckpointDamaged), match=message):
        convert(source, out)
    assert printed.out == ""
    assert not set(tmp_path.iterdir()) - {source}


def test_a_folder_with_files_is_never_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = MLX.write(tmp_path / "source"), tmp_path / "out"
    out.mkdir()
    assert main(["convert", str(source), "--out", str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(["convert", str(source), "--out", str(out)]) == 1
    assert f"{out} exists; expected a new or an empty folder" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert main(["convert", str(source), "--out", str(source)]) == 1


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [(OSError(28, "No space left on device"), 1, "No space left"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_a_write_that_fails_leaves_nothing(
    error: BaseException,
    status: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(model: Any, folder: Path, **kwargs: Any) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise error

    monkeypatch.setattr("transformers.PreTrainedModel.save_pretrained", full)
    source = MLX.write(tmp_path / "source")
    assert main(["convert", str(source), "--out", str(tmp_path / "out")]) == status
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("content", [None, "{}", "too many tokens"])
def test_an_unusable_tokenizer_is_refused(content: str | None, tmp_path: Path) -> None:
    source, folder = MLX.write(tmp_path / "source"), tmp_path / "tokenizer"
    if content == "too many tokens":
        shutil.copytree(MODELS["llama"].source, folder)
    elif content is not None:
        folder.mkdir()
        (folder / "tokenizer.json").write_text(content)
    with pytest.raises((ConversionError, CheckpointDamaged), match=r"no such folder|tokenizer.json: |not this model's"):
        convert(source, tmp_path / "out", tokenizer=folder)
    assert not (tmp_path / "out").exists()
