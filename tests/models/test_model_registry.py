"""`find_models` reads names, folders and hub ids, and answers anything else with one sentence."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models.model_reference import full_source
from models.model_registry import (
    INCLUDED_SEEDS,
    MODELS,
    ModelSpec,
    UnknownModelError,
    find_model,
    find_models,
    known_models,
)
from models.replicate_names import replicates_text

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("name", MODELS)
def test_every_registered_name_finds_itself(name: str) -> None:
    assert find_model(name) is MODELS[name]


def test_a_slash_after_a_name_changes_nothing() -> None:
    assert find_model("llama/") is MODELS["llama"]


def test_the_first_replicate_is_the_model_of_the_bare_name() -> None:
    assert find_model("diffllama:0") is MODELS["diffllama"]
    assert find_model("mine:0=llama").name == "mine"
    assert find_model("mine:3=llama:2") == replace(MODELS["llama:2"], name="mine:3")


def test_a_star_is_every_replicate_of_a_family() -> None:
    names = [spec.name for spec in find_models("diffllama:*,llama:1")]
    assert names == ["diffllama", *(f"diffllama:{seed}" for seed in INCLUDED_SEEDS[1:]), "llama:1"]


def test_known_models_are_named_with_their_replicates_together() -> None:
    last = INCLUDED_SEEDS[-1]
    families = f"diffllama (diffllama:0 to :{last}), llama (llama:0 to :{last})"
    assert known_models().startswith(f"{families}, diffllama-375m, ")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a:3"], "a:3"),
        (["a", "b", "a:1", "b:1", "a:2"], "a:0-2, b:0-1"),
        (["a:1", "a:2", "a:5"], "a:1-2+5"),
    ],
)
def test_replicates_are_named_together(names: list[str], text: str) -> None:
    assert replicates_text(names) == text


def test_a_folder_is_named_after_its_last_part(tmp_path: Path) -> None:
    folder = tmp_path / "my-checkpoint"
    folder.mkdir()
    assert find_model(str(folder)).name == "my-checkpoint"
    assert find_model(str(folder)).source == str(folder)


def test_the_folder_of_a_seed_is_named_after_its_family(tmp_path: Path) -> None:
    for seed in ("0", "3"):
        (tmp_path / "mine" / seed).mkdir(parents=True)
    assert [spec.name for spec in find_models(f"{tmp_path}/mine/0,{tmp_path}/mine/3")] == ["mine", "mine:3"]


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
        ("a b=llama", "expected a name of letters, digits and . _ [+] -, and for a replicate a number, .*got 'a b'"),
        ("a:x=llama", "for a replicate a number, as in mine:3; got 'a:x'"),
        ("mine:*", "no replicate of 'mine' is registered; name those of yours as mine:0=PATH,mine:1=PATH"),
        ("", "no model in ''"),
        (" , ", "no model in ' , '"),
        ("llama,llama", "expected a different name for each"),
    ],
)
def test_an_unusable_list_is_refused_in_one_sentence(typed: str, message: str) -> None:
    with pytest.raises(UnknownModelError, match=message):
        find_models(typed)
