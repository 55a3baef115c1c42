"""Which maps of a folder go together into a picture and onto a scale, and which are removed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from reports.plots.attention_map_plot import scale_limit
from reports.plots.attention_maps import AttentionMap, keep_only, load_map, save_map
from reports.plots.draw_attention_maps import draw_maps
from reports.store.atomic_io import ResultsDamaged
from tests.reports.attention_factories import attention_map

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = 24

Drawn = list[tuple[list[AttentionMap], float]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """The maps and the limit of each picture, which are not drawn but noted."""
    pictures: Drawn = []

    def noted(maps: Sequence[AttentionMap], limit: float, key: str) -> bytes:
        pictures.append((list(maps), limit))
        return PNG + b"tEXtComment\0" + key.encode()

    monkeypatch.setattr("reports.plots.draw_attention_maps.picture", noted)
    return pictures


def pictures_in(results_folder: Path, folder: str = "side_by_side") -> list[str]:
    return sorted(path.name for path in (results_folder / "attention_maps" / folder).glob("*.png"))


def quiet_and_loud(id: str, other: str) -> tuple[AttentionMap, AttentionMap]:
    """One map of each model, the first problem of each: the second is ten times as loud."""
    quiet = attention_map(SMALL, signed=True, id=id)
    return quiet, attention_map(SMALL, id=other, pattern=10 * quiet.pattern)


@pytest.mark.quick
def test_models_that_read_one_problem_share_a_picture_and_a_scale(tmp_path: Path, drawn: Drawn) -> None:
    one, two = quiet_and_loud("p0", "p0")
    save_map(tmp_path, two)
    save_map(tmp_path, one)
    draw_maps(tmp_path)
    assert pictures_in(tmp_path) == ["inf_q0.png"]
    together = [maps for maps, _ in drawn if len(maps) > 1]
    assert [[each.model for each in maps] for maps in together] == [["diffllama", "llama"]]
    assert {limit for _, limit in drawn} == {scale_limit([one, two])}


@pytest.mark.quick
def test_two_problems_that_are_both_the_first_share_neither(tmp_path: Path, drawn: Drawn) -> None:
    one, two = quiet_and_loud("p0", "p7")
    save_map(tmp_path, one)
    save_map(tmp_path, two)
    assert [path.parent.name for path in draw_maps(tmp_path)] == ["diffllama-attention", "llama-attention"]
    assert {maps[0].id: limit for maps, limit in drawn} == {"p0": scale_limit([one]), "p7": scale_limit([two])}
    assert scale_limit([two]) > 5 * scale_limit([one])


@pytest.mark.quick
def test_the_id_tells_pictures_of_two_problems_apart(tmp_path: Path, drawn: Drawn) -> None:
    for id, layer in (("p0", 1), ("p/7", 2)):
        for signed in (True, False):
            save_map(tmp_path, attention_map(SMALL, signed=signed, id=id, layer=layer))
    save_map(tmp_path, attention_map(SMALL, signed=True, number=1))
    save_map(tmp_path, attention_map(SMALL, signed=False, number=1))
    draw_maps(tmp_path)
    assert pictures_in(tmp_path) == ["inf_q0_p%2F7.png", "inf_q0_p0.png", "inf_q1.png"]
    assert all(len({each.id for each in maps}) == 1 for maps, _ in drawn)


@pytest.mark.quick
def test_of_two_heads_of_one_model_the_newest_goes_beside_the_other_model(tmp_path: Path, drawn: Drawn) -> None:
    for age, layer in ((30, 5), (10, 1), (20, 9)):
        path = save_map(tmp_path, attention_map(SMALL, layer=layer))
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    save_map(tmp_path, attention_map(SMALL, signed=True, layer=4))
    draw_maps(tmp_path)
    (together,) = [maps for maps, _ in drawn if len(maps) > 1]
    assert [(each.model, each.layer) for each in together] == [("diffllama", 4), ("llama", 1)]


@pytest.mark.quick
def test_a_side_by_side_picture_goes_when_its_second_model_does(tmp_path: Path, drawn: Drawn) -> None:
    paths = {}
    for number in (0, 1):
        for signed in (True, False):
            paths[number, signed] = save_map(tmp_path, attention_map(SMALL, signed=signed, number=number))
    draw_maps(tmp_path)
    assert pictures_in(tmp_path) == ["inf_q0.png", "inf_q1.png"]
    foreign = tmp_path / "attention_maps" / "side_by_side" / "mine.png"
    foreign.write_bytes(PNG)
    paths[0, False].unlink()
    assert "inf_q0.png" not in {path.name for path in draw_maps(tmp_path)}
    assert pictures_in(tmp_path) == ["inf_q1.png", "mine.png"]
    for path in paths.values():
        path.unlink(missing_ok=True)
    assert draw_maps(tmp_path) == []
    assert pictures_in(tmp_path) == ["mine.png"]


def test_a_real_picture_is_known_as_ours(tmp_path: Path) -> None:
    kept = save_map(tmp_path, attention_map(SMALL, signed=True))
    save_map(tmp_path, attention_map(SMALL))
    draw_maps(tmp_path)
    keep_only(tmp_path, "llama", "attention", "inf", [])
    assert draw_maps(tmp_path) == [kept.with_suffix(".png")]
    assert pictures_in(tmp_path) == []


@pytest.mark.quick
def test_only_the_cell_s_other_maps_are_removed(tmp_path: Path, drawn: Drawn) -> None:
    """Names that begin alike, another model's and another stage's folder, and models and stages that share a folder."""
    stale = [save_map(tmp_path, attention_map(SMALL, layer=1)), save_map(tmp_path, attention_map(SMALL, number=1))]
    kept = [save_map(tmp_path, attention_map(SMALL, layer=2)), save_map(tmp_path, attention_map(SMALL, layer=3))]
    facts: list[dict[str, str]] = [
        *({"noise": noise} for noise in ("inf_q", "inf_q0_layer1_head1", "inf2", "in", "clean")),
        {"model": "llama2"},
        {"stage": "sft"},
    ]
    others = [save_map(tmp_path, attention_map(SMALL, layer=1, **changed)) for changed in facts]
    draw_maps(tmp_path)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    keep_only(tmp_path, "llama", "attention", "inf", kept)
    gone = before - {path for path in tmp_path.rglob("*") if path.is_file()}
    assert gone == {*stale, *(path.with_suffix(".png") for path in stale)}
    assert len(others) == len(set(others)) == 7


@pytest.mark.quick
def test_a_model_and_a_stage_that_share_a_folder_with_others_keep_their_own(tmp_path: Path) -> None:
    mine = save_map(tmp_path, attention_map(SMALL, model="a-b", stage="c", layer=1))
    other = save_map(tmp_path, attention_map(SMALL, model="a", stage="b-c", layer=2))
    assert mine.parent == other.parent
    keep_only(tmp_path, "a-b", "c", "inf", [])
    assert (mine.exists(), other.exists()) == (False, True)


@pytest.mark.quick
@pytest.mark.parametrize("noise", ["a/b", "n" * 300, "[!a]*"])
def test_maps_are_found_whatever_their_noise_is_called(tmp_path: Path, noise: str) -> None:
    stale = save_map(tmp_path, attention_map(SMALL, noise=noise, model="[x]*"))
    kept = save_map(tmp_path, attention_map(SMALL, noise=noise, model="[x]*", head=0))
    keep_only(tmp_path, "[x]*", "attention", noise, {kept})
    assert (stale.exists(), kept.exists()) == (False, True)


@pytest.mark.quick
def test_a_kept_path_may_be_written_in_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = save_map(tmp_path, attention_map(SMALL))
    monkeypatch.chdir(tmp_path)
    keep_only(Path(), "llama", "attention", "inf", [kept])
    keep_only(tmp_path, "llama", "attention", "inf", [kept.relative_to(tmp_path)])
    assert kept.exists()


@pytest.mark.quick
def test_nothing_kept_and_nothing_there_is_no_error(tmp_path: Path) -> None:
    keep_only(tmp_path, "llama", "attention", "inf", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick
def test_a_damaged_map_is_named_and_left_where_it_is(tmp_path: Path) -> None:
    path = save_map(tmp_path, attention_map(SMALL))
    path.write_bytes(b"oops")
    with pytest.raises(ResultsDamaged, match=r"inf_q0_layer3_head1\.npz"):
        keep_only(tmp_path, "llama", "attention", "inf", [])
    assert path.read_bytes() == b"oops"


@pytest.mark.quick
def test_a_map_that_another_worker_has_just_removed_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vanishing, stale = save_map(tmp_path, attention_map(SMALL, noise="a")), save_map(tmp_path, attention_map(SMALL))

    def raced(path: Path) -> AttentionMap:
        if path == vanishing:
            path.unlink()
        return load_map(path)

    monkeypatch.setattr("reports.plots.attention_maps.load_map", raced)
    keep_only(tmp_path, "llama", "attention", "inf", [])
    assert not stale.exists()
