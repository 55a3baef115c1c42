"""`python -m models inspect`: every weight is counted once, and a pair is called matched only where it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from models.__main__ import main
from models.attention.differential import lambdas
from models.commands.inspect_model import compare, inspect, is_matched
from models.commands.inspect_table import comparison_lines, inspection_lines, size_text
from models.loading.load_model import LoadedModel, load
from models.model_registry import MODELS

SMALL: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "vocab_size": 50}


@pytest.fixture(scope="module")
def pair() -> dict[str, LoadedModel]:
    return {name: load(name, device="cpu", dtype="float32") for name in ("diffllama", "llama")}


def with_model(loaded: LoadedModel, model: Any) -> LoadedModel:
    """`loaded` with another model."""
    return replace(loaded, model=model)


@pytest.mark.parametrize("name", ["diffllama", "llama"])
def test_blocks_and_layers_hold_every_parameter(pair: dict[str, LoadedModel], name: str) -> None:
    model, inspection = pair[name].model, inspect(pair[name])
    assert inspection.parameters == sum(inspection.blocks.values()) == model.num_parameters()
    outside = inspection.blocks["embedding"] + model.config.hidden_size  # the last norm
    assert sum(layer.parameters for layer in inspection.layers) == inspection.parameters - outside
    assert inspection.memory["float32"] == sum(p.numel() * p.element_size() for p in model.parameters())
    assert "other" not in inspection.blocks


def test_each_layer_has_its_lambda(pair: dict[str, LoadedModel]) -> None:
    assert [layer.lambda_ for layer in inspect(pair["diffllama"]).layers] == lambdas(pair["diffllama"].model).tolist()
    assert {layer.lambda_ for layer in inspect(pair["llama"]).layers} == {None}


@pytest.mark.parametrize("tied", [True, False])
def test_an_untied_output_head_is_counted_and_a_tied_one_is_not(pair: dict[str, LoadedModel], tied: bool) -> None:
    config = LlamaConfig(**SMALL, num_attention_heads=2, tie_word_embeddings=tied)
    inspection = inspect(with_model(pair["llama"], LlamaForCausalLM(config)))
    assert inspection.blocks["embedding"] == 50 * 16
    assert inspection.blocks.get("output head", 0) == (0 if tied else 50 * 16)


def test_frozen_parameters_are_not_trainable(pair: dict[str, LoadedModel]) -> None:
    model = LlamaForCausalLM(LlamaConfig(**SMALL, num_attention_heads=2))
    model.get_input_embeddings().weight.requires_grad_(False)
    inspection = inspect(with_model(pair["llama"], model))
    assert inspection.parameters - inspection.trainable == 50 * 16


def test_another_architecture_is_inspected_too(pair: dict[str, LoadedModel]) -> None:
    """Its configuration has other names: a missing value is a dash, and no weight is lost."""
    model = GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=3, n_head=2, vocab_size=50, n_positions=64))
    inspection = inspect(with_model(pair["llama"], model))
    assert sum(inspection.blocks.values()) == model.num_parameters()
    assert [layer.number for layer in inspection.layers] == [0, 1, 2]
    assert inspection.configuration["num_key_value_heads"] is None
    assert any(line.split() == ["num_key_value_heads", "–"] for line in inspection_lines(inspection))


def test_the_shipped_pair_is_matched(pair: dict[str, LoadedModel]) -> None:
    differences = compare(pair["diffllama"], pair["llama"])
    assert is_matched(differences)
    assert comparison_lines("diffllama", "llama", differences)[-1] == "matched: alike in all of this (parameters to 1%)"


def test_another_size_is_not_matched_and_named(pair: dict[str, LoadedModel]) -> None:
    config = LlamaConfig(**SMALL | {"num_hidden_layers": 4}, num_attention_heads=4)
    differences = compare(pair["diffllama"], with_model(pair["llama"], LlamaForCausalLM(config)))
    unlike = [row.property_name for row in differences if not row.alike]
    assert {"hidden_size", "intermediate_size", "vocab_size", "parameters"} <= set(unlike)
    assert "num_hidden_layers" not in unlike
    assert comparison_lines("diffllama", "other", differences)[-1].startswith("not matched: hidden_size, ")


def test_the_tables_fit_80_columns(pair: dict[str, LoadedModel]) -> None:
    differences = compare(pair["diffllama"], pair["llama"])
    lines = [*inspection_lines(inspect(pair["diffllama"])), *comparison_lines("diffllama", "llama", differences)]
    assert max(len(line) for line in lines if "/" not in line) <= 80, "except for paths"


def test_the_command_prints_tables_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "diffllama", "--compare", "llama"]) == 0
    assert capsys.readouterr().out.endswith("matched: alike in all of this (parameters to 1%)\n")
    assert main(["inspect", "diffllama", "--compare", "llama", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["matched"] is True
    assert facts["model"]["parameters"] == 981_632


def test_an_unknown_model_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "difflama"]) == 2
    assert capsys.readouterr().err.startswith("python -m models inspect: unknown model 'difflama'. Did you mean")


def test_a_size_is_shown_in_the_unit_that_fits() -> None:
    shown = {0: "0 bytes", 1023: "1,023 bytes", 1536: "1.5 KiB", 3 * 2**40: "3.0 TiB"}
    assert {size: size_text(size) for size in shown} == shown


def test_a_checkpoint_s_escape_codes_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message quotes the configuration, which is a stranger's."""
    folder = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "theirs"))
    facts = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**facts, "model_type": "\x1b]0;owned\x07\x1b[2J"}))
    assert main(["inspect", str(folder)]) == 1
    err = capsys.readouterr().err
    assert "\\x1b]0;owned\\x07" in err
    assert "\x1b" not in err
