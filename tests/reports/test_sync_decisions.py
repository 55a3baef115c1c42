"""Which of two copies of a file is the newer one."""

from __future__ import annotations

import json

import pytest

from reports.store.sync_decisions import Versions, decide

RECORDS = "predictions/zero_shot/llama/inf.jsonl"


def decided(name: str, here: str | None, last: str | None, there: str | None, **aside: bool) -> str:
    """Return the decision on contents, each of which stands for its own digest."""
    return decide(Versions(name, here, last, there, **aside), lambda: (str(here).encode(), str(there).encode()))


@pytest.mark.parametrize("last", [None, "a\n", "b\n", "a\nb\n"])
def test_records_go_where_they_are_lacking_whatever_was_last_in_step(last: str | None) -> None:
    assert decided(RECORDS, "a\n", last, None) == "send"
    assert decided(RECORDS, None, last, "a\n") == "fetch"
    assert decided(RECORDS, "a\nb\n", last, "a\n") == "send"
    assert decided(RECORDS, "a\n", last, "a\nb\n") == "fetch"
    assert decided(RECORDS, "a\nb\n", last, "a\nc\n") == "conflict"
    assert decided(RECORDS, "a\n", last, "a\n") == "same"


def test_a_line_that_a_kill_cut_short_is_no_record() -> None:
    assert decided(RECORDS, "a\nhal", "a\n", "a\nb\n") == "fetch"


def test_records_that_were_set_aside_are_no_loss() -> None:
    assert decided(RECORDS, "new\n", "old\n", "old\n", aside_here=True) == "send"
    assert decided(RECORDS, None, "old\n", "old\n", aside_here=True) == "remove_there"
    assert decided(RECORDS, "old\n", "old\n", None, aside_there=True) == "remove_here"
    assert decided(RECORDS, "old\n", "old\n", "new\n", aside_there=True) == "fetch"


def test_what_was_deleted_and_not_set_aside_comes_back() -> None:
    assert decided(RECORDS, None, "old\n", "old\n") == "fetch"
    assert decided(RECORDS, "old\n", "old\n", None) == "send"


def test_a_map_that_was_removed_here_is_removed_there() -> None:
    name = "attention_maps/diffllama-attention/inf-q0-l1-h0.npz"
    assert decided(name, None, "map\n", "map\n") == "remove_there"
    assert decided(name, None, None, "map\n") == "fetch"
    assert decided(name, None, "map\n", "newer\n") == "fetch"


def test_other_files_go_by_which_copy_changed() -> None:
    assert decided("accuracy.csv", "new", "old", "old") == "send"
    assert decided("accuracy.csv", "old", "old", "new") == "fetch"
    assert decided("accuracy.csv", "new", "old", "other") == "either"


@pytest.mark.parametrize("name", ["checkpoints/llama/model.safetensors", "attention_maps/a.npz", "set_aside/x/a.csv"])
def test_what_cannot_be_rebuilt_is_not_replaced_where_both_changed(name: str) -> None:
    assert decided(name, "new", "old", "other") == "conflict"
    assert decided(name, "new", "old", "old") == "send"


def test_two_histories_of_runs_are_merged() -> None:
    def history(*starts: int) -> str:
        return json.dumps({"runs": [{"started": start} for start in starts]})

    assert decided("run.json", history(1, 2), None, history(1)) == "send"
    assert decided("run.json", history(1), None, history(1, 2)) == "fetch"
    assert decided("run.json", history(1, 2), None, history(1, 3)) == "merge"
    assert decided("run.json", "damaged", None, history(1)) == "fetch"
