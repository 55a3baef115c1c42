"""A folder that is named as a model: a checkpoint, the hub's cache of one, or a folder around one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.loading.checkpoint_layout import checkpoint_in
from models.loading.load_model import LoadError, load
from models.model_registry import MODELS, UnknownModelError, find_model

SHA, OTHER = "a" * 40, "b" * 40


def checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """As the hub's client lays it out, the checkpoint in a sub-folder as in the study's own repositories."""
    cache = tmp_path / "models--org--name"
    shutil.copytree(MODELS["llama"].source, cache / "snapshots" / SHA / "checkpoint-64434")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(SHA)
    return cache


@pytest.mark.quick
def test_a_checkpoint_is_itself_and_an_empty_folder_too(tmp_path: Path) -> None:
    assert checkpoint_in(checkpoint(tmp_path / "one")) == tmp_path / "one"
    (tmp_path / "empty").mkdir()
    assert checkpoint_in(tmp_path / "empty") == tmp_path / "empty"


@pytest.mark.quick
def test_the_only_sub_folder_with_a_checkpoint_is_taken(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    assert checkpoint_in(tmp_path) == tmp_path
    assert checkpoint_in(checkpoint(tmp_path / "checkpoint-1").parent) == tmp_path / "checkpoint-1"
    checkpoint(tmp_path / "checkpoint-2")
    with pytest.raises(UnknownModelError, match=r"holds 2 checkpoints: checkpoint-1, checkpoint-2; name the folder"):
        find_model(f"mine={tmp_path}")


def test_the_hub_s_cache_of_a_repository_loads_as_a_model(cache: Path) -> None:
    loaded = load(f"mine={cache}", device="cpu", dtype="float32")
    assert loaded.fingerprint == load("llama", device="cpu", dtype="float32").fingerprint
    assert Path(loaded.spec.source).name == "checkpoint-64434"


@pytest.mark.quick
def test_of_several_snapshots_main_is_taken(cache: Path) -> None:
    checkpoint(cache / "snapshots" / OTHER)
    assert checkpoint_in(cache) == cache / "snapshots" / SHA / "checkpoint-64434"
    (cache / "refs" / "main").write_text(OTHER)
    assert checkpoint_in(cache) == cache / "snapshots" / OTHER
    (cache / "refs" / "main").unlink()
    with pytest.raises(UnknownModelError, match=r"without a main snapshot; there are: aaaaaaaaaaaa, bbbbbbbbbbbb"):
        find_model(f"mine={cache}")
    shutil.rmtree(cache / "snapshots" / OTHER)
    assert checkpoint_in(cache) == cache / "snapshots" / SHA / "checkpoint-64434"


def test_a_folder_without_a_checkpoint_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"has no config\.json"):
        load(f"mine={tmp_path}")
