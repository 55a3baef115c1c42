"""Weights that are not those that the configuration asks for, or that cannot compute, are refused in one sentence.

transformers and peft would fill what is missing with random numbers and drop what is left over.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.__main__ import main
from models.loading.checkpoint_fingerprint import fingerprint
from models.loading.load_model import LoadError, load
from models.loading.weight_checks import without_other_modalities
from models.model_registry import MODELS, ModelSpec

Weights = dict[str, torch.Tensor]
#: An edit of a checkpoint's weights, or of one of its adapter's.
Edit = Callable[[Weights], Weights]


def edit_weights(path: Path, edit: Edit) -> None:
    weights = edit(load_file(path))
    save_file({name: weight.contiguous() for name, weight in weights.items()}, path, metadata={"format": "pt"})


def edit_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def checkpoint(folder: Path, name: str, edit: Edit = dict, **config: Any) -> Path:
    """A copy of an included model with edited weights and configuration."""
    shutil.copytree(MODELS[name].source, folder)
    edit_weights(folder / "model.safetensors", edit)
    edit_json(folder / "config.json", **config)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(LoadError) as refused:
        load(ModelSpec("mine", str(folder)), "cpu", "float32")
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(f"model 'mine': {folder} is not a usable checkpoint: the weights in {folder}")
    return message


def prefixed(prefix: str) -> Edit:
    return lambda weights: {prefix + name: weight for name, weight in weights.items()}


def renamed(old: str, new: str) -> Edit:
    return lambda weights: {name.replace(old, new): weight for name, weight in weights.items()}


def without(part: str) -> Edit:
    return lambda weights: {name: weight for name, weight in weights.items() if part not in name}


def scaled(part: str, factor: float) -> Edit:
    return lambda weights: {name: weight * factor if part in name else weight for name, weight in weights.items()}


ASKED = "are not those that config.json ({}) asks for: "
LLAMA, DIFFLLAMA = ASKED.format("LlamaForCausalLM"), ASKED.format("DiffLlamaForCausalLM")


@pytest.mark.parametrize(
    ("name", "edit", "config", "message"),
    [
        ("llama", prefixed("module."), {}, "begin with 'module.' of DistributedDataParallel: save the model inside it"),
        ("llama", prefixed("_orig_mod."), {}, "begin with '_orig_mod.' of torch.compile: save the model inside it"),
        ("llama", renamed("q_proj.", "q_proj.base_layer."), {}, "'.base_layer.' is of an unmerged LoRA model"),
        ("llama", without("layers.2.mlp"), {}, f"{LLAMA}missing model.layers.2.mlp.down_proj.weight and 2 more"),
        ("llama", without("embed_tokens"), {}, f"{LLAMA}missing lm_head.weight and 1 more"),
        (
            "diffllama",
            without("lambda_q1"),
            {},
            f"{DIFFLLAMA}missing model.layers.0.self_attn.lambda_q1 and 3 more",
        ),
        (
            "llama",
            dict,
            {"model_type": "diffllama", "architectures": ["DiffLlamaForCausalLM"]},
            f"{DIFFLLAMA}missing model.layers.0.self_attn.lambda_k1 and 15 more",
        ),
        (
            "diffllama",
            dict,
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
            f"{LLAMA}not asked for model.layers.0.self_attn.lambda_k1 and 15 more",
        ),
        ("llama", dict, {"num_hidden_layers": 2}, f"{LLAMA}not asked for model.layers.2.input_layernorm.weight and "),
        ("llama", dict, {"num_hidden_layers": 6}, f"{LLAMA}missing model.layers.4.input_layernorm.weight and "),
        ("llama", dict, {"tie_word_embeddings": False}, f"{LLAMA}missing lm_head.weight"),
        (
            "llama",
            scaled("layers.1.mlp.up_proj", float("nan")),
            {},
            "are not finite: model.layers.1.mlp.up_proj.weight has NaN or infinite values",
        ),
        ("llama", scaled("norm", float("inf")), {}, "are not finite: "),
        ("llama", scaled("", 0.0), {}, "are untrained: every matrix is all zeros"),
        ("llama", scaled("embed_tokens", 0.0), {}, "are untrained: the output layer is all zeros"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, edit: Edit, config: dict[str, Any], message: str
) -> None:
    assert message in refusal(checkpoint(tmp_path / "mine", name, edit, **config))


@pytest.mark.parametrize(
    "edit",
    [
        lambda weights: {**weights, "lm_head.weight": weights["model.embed_tokens.weight"].clone()},
        lambda weights: {**weights, "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(16)},
        renamed("model.", ""),
        lambda weights: {**weights, "model.layers.0.self_attn.masked_bias": torch.ones(1)},
        lambda weights: {**weights, "v_head.summary.weight": torch.ones(1, 128)},
    ],
    ids=["the tied head too", "frequencies of older versions", "names without the head", "a buffer", "a value head"],
)
def test_harmless_differences_load_the_same_weights(tmp_path: Path, edit: Edit) -> None:
    """Names without the head are how a base model is saved; transformers adds the prefix."""
    here = load("llama", "cpu", "float32").model.state_dict()
    there = load(str(checkpoint(tmp_path / "mine", "llama", edit)), "cpu", "float32").model.state_dict()
    assert here.keys() == there.keys()
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_the_doctor_refuses_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = checkpoint(tmp_path / "mine", "llama", without("layers.2.mlp"))
    assert main(["doctor", "--models", f"mine={folder}"]) == 1
    assert "missing model.layers.2.mlp.down_proj.weight and 2 more" in " ".join(capsys.readouterr().out.split())


def in_shards(folder: Path, parent: str) -> Path:
    """The checkpoint with its weights in a file of another folder, as its index says."""
    weights = load_file(folder / "model.safetensors")
    shard = folder / parent / "model-00001-of-00001.safetensors"
    shard.parent.mkdir(exist_ok=True)
    (folder / "model.safetensors").rename(shard)
    index = {"metadata": {}, "weight_map": dict.fromkeys(weights, f"{parent}/{shard.name}")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return shard


def test_a_shard_in_a_sub_folder_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "mine", "llama")
    shard = in_shards(folder, "shards")
    before = fingerprint(folder)
    edit_weights(shard, scaled("layers.1", 2.0))
    assert fingerprint(folder) != before
    assert load(str(folder), "cpu", "float32").fingerprint == fingerprint(folder)


def test_a_shard_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "mine", "llama")
    in_shards(folder, "..")
    with pytest.raises(LoadError, match=r"names files outside its folder: \.\./model-00001-of-00001\.safetensors"):
        load(str(folder), "cpu", "float32")


def adapter(folder: Path, save_embedding_layers: bool | str = "auto", **lora: Any) -> tuple[Path, torch.Tensor]:
    """An adapter of the included Llama with random weights, saved by peft, and its logits before it is merged."""
    source = MODELS["llama"].source
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    with warnings.catch_warnings(action="ignore"):  # peft's, of tied layers
        model: Any = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, **lora)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.05)
        logits = model(TOKENS).logits
    with warnings.catch_warnings(action="ignore"):  # peft's, that it saves the embeddings too
        model.save_pretrained(str(folder), save_embedding_layers=save_embedding_layers)
    edit_json(folder / "adapter_config.json", base_model_name_or_path="llama")
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return folder, logits


TOKENS = torch.randint(5, 900, (2, 20), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "lora",
    [
        {"target_modules": ["q_proj", "v_proj"]},
        {"target_modules": ["q_proj", "lm_head"]},
        {"target_modules": ["q_proj", "embed_tokens"]},
        {"target_modules": ["q_proj", "embed_tokens", "lm_head"]},
        {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
        {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens", "lm_head"]},
        {"target_modules": ["q_proj"], "trainable_token_indices": [7, 8, 9]},
    ],
    ids=lambda lora: "-".join(str(value) for value in lora.values()),
)
def test_a_merged_adapter_has_the_logits_of_the_adapter(tmp_path: Path, lora: dict[str, Any]) -> None:
    """Also of tied layers: the included Llama's output layer shares its weight with the embeddings."""
    folder, logits = adapter(tmp_path / "adapter", **lora)
    with torch.no_grad():
        merged = load(str(folder), "cpu", "float32").model(TOKENS).logits
    assert torch.allclose(merged, logits, atol=1e-4 * float(logits.abs().max()))


