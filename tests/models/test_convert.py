"""A converted checkpoint computes what the original did, and one that cannot be converted leaves nothing behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from models.__main__ import main
from models.attention.differential import differential_attention
from models.commands.command_parser import command_parser
from models.convert.attention_weights import GROUPED_KEYS
from models.convert.convert_checkpoint import LAYOUTS, ConversionError, convert
from models.loading.load_errors import CheckpointDamaged
from models.loading.load_model import load
from models.model_registry import MODELS
from tests.models.reference_decoder import TinyDecoder

TOLERANCE = 1e-5
TOKENS = torch.randint(50, (12,), generator=torch.Generator().manual_seed(1))
MLX = TinyDecoder("mlx", differential=True)
AUTHORS = TinyDecoder("authors", differential=True, tied=False)
DECODERS = {
    "mlx diff": MLX,
    "mlx vanilla": replace(MLX, differential=False),
    "mlx, another eps": replace(MLX, eps=1e-3),
    "authors diff": AUTHORS,
    "authors vanilla": replace(AUTHORS, differential=False),
    "authors diff, tied": replace(AUTHORS, tied=True),
    "authors vanilla, tied": replace(AUTHORS, differential=False, tied=True),
    "authors vanilla, shared keys": replace(AUTHORS, differential=False, kv_heads=2),
    "authors diff, shared keys": replace(AUTHORS, kv_heads=2),
    "authors diff, shared keys of the flash files": replace(AUTHORS, kv_heads=2, keys_as_in="flashdiff"),
    "authors diff, four differential heads": replace(AUTHORS, heads=8, kv_heads=4, head_dim=4),
    "authors diff, two eps": replace(AUTHORS, eps=1e-3, value_scale=0.01),
}


def converted_logits(folder: Path) -> Tensor:
    """Return the logits of `TOKENS`, computed in float64 but for what transformers always has in float32."""
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float64).eval()
    with torch.no_grad():
        logits: Tensor = model(TOKENS[None]).logits[0]
    return logits


@pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)
def test_the_logits_are_those_of_the_formulas(decoder: TinyDecoder, tmp_path: Path) -> None:
    weights = decoder.weights()
    conversion = convert(decoder.write(tmp_path / "source", weights), tmp_path / "out", grouped_keys=decoder.keys_as_in)
    expected, _ = decoder.logits(weights, TOKENS)
    assert expected.std() > 0.5  # not a comparison of zeros
    assert (converted_logits(tmp_path / "out") - expected).abs().max() <= TOLERANCE
    assert conversion.architecture == ("DiffLlamaForCausalLM" if decoder.differential else "LlamaForCausalLM")


def test_the_two_ways_to_share_keys_are_different_models(tmp_path: Path) -> None:
    """So which one it was must be said, and a wrong guess would not show."""
    decoder = replace(AUTHORS, kv_heads=2)
    source = decoder.write(tmp_path / "source")
    logits = []
    for name in GROUPED_KEYS:
        convert(source, tmp_path / name, grouped_keys=name)
        logits.append(converted_logits(tmp_path / name))
    assert (logits[0] - logits[1]).abs().max() > 100 * TOLERANCE
    with pytest.raises(ConversionError, match=r"2 differential heads share their keys.* one of diffattn, flashdiff"):
        convert(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["--config", "--grouped-keys"])
def test_an_error_names_the_option_that_fixes_it(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = replace(AUTHORS, kv_heads=2).write(tmp_path / "source")
    if name == "--config":
        (tmp_path / "source" / "config.json").rename(tmp_path / "settings.json")
    out = ["--out", str(tmp_path / "out")]
    assert main(["convert", str(source), *out]) == 1
    assert capsys.readouterr().err.endswith(f"({name})\n")
    remedy = ["--config", str(tmp_path / "settings.json")] if name == "--config" else []
    assert main(["convert", str(source), *out, *remedy, "--grouped-keys", "diffattn"]) == 0


@pytest.mark.parametrize("decoder", [MLX, AUTHORS], ids=["mlx", "authors"])
def test_attention_is_measured_of_the_same_heads(decoder: TinyDecoder, tmp_path: Path) -> None:
    """Differential head h of the original is head h of the pattern."""
    weights = decoder.weights()
    convert(decoder.write(tmp_path / "source", weights), tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", local_files_only=True).eval()
    with torch.no_grad(), differential_attention(model):
        attentions = model(TOKENS[None], output_attentions=True).attentions
    _, patterns = decoder.logits(weights, TOKENS)
    for ours, theirs in zip(attentions, patterns, strict=True):
        assert ours.shape[1:] == theirs.shape
        assert (ours[0] - theirs).abs().max() <= TOLERANCE


@pytest.mark.parametrize("prefix", ["model.", ""])
def test_mlx_names_may_have_a_prefix_and_an_optimiser_is_left_out(prefix: str, tmp_path: Path) -> None:
    weights = MLX.weights()
    path = MLX.write(tmp_path / "source", weights)
    save_file({**{prefix + n: t for n, t in weights.items()}, **{f"opt.{n}.v": torch.ones(2) for n in weights}}, path)
    conversion = convert(path, tmp_path / "out")
    assert conversion.left_out == len(weights)
    assert (converted_logits(tmp_path / "out") - MLX.logits(weights, TOKENS)[0]).abs().max() <= TOLERANCE


def test_the_published_folders_are_read_as_they_are(tmp_path: Path) -> None:
    """`diff/latest.safetensors` and `vanilla/latest.safetensors` below the configuration of both."""
    for folder in ("diff", "vanilla"):
        replace(MLX, differential=folder == "diff").write(tmp_path / folder)
        (tmp_path / folder / "config.json").replace(tmp_path / "config.json")
    for folder, name in {"diff": "DiffLlamaForCausalLM", "vanilla": "LlamaForCausalLM"}.items():
        assert convert(tmp_path / folder, tmp_path / f"{folder}-out").architecture == name


def test_weights_are_written_in_float32_and_unchanged_where_only_their_order_changes(tmp_path: Path) -> None:
    decoder = replace(AUTHORS, differential=False)
    rounded = {name: tensor.bfloat16() for name, tensor in decoder.weights().items()}
    convert(decoder.write(tmp_path / "source", rounded), tmp_path / "out")
    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as file:
        written = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert {tensor.dtype for tensor in written.values()} == {torch.float32}
    for name, tensor in rounded.items():
        same = written[name.replace("out_proj", "o_proj")]
        assert torch.equal(same.flatten().sort().values, tensor.float().flatten().sort().values)


def test_a_converted_folder_with_a_tokenizer_is_a_model_of_the_benchmark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = Path(MODELS["llama"].source)
    config = json.loads((tokenizer / "config.json").read_text())
    decoder = replace(MLX, vocabulary=config["vocab_size"])
    weights = decoder.weights()
    source = decoder.write(tmp_path / "source", weights)
    out = tmp_path / "out"
    assert main(["convert", str(source), "--out", str(out), "--tokenizer", str(tokenizer)]) == 0
    assert "missing" not in capsys.readouterr().out
    loaded = load(str(out), device="cpu")
    assert loaded.model.generation_config.eos_token_id == loaded.tokenizer.eos_token_id == config["eos_token_id"]
    tokens = loaded.encode(["Bob has 16 eggs."], return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logits = loaded.model(tokens).logits[0].double()
    assert (logits - decoder.logits(weights, tokens[0])[0]).abs().max() <= TOLERANCE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_the_command_says_that_a_tokenizer_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And no end of text is made up: transformers' default would end every answer at token 2."""
    assert main(["convert", str(MLX.write(tmp_path / "source")), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    first, last = printed.out.splitlines()
    assert "DiffLlamaForCausalLM" in first
    assert f"{len(MLX.weights())} tensors of an optimiser were left out" in first
    assert "missing: a tokenizer" in last
    assert "cl100k_base" in last
    written = [json.loads((tmp_path / "out" / name).read_text()) for name in ("config.json", "generation_config.json")]
    assert all(settings.get("eos_token_id") is None for settings in written)


def test_the_options_are_the_layouts_and_the_ways_to_share_keys() -> None:
    for option, choices in {"--from": LAYOUTS, "--grouped-keys": GROUPED_KEYS}.items():
        for choice in choices:
            command_parser(None).parse_args(["convert", "a", "--out", "b", option, choice])
        with pytest.raises(SystemExit) as caught:
            command_parser(None).parse_args(["convert", "a", "--out", "b", option, "other"])
        assert caught.value.code == 2


def edit_config(folder: Path, **fields: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (config.get("model", config)).update(fields)
    (folder / "config.json").write_text(json.dumps(config))


def edit_weights(folder: Path, decoder: TinyDecoder, edit: Callable[[dict[str, Tensor]], Any]) -> None:
    weights = decoder.weights()
    edit(weights)
    decoder.write(folder, weights)


#: What makes a checkpoint of each layout unusable, and what the message says.
Q, LAMBDA = "blocks.1.attn.q_proj.weight", "model.layers.1.self_attn.lambda_k2"
BIAS = "model.layers.0.self_attn.q_proj.bias"
WHOLE = "expected a whole safetensors"
FAULTS: dict[str, tuple[TinyDecoder, Callable[[Path], Any], str]] = {
    "a missing tensor": (MLX, lambda f: edit_weights(f, MLX, lambda w: w.pop(Q)), f"lacks {Q}"),
    "a missing λ": (AUTHORS, lambda f: edit_weights(f, AUTHORS, lambda w: w.pop(LAMBDA)), f"lacks {LAMBDA}"),
    "a missing layer": (
        AUTHORS,
        lambda f: edit_weights(f, AUTHORS, lambda w: [w.pop(name) for name in list(w) if ".1." in name]),
        "no tensor of layer 1",
    ),
    "an unknown tensor": (
        MLX,
        lambda f: edit_weights(f, MLX, lambda w: w.update(mystery=torch.zeros(2))),
        "has the unknown model.mystery",
    ),
    "biases": (
        AUTHORS,
        lambda f: edit_weights(f, AUTHORS, lambda w: w.update({BIAS: torch.zeros(32)})),
        f"has the unknown {BIAS}",
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
    "no configuration": (MLX, lambda f: (f / "config.json").unlink(), "there is no config.json beside"),
    "a configuration that is no JSON": (MLX, lambda f: (f / "config.json").write_text("{"), "expected JSON"),
    "a configuration of transformers": (
        MLX,
        lambda f: (f / "config.json").write_text('{"model_type": "llama"}'),
        'no object "model"',
    ),
    "an unknown field": (AUTHORS, lambda f: edit_config(f, rope_scaling={}), "unknown rope_scaling"),
    "an unknown field in mlx": (MLX, lambda f: edit_config(f, n_kv_heads=2), "unknown model.n_kv_heads"),
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
    decoder: TinyDecoder,
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
    with pytest.raises(
        (ConversionError, CheckpointDamaged), match=r"there is no folder|tokenizer.json: |not this model's"
    ):
        convert(source, tmp_path / "out", tokenizer=folder)
    assert not (tmp_path / "out").exists()
