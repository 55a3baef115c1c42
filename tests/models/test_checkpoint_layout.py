"""The folders that name a model: a checkpoint, the hub's cache of one, or the parent of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.loading.checkpoint_layout import find_checkpoint
from models.loading.load_model import LoadError, load
from models.model_registry import MODELS, UnknownModelError, find_model

SHA, OTHER = "a" * 40, "b" * 40


def checkpoint(folder: Path) -> Path:
    """A new folder with an empty configuration."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache in the layout of the hub's client, with the checkpoint in a sub-folder as in the study's repositories."""
    cache = tmp_path / "models--org--name"
    shutil.copytree(MODELS["llama"].source, cache / "snapshots" / SHA / "checkpoint-64434")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(SHA)
    return cache


@pytest.mark.quick
def test_a_checkpoint_or_an_empty_folder_is_returned_as_it_is(tmp_path: Path) -> None:
    assert find_checkpoint(checkpoint(tmp_path / "one")) == tmp_path / "one"
    (tmp_path / "empty").mkdir()
    assert find_checkpoint(tmp_path / "empty") == tmp_path / "empty"


@pytest.mark.quick
def test_the_only_sub_folder_with_a_checkpoint_is_taken(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    assert find_checkpoint(tmp_path) == tmp_path
    assert find_checkpoint(checkpoint(tmp_path / "checkpoint-1").parent) == tmp_path / "checkpoint-1"
    checkpoint(tmp_path / "checkpoint-2")
    with pytest.raises(UnknownModelError, match=r"holds 2 checkpoints: checkpoint-1, checkpoint-2; name the folder"):
        find_model(f"mine={tmp_path}")


def test_a_hub_cache_of_a_repository_loads_as_a_model(cache: Path) -> None:
    loaded = load(f"mine={cache}", device="cpu", dtype="float32")
    assert loaded.fingerprint == load("llama", device="cpu", dtype="float32").fingerprint
    assert Path(loaded.spec.source).name == "checkpoint-64434"


@pytest.mark.quick
def test_of_several_snapshots_that_of_main_is_taken(cache: Path) -> None:
    checkpoint(cache / "snapshots" / OTHER)
    assert find_checkpoint(cache) == cache / "snapshots" / SHA / "checkpoint-64434"
    (cache / "refs" / "main").write_text(OTHER)
    assert find_checkpoint(cache) == cache / "snapshots" / OTHER
    (cache / "refs" / "main").unlink()
    with pytest.raises(UnknownModelError, match=r"without a main snapshot; it has: aaaaaaaaaaaa, bbbbbbbbbbbb"):
        find_model(f"mine={cache}")
    shutil.rmtree(cache / "snapshots" / OTHER)
    assert find_checkpoint(cache) == cache / "snapshots" / SHA / "checkpoint-64434"


def test_a_folder_without_a_checkpoint_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"has no config\.json"):
        load(f"mine={tmp_path}")
