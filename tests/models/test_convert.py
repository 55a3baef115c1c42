"""A converted checkpoint computes what the original did, to the formulas of the paper."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from models.__main__ import main
from models.attention.differential import differential_attention
from models.commands.command_parser import command_parser
from models.convert.convert_checkpoint import LAYOUTS, ConversionError, convert
from models.convert.reorder_attention import GROUPED_KEYS
from models.loading.load_model import load
from models.model_registry import MODELS
from tests.models.reference_checkpoints import TinyCheckpoint

TOLERANCE = 1e-5
TOKENS = torch.randint(50, (12,), generator=torch.Generator().manual_seed(1))
MLX = TinyCheckpoint("mlx", differential=True)
AUTHORS = TinyCheckpoint("authors", differential=True, tied=False)
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
def test_the_logits_are_those_of_the_formulas(decoder: TinyCheckpoint, tmp_path: Path) -> None:
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
    with pytest.raises(ConversionError, match=r"2 differential heads share each key.* one of diffattn, flashdiff"):
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
def test_attention_is_measured_of_the_same_heads(decoder: TinyCheckpoint, tmp_path: Path) -> None:
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