@pytest.mark.parametrize(
    ("lora", "config", "message"),
    [
        (
            {"target_modules": ["q_proj", "v_proj"]},
            {"target_modules": ["q_proj"]},
            "not asked for base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight and 7 more",
        ),
        (
            {"target_modules": ["q_proj"]},
            {"target_modules": ["q_proj", "v_proj"]},
            "missing base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight and 7 more",
        ),
        (
            {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
            {"modules_to_save": None},
            "not asked for base_model.model.lm_head.weight",
        ),
    ],
)
def test_an_adapter_that_does_not_fit_its_configuration_is_refused(
    tmp_path: Path, lora: dict[str, Any], config: dict[str, Any], message: str
) -> None:
    folder, _ = adapter(tmp_path / "adapter", **lora)
    edit_json(folder / "adapter_config.json", **config)
    assert f"adapter_config.json for LlamaForCausalLM asks for: {message}" in refusal(folder)


@pytest.mark.parametrize("tied", [True, False])
def test_an_adapter_saved_with_the_embedding_layers_has_their_weights(tmp_path: Path, tied: bool) -> None:
    folder, logits = adapter(tmp_path / "adapter", save_embedding_layers=tied, target_modules=["q_proj"])
    with torch.no_grad():
        merged = load(str(folder), "cpu", "float32").model(TOKENS).logits
    assert torch.allclose(merged, logits, atol=1e-4 * float(logits.abs().max()))


def test_a_text_model_needs_none_of_the_weights_of_images() -> None:
    names = ["vision_tower.layers.0.weight", "model.layers.0.weight", "multi_modal_projector.linear_1.weight"]
    assert without_other_modalities(names, {"text_config": {}}) == ["model.layers.0.weight"]
    assert without_other_modalities(names, {}) == names


def test_an_adapter_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    folder, _ = adapter(tmp_path / "adapter", target_modules=["q_proj"])
    edit_weights(folder / "adapter_model.safetensors", scaled("lora_B", 0.0))
    with pytest.raises(LoadError, match=r"changes nothing: what it adds to each layer is all zeros"):
        load(str(folder), "cpu", "float32")


def test_a_folder_without_weights_never_leads_to_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """peft would take the path `aa/bb` of an adapter without weights for a repository of that name."""
    folder, _ = adapter(tmp_path / "aa" / "bb", target_modules=["q_proj"])
    (folder / "adapter_model.safetensors").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection was opened"))
    with pytest.raises(LoadError, match=r"aa/bb has no weights; expected adapter_model\.safetensors in it"):
        load("aa/bb", "cpu", "float32")
