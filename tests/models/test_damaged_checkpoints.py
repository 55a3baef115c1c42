"""A damaged checkpoint is refused in a sentence that names the file, whatever is wrong with it, and at once."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from models.loading.load_model import LoadError, load
from models.loading.trust_remote_code import Trust
from models.model_registry import MODELS, ModelSpec

FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
VALUES: list[Any] = [None, "x", -1, [], {}, 3.5, 7]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS["diffllama"].source, tmp_path / "mine"))


def loaded_or_said(folder: Path) -> str | None:
    """None where it loads; what is said where it is refused. Anything but a `LoadError` is raised."""
    started = time.process_time()
    try:
        load(ModelSpec("mine", str(folder)), device="cpu", dtype="float32")
        said = None
    except LoadError as error:
        said = str(error)
    assert time.process_time() - started < 2
    return said


def with_damage(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> str | None:
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    try:
        return loaded_or_said(folder)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_off_is_named(folder: Path, name: str) -> None:
    """A multiple of no block, as a kill or a full disk leaves it."""
    rng = random.Random(name)
    for _ in range(12):
        said = with_damage(folder, name, lambda whole: whole[: rng.randrange(len(whole.rstrip()) - 1)])
        assert said is not None
        assert f"mine/{name}" in said
        assert said.count("\n") == 0


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_were_changed_are_refused_by_name_or_harmless(folder: Path, name: str) -> None:
    rng = random.Random(name)

    def changed(whole: bytes) -> bytes:
        some = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            some[rng.randrange(min(len(some), 4000))] = rng.randrange(256)
        return bytes(some)

    refused = [said for said in (with_damage(folder, name, changed) for _ in range(12)) if said is not None]
    assert refused, "most are not harmless"
    for said in refused:
        assert f"mine/{name}" in said or (name == "model.safetensors" and "mine/*.safetensors" in said), said


@pytest.mark.parametrize("name", FILES[:4])
def test_values_of_the_wrong_kind_are_refused_by_name_or_harmless(folder: Path, name: str) -> None:
    facts = json.loads((folder / name).read_bytes())
    rng = random.Random(name)
    for key in facts:
        value = rng.choice(VALUES)
        said = with_damage(folder, name, lambda whole, key=key, value=value: json.dumps(facts | {key: value}).encode())
        assert said is None or f"mine/{name}" in said, (key, value, said)


@pytest.mark.parametrize("name", FILES[:4])
def test_json_that_is_no_object_is_refused(folder: Path, name: str) -> None:
    assert f"mine/{name}: expected a JSON object, found list" in str(with_damage(folder, name, lambda whole: b"[1]"))


def test_an_architecture_that_nobody_knows_is_refused_by_name(folder: Path) -> None:
    facts = json.loads((folder / "config.json").read_bytes()) | {"model_type": "nobodys"}
    said = str(with_damage(folder, "config.json", lambda whole: json.dumps(facts).encode()))
    assert "mine/config.json: ValueError: " in said
    assert "nobodys" in said


def test_a_configuration_of_another_size_is_refused_with_both_files(folder: Path) -> None:
    facts = json.loads((folder / "config.json").read_bytes()) | {"intermediate_size": 256}
    said = str(with_damage(folder, "config.json", lambda whole: json.dumps(facts).encode()))
    assert "mine/config.json and " in said
    assert "mine/*.safetensors" in said


@pytest.mark.parametrize(("gone", "words"), [("tokenizer*", "has no tokenizer"), ("config.json", "has no config.json")])
def test_a_file_that_is_not_there_is_named(folder: Path, gone: str, words: str) -> None:
    for path in folder.glob(gone):
        path.unlink()
    assert words in str(loaded_or_said(folder))


def test_shards_load_and_one_that_is_missing_is_named(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    places = {}
    for number, some in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), start=1):
        shard = f"model-{number:05}-of-00002.safetensors"
        save_file({name: weights[name] for name in some}, folder / shard, metadata={"format": "pt"})
        places |= dict.fromkeys(some, shard)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    whole = load("diffllama", device="cpu", dtype="float32").model.state_dict()
    sharded = load(ModelSpec("mine", str(folder)), device="cpu", dtype="float32").model.state_dict()
    assert all(sharded[name].equal(value) for name, value in whole.items())
    (folder / "model-00002-of-00002.safetensors").unlink()
    said = str(loaded_or_said(folder))
    assert "model.safetensors.index.json names 1 files that are not there: model-00002-of-00002.safetensors" in said


def test_pickled_weights_are_read_only_where_they_are_asked_for(folder: Path) -> None:
    import torch

    before = load(ModelSpec("mine", str(folder)), device="cpu", dtype="float32").model.state_dict()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert "has only pickled weights (pytorch_model.bin), and a pickle can run any code" in str(loaded_or_said(folder))
    trusted = ModelSpec("mine", str(folder), trust=Trust(pickles=True))
    after = load(trusted, device="cpu", dtype="float32").model.state_dict()
    assert all(after[name].equal(value) for name, value in before.items())
    assert load(trusted).fingerprint != load("diffllama").fingerprint, "other files decide"


def test_code_beside_a_checkpoint_runs_only_where_it_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An architecture of the checkpoint's own, which here is DiffLlama under another name."""
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
    said = str(loaded_or_said(folder))
    assert "mine/config.json: the architecture 'own' is not transformers' own" in said
    assert "--trust-remote-code" in said
    assert not (tmp_path / "ran").exists()
    loaded = load(ModelSpec("mine", str(folder), trust=Trust(code=True)), device="cpu", dtype="float32")
    assert (tmp_path / "ran").exists()
    assert type(loaded.model).__name__ == "OwnModel"
    assert loaded.fingerprint != load("diffllama").fingerprint


def with_vocabulary(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "tokenizer.json"
    facts = json.loads(path.read_bytes())
    change(facts)
    path.write_text(json.dumps(facts))


def test_tokens_that_the_model_does_not_have_are_refused(folder: Path) -> None:
    def more(facts: dict[str, Any]) -> None:
        facts["model"]["vocab"] |= {"Ġbeyond": 5_000}

    with_vocabulary(folder, more)
    assert "the tokenizer has 1 tokens that the model has no embedding for, as 'Ġbeyond' (5000; the model has " in str(
        loaded_or_said(folder)
    )
