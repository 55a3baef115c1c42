"""Merging results folders: what comes of it, and what is refused, by name, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from reports.plots.attention_maps import save_map
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError
from reports.store.folder_lock import FolderLock, ResultsInUse
from reports.store.merge_folders import merge_folders
from reports.store.merge_inputs import MergeRefused
from reports.store.records import Cell, Prediction, Settings
from reports.store.results_folder import Results
from reports.store.run_json import read_runs, write_runs
from tests.reports.attention_factories import attention_map
from tests.reports.record_factories import CELL, CLEAN, OTHER_SETTINGS, SETTINGS, outcomes, predicted

pytestmark = pytest.mark.quick


def folder_of(
    path: Path,
    records: Iterable[Prediction],
    cell: Cell = CELL,
    settings: Settings = SETTINGS,
    shard: str | None = None,
    status: str = "finished",
    asked: int | None = None,
    options: dict[str, Any] | None = None,
    **facts: Any,
) -> Path:
    """Make a results folder of one cell, with the run that left it."""
    kept = list(records)
    Results(path).append(cell, settings, kept)
    entry = {**asdict(cell), "asked": len(kept) if asked is None else asked, "outcomes": {"correct": len(kept)}}
    run_options = {"shard": shard, "max_samples": 9, **(options or {})}
    write_runs(path / "run.json", [{"status": status, "options": run_options, "cells": [entry], **facts}])
    return path


def shards(tmp_path: Path, *numbers: str, **changed: Any) -> list[Path]:
    """Make a folder for each shard, with two records that no other has."""
    return [
        folder_of(tmp_path / f"s{text[0]}", outcomes(1, 1, first=2 * int(text[0])), shard=text, **changed)
        for text in numbers
    ]


def refusal(tmp_path: Path, folders: list[Path], partial: bool = False) -> str:
    """Return the sentence that a merge is refused with, which leaves nothing behind."""
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(MergeRefused) as raised:
        merge_folders(folders, tmp_path / "out", partial)
    assert sorted(path for path in tmp_path.rglob("*")) == before
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_merged_folder_has_every_record_in_the_order_of_ids(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/2")
    merged = merge_folders(folders[::-1], tmp_path / "out")
    assert (merged.cells, merged.records, merged.notes) == (1, 4, [])
    lines = [line for folder in folders for line in Results(folder).path(CELL).read_bytes().splitlines()]
    assert Results(tmp_path / "out").path(CELL).read_bytes().splitlines() == lines
    assert Results(tmp_path / "out").newest_records(CELL).keys() == {"p2", "p3", "p4", "p5"}
    assert Results(tmp_path / "out").read_for_resume(CELL, SETTINGS, {}) == {}, "its settings are there"
    assert not list(tmp_path.glob(".*")), "nothing temporary is left"


def test_the_newest_line_of_an_id_counts_and_a_line_cut_short_does_not(tmp_path: Path) -> None:
    first = folder_of(tmp_path / "a", [predicted("p1", "incorrect"), predicted("p1"), predicted("p2")])
    with Results(first).path(CELL).open("ab") as file:
        file.write(b'{"model": "diffl')
    merged = merge_folders([first, folder_of(tmp_path / "b", [predicted("p3")])], tmp_path / "out")
    assert merged.records == 3
    assert Results(tmp_path / "out").newest_records(CELL)["p1"].outcome == "correct"


def test_lines_of_older_versions_get_their_checksum(tmp_path: Path) -> None:
    """Else a line without one could come behind a line with one, which counts as damaged."""
    folders = [folder_of(tmp_path / "a", [predicted("p1")]), folder_of(tmp_path / "b", [predicted("p2")])]
    path = Results(folders[1]).path(CELL)
    path.write_bytes(path.read_bytes().rpartition(b', "check"')[0] + b"}\n")
    merge_folders(folders, tmp_path / "out")
    assert Results(tmp_path / "out").newest_records(CELL).keys() == {"p1", "p2"}


def test_folders_of_other_cells_need_no_shards(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path / "a", outcomes(2, 1)), folder_of(tmp_path / "b", outcomes(3, 0), cell=CLEAN)]
    assert merge_folders(folders, tmp_path / "out").cells == 2


def test_run_json_has_all_runs_oldest_first(tmp_path: Path) -> None:
    folders = [
        folder_of(tmp_path / name, outcomes(1, 0, first=number), shard=f"{number}/2", started=started)
        for number, name, started in ((1, "a", "2024-02-02"), (2, "b", "2024-01-01"))
    ]
    merge_folders(folders, tmp_path / "out")
    runs = read_runs(tmp_path / "out" / "run.json") or []
    assert [(run["options"]["shard"], Path(run["merged_from"]).name) for run in runs] == [("2/2", "b"), ("1/2", "a")]


def test_a_merged_part_is_merged_with_the_rest(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/3", "2/3", "3/3")
    merge_folders(folders[:2], tmp_path / "part", partial=True)
    assert "shard 3/3 is missing" in refusal(tmp_path, [tmp_path / "part"])
    assert merge_folders([tmp_path / "part", folders[2]], tmp_path / "out").records == 6


@pytest.mark.parametrize("named", ["nowhere", "empty", "file"])
def test_what_is_no_results_folder_is_refused(tmp_path: Path, named: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    sentence = refusal(tmp_path, [*shards(tmp_path, "1/1"), tmp_path / named])
    assert f"{tmp_path / named} is not a results folder" in sentence


def test_a_folder_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    (folder,) = shards(tmp_path, "1/1")
    (tmp_path / "link").symlink_to(folder)
    assert f"{folder} is named twice" in refusal(tmp_path, [folder, folder])
    assert f"{tmp_path / 'link'} is named twice, once as {folder}" in refusal(tmp_path, [folder, tmp_path / "link"])


def test_a_target_with_something_in_it_is_refused(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/1")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    assert "exists and is not empty" in refusal(tmp_path, folders)
    (tmp_path / "out" / "mine.txt").unlink()
    assert merge_folders(folders, tmp_path / "out").records == 2


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert "is a file: expected a new or an empty folder" in refusal(tmp_path, shards(tmp_path, "1/1"))


def test_other_settings_of_a_cell_are_refused_with_the_field(tmp_path: Path) -> None:
    other = replace(SETTINGS, max_new_tokens=128)
    first, second = folder_of(tmp_path / "a", outcomes(1, 0)), folder_of(tmp_path / "b", outcomes(1, 0, 5), CELL, other)
    expected = f"{CELL.id} was made under different settings: max_new_tokens is 64 in {first} and 128 in {second}"
    assert refusal(tmp_path, [first, second]) == expected


def test_other_weights_of_a_model_are_refused(tmp_path: Path) -> None:
    folders = [
        folder_of(tmp_path / "a", outcomes(1, 0)),
        folder_of(tmp_path / "b", outcomes(1, 0), CLEAN, replace(SETTINGS, weights="weights-2")),
    ]
    assert "'weights-1' and 'weights-2'; one model has one row" in refusal(tmp_path, folders)


def test_other_problems_are_refused(tmp_path: Path) -> None:
    other = replace(OTHER_SETTINGS, problems="others")
    folders = [folder_of(tmp_path / "a", outcomes(1, 0)), folder_of(tmp_path / "b", outcomes(1, 0), CLEAN, other)]
    assert "is about the problems of 'made-up', but" in refusal(tmp_path, folders)


def test_other_versions_of_the_grading_are_refused(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path / name, [predicted(name, grading=name)]) for name in ("1", "2")]
    assert "was graded by different versions of the code" in refusal(tmp_path, folders)


def test_a_record_of_two_folders_is_refused_with_their_number(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path / "a", outcomes(3, 1)), folder_of(tmp_path / "b", outcomes(3, 1, first=2))]
    expected = f"{CELL.id}: 2 records of it are in both {folders[0]} and {folders[1]}, as 'p2'"
    assert refusal(tmp_path, folders).startswith(expected)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (({"options": {"seed": 0}}, {"options": {"seed": 1}}), "the seed is 0"),
        (({"placebo_length": "words"}, {"placebo_length": "tokens of llama"}), "the measure of a placebo's length"),
        (({"paired_sets": {"filler:inf": {"sha256": n}}} for n in "ab"), "the SHA-256 of its file is a"),
    ],
)
def test_noise_that_was_drawn_otherwise_is_refused(
    tmp_path: Path, facts: Iterable[dict[str, Any]], reason: str
) -> None:
    """The records of two shards never meet, so their texts alone would not show it."""
    cell = replace(CELL, noise="filler:inf")
    folders = [
        folder_of(tmp_path / str(number), outcomes(1, 0, number), cell, shard=f"{number}/2", **fact)
        for number, fact in enumerate(facts, start=1)
    ]
    assert reason in refusal(tmp_path, folders)


def test_noise_from_files_and_drawn_noise_are_not_merged(tmp_path: Path) -> None:
    drawn = folder_of(tmp_path / "drawn", outcomes(1, 0, first=1), options={"seed": 0})
    read = folder_of(tmp_path / "read", outcomes(1, 0, first=2), options={"seed": 0, "noisy_folder": "."})
    assert "where it is from is drawn in " in refusal(tmp_path, [drawn, read])


def test_models_that_were_asked_other_draws_are_not_merged(tmp_path: Path) -> None:
    other = replace(CELL, model="other")
    first = folder_of(tmp_path / "first", outcomes(1, 0, first=1), options={"seed": 0})
    second = folder_of(tmp_path / "second", outcomes(1, 0, first=1), other, options={"seed": 1})
    assert "the seed is 0 in " in refusal(tmp_path, [first, second])


def test_parts_of_two_samples_are_refused_unless_partial(tmp_path: Path) -> None:
    """Such as where one run divided the problems of a file, as it tuned a model, and the other did not."""
    small = folder_of(tmp_path / "s1", outcomes(3, 0, first=1), CLEAN, shard="1/2")
    large = folder_of(tmp_path / "s2", outcomes(8, 0, first=10), CLEAN, shard="2/2")
    assert "the shards have 3, 8 problems, and are no parts of one sample" in refusal(tmp_path, [small, large])
    assert merge_folders([small, large], tmp_path / "out", partial=True).records == 11


def test_a_shard_that_failed_before_a_cell_is_refused_unless_partial(tmp_path: Path) -> None:
    whole = folder_of(tmp_path / "s1", outcomes(1, 0, first=1), shard="1/2")
    Results(whole).append(CLEAN, SETTINGS, outcomes(1, 0, first=1))
    failed = folder_of(tmp_path / "s2", outcomes(1, 0, first=2), shard="2/2", status="failed")
    assert f"the run of shard 2/2 failed, and has no record of {CLEAN.id}" in refusal(tmp_path, [whole, failed])
    assert merge_folders([whole, failed], tmp_path / "out", partial=True).records == 3


def test_the_seed_of_a_cell_without_noise_is_of_no_account(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path / str(seed), outcomes(1, 0, seed), CLEAN, options={"seed": seed}) for seed in (0, 1)]
    assert merge_folders(folders, tmp_path / "out").records == 2


def test_a_missing_shard_is_refused_unless_partial(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/3", "3/3")
    sentence = refusal(tmp_path, folders)
    assert sentence == "shard 2/3 is missing: name its folder too, or add --partial"
    notes = merge_folders(folders, tmp_path / "out", partial=True).notes
    assert notes == ["shard 2/3 is missing: name its folder too"]


def test_many_missing_shards_are_counted(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, shards(tmp_path, "1/100"))
    assert sentence.startswith("shard 2/100, 3/100, 4/100, 5/100, 6/100 and 94 more are missing")


def test_a_shard_that_was_killed_is_named(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/2")
    (folders[1] / "run.json").unlink()
    assert f"shard 2/2 is missing ({folders[1]} has no run.json, as a run that was killed" in refusal(tmp_path, folders)


def test_shards_of_two_divisions_are_refused_unless_partial(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/3")
    assert "has shard 1/2 and" in refusal(tmp_path, folders)
    assert merge_folders(folders, tmp_path / "out", partial=True).records == 4


@pytest.mark.parametrize(("changed", "where"), [({"status": "interrupted"}, ""), ({"asked": 3}, f" in {CELL.id}")])
def test_a_shard_that_is_not_finished_is_refused_unless_partial(
    tmp_path: Path, changed: dict[str, Any], where: str
) -> None:
    folders = [*shards(tmp_path, "1/2"), *shards(tmp_path, "2/2", **changed)]
    assert f"{folders[1]}: the run of shard 2/2 was interrupted{where}: finish it" in refusal(tmp_path, folders)
    assert len(merge_folders(folders, tmp_path / "out", partial=True).notes) == 1


def test_shards_of_two_sizes_are_refused_unless_partial(tmp_path: Path) -> None:
    folders = [*shards(tmp_path, "1/2"), *shards(tmp_path, "2/2", options={"max_samples": 7})]
    assert "is of another size: max_samples is 9 in" in refusal(tmp_path, folders)
    assert merge_folders(folders, tmp_path / "out", partial=True).records == 4


def test_a_cell_that_some_shards_lack_is_noted(tmp_path: Path) -> None:
    """It may have fewer problems than there are shards, or its model did not load there."""
    folders = [*shards(tmp_path, "1/2"), folder_of(tmp_path / "b", outcomes(1, 0), CLEAN, shard="2/2")]
    notes = merge_folders(folders, tmp_path / "out").notes
    assert notes == [f"{CLEAN.id}: no record in shard 1/2", f"{CELL.id}: no record in shard 2/2"]


def test_a_damaged_run_json_is_refused(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/2")
    (folders[0] / "run.json").write_text((folders[0] / "run.json").read_text().replace("1/2", "2/2"))
    with pytest.raises(ResultsDamaged, match=r"run\.json was changed after it was written"):
        merge_folders(folders, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_line_is_refused(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/2")
    path = Results(folders[0]).path(CELL)
    path.write_bytes(path.read_bytes().replace(b'"tokens": 9', b'"tokens": 8', 1))
    with pytest.raises(ResultsDamaged, match="line 1: the line was changed"):
        merge_folders(folders, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_readings_of_an_unregistered_stage_are_refused(tmp_path: Path) -> None:
    (folder,) = shards(tmp_path, "1/1")
    (folder / "readings" / "length" / "llama").mkdir(parents=True)
    assert "readings of 'length', which no module registers here; name the module" in refusal(tmp_path, [folder])


def test_a_folder_that_a_run_writes_to_is_refused(tmp_path: Path) -> None:
    (folder,) = shards(tmp_path, "1/1")
    lock = FolderLock(folder, "another run")
    lock.acquire()
    with pytest.raises(ResultsInUse):
        merge_folders([folder], tmp_path / "out")
    lock.release()
    assert merge_folders([folder], tmp_path / "out").records == 2


def test_a_disk_that_refuses_a_file_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(path: Path, runs: Any) -> None:
        raise ResultsFolderError("cannot write run.json: No space left on device")

    monkeypatch.setattr("reports.store.merge_folders.write_runs", refuses)
    folders = shards(tmp_path, "1/1")
    with pytest.raises(ResultsFolderError, match="No space left"):
        merge_folders(folders, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s1"]


def test_maps_are_copied_and_refused_where_they_differ(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/2")
    same = attention_map(24)
    paths = [save_map(folder, same) for folder in folders]
    merge_folders(folders, tmp_path / "out")
    (kept,) = (tmp_path / "out").rglob("*.npz")
    assert kept.read_bytes() == paths[0].read_bytes()
    save_map(folders[1], replace(same, id="another problem"))
    merge_target = tmp_path / "again"
    with pytest.raises(MergeRefused, match=rf"{kept.name} is in both .*, with different contents"):
        merge_folders(folders, merge_target)
    assert not merge_target.exists()


def training(folder: Path, weights: str, seconds: int) -> None:
    checkpoint = folder / "checkpoints" / "llama-sft"
    checkpoint.mkdir(parents=True)
    (checkpoint / "training.json").write_text(f'{{"settings": {{}}, "weights": "{weights}", "seconds": {seconds}}}')
    (checkpoint / "model.safetensors").write_text(weights)
    (checkpoint.parent / ".llama-sft.lock").touch()


def test_checkpoints_are_copied_and_compared_by_what_they_are(tmp_path: Path) -> None:
    """Every shard tunes its own; only the times in their logs differ."""
    folders = shards(tmp_path, "1/2", "2/2")
    for number, folder in enumerate(folders):
        training(folder, "3f9a", number)
    merge_folders(folders, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out" / "checkpoints").rglob("*"))
    assert names == ["llama-sft", "model.safetensors", "training.json"]


def test_checkpoints_that_differ_are_refused(tmp_path: Path) -> None:
    folders = shards(tmp_path, "1/2", "2/2")
    for number, folder in enumerate(folders):
        training(folder, f"3f9{number}", 0)
    assert "checkpoints/llama-sft is in both" in refusal(tmp_path, folders)


def test_the_command_merges_and_writes_every_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [*shards(tmp_path, "1/2", "2/2")]
    for number, folder in enumerate(folders, start=1):
        Results(folder).append(CLEAN, SETTINGS, outcomes(2, 0, first=2 * number))
    arguments = ["merge", *map(str, folders), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert "8 records of 2 cells" in " ".join(capsys.readouterr().out.split())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"predictions", "run.json", "accuracy.csv", "comparisons.csv", "report.html"}
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("exists and is not empty; name another folder\n")
    assert err.count("\n") == 1


def test_shards_at_urls_are_merged_into_a_folder_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    urls = []
    for number, folder in enumerate(shards(tmp_path, "1/2", "2/2"), start=1):
        Results(folder).append(CLEAN, SETTINGS, outcomes(2, 0, first=2 * number))
        urls.append(f"file://{tmp_path}/store/{number}")
        assert main(["sync", str(folder), urls[-1]]) == 0
    assert main(["merge", *urls, "--out", str(tmp_path / "out")]) == 0
    assert "8 records of 2 cells" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        main(["merge", *urls, "--out", urls[0]])
    assert "--out: expected a folder or file on this machine, got a URL" in capsys.readouterr().err
