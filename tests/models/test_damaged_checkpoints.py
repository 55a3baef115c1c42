"""A damaged checkpoint is refused at once, in one sentence that names the file, whatever is wrong with it."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from models.loading.load_errors import PickledWeightsError, RemoteCodeError
from models.loading.load_model import LoadError, load
from models.loading.trust_remote_code import Trust
from models.model_registry import MODELS, ModelSpec, UnknownModelError, find_model
from models.prompt import Template

FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
VALUES: list[Any] = [None, "x", -1, [], {}, 3.5, 7]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS["diffllama"].source, tmp_path / "mine"))


def load_error(folder: Path) -> str | None:
    """The message of the `LoadError`; None where the checkpoint loads. Any other exception is raised."""
    started = time.process_time()
    try:
        load(ModelSpec("mine", str(folder)), device="cpu", dtype="float32")
        message = None
    except LoadError as error:
        message = str(error)
    assert time.process_time() - started < 2
    return message


def load_error_with(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> str | None:
    """The message of the `LoadError` while the file `name` is damaged."""
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    try:
        return load_error(folder)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(folder: Path, name: str) -> None:
    """Not a multiple of any block size, as a killed program or a full disk leaves it."""
    rng = random.Random(name)
    for _ in range(12):
        message = load_error_with(folder, name, lambda whole: whole[: rng.randrange(len(whole.rstrip()) - 1)])
        assert message is not None
        assert f"mine/{name}" in message
        assert message.count("\n") == 0


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes_are_refused_by_name_or_harmless(folder: Path, name: str) -> None:
    rng = random.Random(name)

    def changed(whole: bytes) -> bytes:
        content = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(min(len(content), 4000))] = rng.randrange(256)
        return bytes(content)

    messages = [load_error_with(folder, name, changed) for _ in range(12)]
    refused = [message for message in messages if message is not None]
    assert refused, "most changes are not harmless"
    for message in refused:
        weights = name == "model.safetensors" and "mine/*.safetensors" in message
        assert f"mine/{name}" in message or weights, message


@pytest.mark.parametrize("name", FILES[:4])
def test_values_of_the_wrong_kind_are_refused_by_name_or_harmless(folder: Path, name: str) -> None:
    facts = json.loads((folder / name).read_bytes())
    rng = random.Random(name)
    for key in facts:
        value = rng.choice(VALUES)
        damaged = json.dumps(facts | {key: value}).encode()
        message = load_error_with(folder, name, lambda whole, damaged=damaged: damaged)
        assert message is None or f"mine/{name}" in message, (key, value, message)


@pytest.mark.parametrize("name", FILES[:4])
def test_json_other_than_an_object_is_refused(folder: Path, name: str) -> None:
    assert f"mine/{name}: expected a JSON object, got list" in str(load_error_with(folder, name, lambda whole: b"[1]"))


def test_an_unknown_architecture_is_refused_by_name(folder: Path) -> None:
    facts = json.loads((folder / "config.json").read_bytes()) | {"model_type": "nobodys"}
    message = str(load_error_with(folder, "config.json", lambda whole: json.dumps(facts).encode()))
    assert "mine/config.json: ValueError: " in message
    assert "nobodys" in message


def test_a_configuration_of_another_size_is_refused_with_both_files(folder: Path) -> None:
    facts = json.loads((folder / "config.json").read_bytes()) | {"intermediate_size": 256}
    message = str(load_error_with(folder, "config.json", lambda whole: json.dumps(facts).encode()))
    assert "mine/config.json and " in message
    assert "mine/*.safetensors" in message


@pytest.mark.parametrize(("gone", "words"), [("tokenizer*", "has no tokenizer"), ("config.json", "has no config.json")])
def test_a_missing_file_is_named(folder: Path, gone: str, words: str) -> None:
    for path in folder.glob(gone):
        path.unlink()
    assert words in str(load_error(folder))


@pytest.mark.parametrize("name", ["tokenizer.json", "training.json", "trained_on.txt", "chat_template.jinja", "x.py"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert f"{name}: expected a regular file, got a pipe" in (load_error(folder) or "")
    with pytest.raises(UnknownModelError, match="expected a regular file, got a pipe"):
        find_model(str(folder))


def test_shards_load_and_a_missing_one_is_named(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    weight_map = {}
    for number, half in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), start=1):
        shard = f"model-{number:05}-of-00002.safetensors"
        save_file({name: weights[name] for name in half}, folder / shard, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(half, shard)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    whole = load("diffllama", device="cpu", dtype="float32").model.state_dict()
    sharded = load(ModelSpec("mine", str(folder)), device="cpu", dtype="float32").model.state_dict()
    assert all(sharded[name].equal(value) for name, value in whole.items())
    (folder / "model-00002-of-00002.safetensors").unlink()
    message = str(load_error(folder))
    assert "model.safetensors.index.json names 1 missing files: model-00002-of-00002.safetensors" in message


def test_pickled_weights_are_read_only_if_trusted(folder: Path) -> None:
    import torch

    before = load(ModelSpec("mine", str(folder)), device="cpu", dtype="float32").model.state_dict()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        PickledWeightsError, match=r"has only pickled weights \(pytorch_model.bin\), which can run any co"
    ):
        load(ModelSpec("mine", str(folder)), device="cpu")
    trusted = ModelSpec("mine", str(folder), trust=Trust(pickles=True))
    after = load(trusted, device="cpu", dtype="float32").model.state_dict()
    assert all(after[name].equal(value) for name, value in before.items())
    assert load(trusted).fingerprint != load("diffllama").fingerprint, "a fingerprint covers other files"


def test_code_next_to_a_checkpoint_runs_only_if_trusted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint's own architecture is DiffLlama under another name."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    (folder / "own_config.py").write_text(
        "from transformers import DiffLlamaConfig\nclass OwnConfig(DiffLlamaConfig):\n    model_type = 'own'\n"
    )
    (folder / "own_model.py").write_text(
        "from transformers import DiffLlamaForCausalLM\nfrom .own_config import OwnConfig\n"
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\n"
        "class OwnModel(DiffLlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    facts = json.loads((folder / "config.json").read_bytes()) | {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own_config.OwnConfig", "AutoModelForCausalLM": "own_model.OwnModel"},
    }
    (folder / "config.json").write_text(json.dumps(facts))
    with pytest.raises(RemoteCodeError, match=r"mine/config\.json: the architecture 'own' is not part of transformers"):
        load(ModelSpec("mine", str(folder)), device="cpu")
    assert not (tmp_path / "ran").exists()
    loaded = load(ModelSpec("mine", str(folder), trust=Trust(code=True)), device="cpu", dtype="float32")
    assert (tmp_path / "ran").exists()
    assert type(loaded.model).__name__ == "OwnModel"
    assert loaded.fingerprint != load("diffllama").fingerprint


@pytest.mark.parametrize("value", ["kernels-community/flash-attn", {"text_config": "someone/kernel"}])
def test_attention_that_is_code_on_the_hub_needs_trust(folder: Path, value: object) -> None:
    """transformers fetches a kernel whose name has a slash."""
    facts = json.loads((folder / "config.json").read_bytes()) | {"attn_implementation": value}
    (folder / "config.json").write_text(json.dumps(facts))
    with pytest.raises(RemoteCodeError, match="is code on the hub"):
        load(ModelSpec("mine", str(folder)), device="cpu")


def test_tokens_that_the_model_does_not_have_are_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    facts = json.loads(path.read_bytes())
    facts["model"]["vocab"] |= {"Ġbeyond": 5_000}
    path.write_text(json.dumps(facts))
    message = str(load_error(folder))
    assert "1 of its tokens have no embedding, such as 'Ġbeyond' (token 5000; the model has 1000 embeddings)" in message


def with_special_token(folder: Path, token: str) -> None:
    """Add a special token behind the vocabulary, as fine-tuning adds one to the tokenizer alone."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": [token]})
    tokenizer.save_pretrained(folder)


def test_a_special_token_that_is_never_used_is_warned_of(folder: Path) -> None:
    with_special_token(folder, "<|endoftext|>")
    with pytest.warns(UserWarning, match=r"more tokens than the model: 1 of its tokens .*<\|endoftext\|>"):
        loaded = load(ModelSpec("mine", str(folder)), device="cpu")
    assert loaded.encode(["What is <|endoftext|>?"])["input_ids"][0][-1] < 1000, "a question has it as plain characters"


def test_a_special_token_of_a_chat_needs_an_embedding(folder: Path) -> None:
    with_special_token(folder, "<|user|>")
    (folder / "chat_template.jinja").write_text("<|user|>{{ messages[0]['content'] }}\n")
    refused = pytest.raises(LoadError, match=r"the prompt contains '<\|user\|>' \(token 1000\), and the model has 1000")
    with pytest.warns(UserWarning, match="more tokens than the model"), refused:
        load(ModelSpec("mine", str(folder)), device="cpu", template=Template(chat=True))
