"""A checkpoint is loaded as its configuration says, or refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import DiffLlamaForCausalLM, LlamaForCausalLM

from benchmarks.attention_scope import AttentionScope
from benchmarks.evaluation import draw_questions
from benchmarks.plan import DEVICE_MAPS
from benchmarks.stages.attention import read_attention
from models.decode.generation import generate
from models.loading.load_errors import DeviceError, DtypeError
from models.loading.load_model import LoadError, fingerprint, load
from models.model_registry import MODELS, ModelSpec
from noise import mini

PAIR = {"diffllama": DiffLlamaForCausalLM, "llama": LlamaForCausalLM}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A checkpoint that a test may damage, in a folder named after the other family: a path decides nothing."""
    return Path(shutil.copytree(MODELS["diffllama"].source, tmp_path / "llama"))


@pytest.mark.parametrize("name", PAIR)
def test_the_pair_has_two_families(name: str) -> None:
    loaded = load(name)
    assert type(loaded.model) is PAIR[name]
    assert loaded.precision == "float32" or loaded.device.type != "cpu"
    assert not loaded.model.training
    assert loaded.tokenizer.padding_side == "left"


def test_the_family_comes_from_the_configuration_and_not_from_the_path(copied: Path) -> None:
    assert type(load(str(copied)).model) is DiffLlamaForCausalLM


def test_a_precision_can_be_chosen() -> None:
    assert load("llama", dtype="bfloat16").model.dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("kwargs", "kind", "message"),
    [
        ({"dtype": "float8"}, DtypeError, "^dtype='float8': expected auto or one of"),
        ({"device": "tpu0"}, DeviceError, "^device='tpu0': expected auto, cpu, cuda"),
    ],
)
def test_an_unknown_device_or_precision_is_refused(kwargs: dict[str, str], kind: type[LoadError], message: str) -> None:
    with pytest.raises(kind, match=message):
        load("llama", **kwargs)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_missing_device_is_refused() -> None:
    with pytest.raises(DeviceError, match="model 'llama' cannot be moved to device='cuda'"):
        load("llama", device="cuda")


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"has no config\.json"):
        load(ModelSpec("empty", str(tmp_path)))


def test_damaged_weights_are_refused(copied: Path) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000])
    with pytest.raises(LoadError, match="is not a usable checkpoint"):
        load(str(copied))


def test_an_unknown_family_is_refused(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "model_type": "llamadiff"}))
    with pytest.raises(LoadError, match="llamadiff"):
        load(str(copied))


def test_a_fingerprint_follows_the_content_and_not_the_path(copied: Path) -> None:
    original = Path(MODELS["diffllama"].source)
    assert fingerprint(copied) == fingerprint(original)
    assert fingerprint(copied) != fingerprint(Path(MODELS["llama"].source))
    config = copied / "config.json"
    config.write_text(config.read_text() + "\n")
    assert fingerprint(copied) != fingerprint(original)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_fingerprint_covers_the_file_that_transformers_reads_in_place_of_another(copied: Path, name: str) -> None:
    """A checkpoint can name other files for later versions: `fast_tokenizer_files`, `configuration_files`."""
    before, other = fingerprint(copied), copied / name.replace(".json", ".4.0.0.json")
    other.write_bytes((copied / name).read_bytes())
    with_other = fingerprint(copied)
    assert with_other != before
    other.write_bytes((copied / name).read_bytes() + b"\n")
    assert fingerprint(copied) != with_other


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA, where both are on the CPU")
@pytest.mark.parametrize("name", PAIR)
def test_a_device_map_changes_neither_answers_nor_attention(name: str) -> None:
    """Without a GPU the map has one device. Offloading is tested by accelerate."""
    plain, mapped = load(name, "cpu", "float32"), load(name, dtype="float32", device_map="auto")
    problems = mini.problems("test")[:3]
    questions = [problem.question for problem in problems]
    assert generate(mapped, questions, 32) == generate(plain, questions, 32)
    noisy = draw_questions("inf", problems, 0)
    assert read_attention(mapped, noisy, AttentionScope()) == read_attention(plain, noisy, AttentionScope())


@pytest.mark.quick
def test_the_documentation_of_load_names_every_device_map() -> None:
    assert load.__doc__
    assert all(f"`{name}`" in load.__doc__.partition("`device_map`:")[2] for name in DEVICE_MAPS)
