"""Canaries for `models.upstream_peft`: each fails with what changed in peft and what depends on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from models.upstream_peft import (
    adapter_deltas,
    known_lora_targets,
    load_adapter,
    save_adapter_files,
)

VERSION = f"peft {peft.__version__}"


def small_llama() -> LlamaForCausalLM:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LlamaForCausalLM(LlamaConfig(vocab_size=32, **sizes)).eval()


@pytest.fixture
def adapted() -> Any:
    config = LoraConfig(r=2, target_modules=["v_proj", "q_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    return get_peft_model(small_llama(), config)


def test_peft_knows_the_layers_of_llama() -> None:
    assert known_lora_targets("llama"), (
        f"{VERSION}: peft.utils.constants.TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING has no entry for llama;"
        " models.upstream_peft.known_lora_targets looks other architectures up there"
    )
    assert known_lora_targets("no such architecture") == ()


def test_the_saved_files_are_those_that_are_rewritten(adapted: Any, tmp_path: Path) -> None:
    adapted.save_pretrained(str(tmp_path / "plain"), save_embedding_layers=False)
    names = {path.name for path in (tmp_path / "plain").iterdir()}
    assert names == {"README.md", "adapter_config.json", "adapter_model.safetensors"}, (
        f"{VERSION} saves an adapter as {sorted(names)}; models.upstream_peft.save_adapter_files deletes README.md and"
        " rewrites adapter_config.json"
    )
    save_adapter_files(adapted, tmp_path / "saved", "somewhere/base")
    saved = json.loads((tmp_path / "saved" / "adapter_config.json").read_text())
    assert saved["base_model_name_or_path"] == "somewhere/base", (
        f"{VERSION}: save_pretrained no longer writes peft_config['default'].base_model_name_or_path, where"
        " models.upstream_peft.save_adapter_files puts the reference to the base"
    )
    assert saved["target_modules"] == ["q_proj", "v_proj"], (
        f"{VERSION}: adapter_config.json no longer lists target_modules, which"
        " models.upstream_peft.save_adapter_files sorts"
    )
    assert adapted.peft_config["default"].base_model_name_or_path != "somewhere/base"


def test_weights_that_do_not_fit_are_named(adapted: Any, tmp_path: Path) -> None:
    save_adapter_files(adapted, tmp_path, "base")
    path = tmp_path / "adapter_model.safetensors"
    weights = load_file(path)
    _, names = load_adapter(small_llama(), tmp_path)
    assert names == (set(), set()), (
        f"{VERSION}: get_peft_model_state_dict names weights otherwise than the files that peft saves, by which"
        " models.upstream_peft.load_adapter finds those that do not fit"
    )
    missing = min(weights)
    save_file({**{name: weight for name, weight in weights.items() if name != missing}, "other": torch.ones(1)}, path)
    before = torch.get_rng_state()
    _, names = load_adapter(small_llama(), tmp_path)
    assert names == ({missing}, {"other"})
    assert torch.equal(torch.get_rng_state(), before)


def test_the_change_of_each_layer_is_known(adapted: Any) -> None:
    deltas = dict(adapter_deltas(adapted))
    layers = [name for name, _ in adapted.named_modules() if name.endswith(("q_proj", "v_proj"))]
    assert list(deltas) == layers, (
        f"{VERSION}: LoRA layers have no get_delta_weight any more, by which models.upstream_peft.adapter_deltas finds"
        " them and proves that training changed each"
    )
    base = dict(small_llama().named_parameters())
    merged = dict(adapted.merge_and_unload().named_parameters())
    for name, delta in deltas.items():
        weight = f"{name.removeprefix('base_model.model.')}.weight"
        assert torch.allclose(merged[weight], base[weight] + delta, atol=1e-6), (
            f"{VERSION}: get_delta_weight is not what merging adds to {weight}; models.upstream_peft.adapter_deltas"
            " relies on that"
        )
