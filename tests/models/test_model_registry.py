"""`find_models` reads names, folders and hub ids, and answers anything else with one sentence."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from models.model_reference import full_source
from models.model_registry import MODELS, ModelSpec, UnknownModelError, find_model, find_models

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("name", MODELS)
def test_every_registered_name_finds_itself(name: str) -> None:
    assert find_model(name) is MODELS[name]


def test_a_slash_after_a_name_changes_nothing() -> None:
    assert find_model("llama/") is MODELS["llama"]


def test_a_folder_is_named_after_its_last_part(tmp_path: Path) -> None:
    folder = tmp_path / "my-checkpoint"
    folder.mkdir()
    assert find_model(str(folder)).name == "my-checkpoint"
    assert find_model(str(folder)).source == str(folder)


def test_a_hub_id_is_named_after_its_last_part() -> None:
    spec = find_model("Qwen/Qwen2.5-0.5B")
    assert (spec.name, spec.source) == ("Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B")


def test_a_hub_id_may_name_a_revision_and_a_folder() -> None:
    spec = find_model("reyllama/DiffLlama-375M@main/checkpoint-64434")
    assert spec == ModelSpec("DiffLlama-375M", "reyllama/DiffLlama-375M", "checkpoint-64434", "main")
    assert find_model("first=org/name@v1.0").revision == "v1.0"
    assert full_source(spec) == "reyllama/DiffLlama-375M@main/checkpoint-64434"


def test_the_study_s_models_are_pinned_to_a_commit() -> None:
    hub = [spec for spec in MODELS.values() if not Path(spec.source).is_dir()]
    assert len(hub) == 2
    assert all(re.fullmatch("[0-9a-f]{40}", str(spec.revision)) for spec in hub)
    assert [find_model(full_source(spec)).source for spec in hub] == [spec.source for spec in hub]


def test_a_model_can_be_given_a_name(tmp_path: Path) -> None:
    assert find_model(f"mine={tmp_path}").name == "mine"
    assert find_model("qwen=Qwen/Qwen2.5-0.5B").source == "Qwen/Qwen2.5-0.5B"


def test_a_renamed_miniature_keeps_its_caveat() -> None:
    assert find_model("mine=llama").caveat == MODELS["llama"].caveat


def test_a_copy_of_a_miniature_keeps_its_caveat(tmp_path: Path) -> None:
    copy = shutil.copytree(MODELS["llama"].source, tmp_path / "copy")
    assert find_model(str(copy)).caveat == MODELS["llama"].caveat


@pytest.mark.parametrize(
    ("typed", "nearest"), [("diffllma", "diffllama"), ("lama", "llama"), ("llama-375", "llama-375m")]
)
def test_a_misspelt_name_is_answered_with_the_nearest(typed: str, nearest: str) -> None:
    with pytest.raises(UnknownModelError, match=f"unknown model '{typed}'. Did you mean '{nearest}'"):
        find_model(typed)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("mine=no/such/folder", "'no/such/folder' is not a folder, a hub id"),
        ("mine=", "'' is not a folder"),
        ("a b=llama", "expected a name of letters, digits and . _ [+] -, got 'a b'"),
        ("", "no model in ''"),
        (" , ", "no model in ' , '"),
        ("llama,llama", "expected a different name for each"),
    ],
)
def test_an_unusable_list_is_refused_in_one_sentence(typed: str, message: str) -> None:
    with pytest.raises(UnknownModelError, match=message):
        find_models(typed)
