"""A results folder and its copy at a URL, on stores that need no network."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import fsspec
import pytest

from reports.__main__ import main
from reports.store.folder_at_url import FolderAtUrl
from reports.store.folder_lock import FolderLock
from reports.store.remote_folder import RemoteFolder, cache_folder, fetched_folder
from reports.store.results_folder import Results
from reports.store.run_json import add_run, read_runs
from reports.store.url_errors import RemoteFolderError
from tests.reports.record_factories import CELL, SETTINGS, asked, predicted


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"memory://{uuid.uuid4()}/mine" if request.param == "memory" else f"file://{tmp_path}/store/mine"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def machines(url: str, tmp_path: Path) -> tuple[RemoteFolder, RemoteFolder]:
    """Two machines with one folder at a URL."""
    return RemoteFolder(url, tmp_path / "first"), RemoteFolder(url, tmp_path / "second")


def stored(url: str) -> dict[str, bytes]:
    """Return the files at a URL with their content."""
    store, path = fsspec.core.url_to_fs(url)
    return {file: store.cat_file(file) for file in store.find(path)}


def record(remote: RemoteFolder, *ids: str) -> None:
    Results(remote.folder).append(CELL, SETTINGS, [predicted(id) for id in ids])


def recorded(remote: RemoteFolder) -> list[str]:
    return list(Results(remote.folder).newest_records(CELL))


def test_another_machine_goes_on_from_what_was_sent(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, second = machines
    record(first, "p1")
    first.upload()
    second.download()
    assert list(Results(second.folder).read_for_resume(CELL, SETTINGS, asked("p1", "p2"))) == ["p1"]
    record(second, "p2")
    second.upload()
    first.download()
    assert recorded(first) == ["p1", "p2"]


def test_only_what_changed_is_sent(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, _ = machines
    record(first, "p1")
    (first.folder / "accuracy.csv").write_text("a")
    assert len(first.upload()) == 3
    assert first.upload() == []
    (first.folder / "accuracy.csv").write_text("a")  # another time, and the same content
    assert first.upload() == []
    (first.folder / "accuracy.csv").write_text("b")  # the same size
    assert first.upload() == ["accuracy.csv"]


def test_records_that_only_one_has_are_never_overwritten(
    url: str, machines: tuple[RemoteFolder, RemoteFolder], tmp_path: Path
) -> None:
    first, second = machines
    record(first, "p1")
    first.upload()
    second.download()
    record(first, "p2")
    first.upload()
    record(second, "p3")
    before = stored(url)
    for bring in (second.download, second.upload):
        with pytest.raises(RemoteFolderError) as refused:
            bring()
        assert str(refused.value) == (
            f"predictions/zero_shot/diffllama/inf.jsonl has records in {url} and in {tmp_path}/second that the other"
            " lacks; move one of the two away, or name another folder"
        )
    assert recorded(second) == ["p1", "p3"]
    assert stored(url) == before


def test_an_older_copy_is_not_sent_over_a_newer_one(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, second = machines
    record(first, "p1")
    first.upload()
    second.download()
    record(second, "p2")
    second.upload()
    assert first.upload() == []
    first.download()
    assert recorded(first) == ["p1", "p2"]


def test_starting_over_moves_the_records_there_too(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, second = machines
    record(first, "p1")
    first.upload()
    second.download()
    Results(first.folder).set_aside()
    record(first, "p2")
    first.upload()
    second.download()
    assert recorded(second) == recorded(first) == ["p2"]
    (aside,) = (second.folder / "set_aside").iterdir()
    assert list(Results(aside).newest_records(CELL)) == ["p1"]


def test_a_file_that_was_deleted_by_hand_is_fetched_again(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, _ = machines
    record(first, "p1")
    first.upload()
    Results(first.folder).path(CELL).unlink()
    first.upload()
    first.download()
    assert recorded(first) == ["p1"]


def test_a_kill_between_the_files_and_their_list_loses_nothing(
    machines: tuple[RemoteFolder, RemoteFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = machines
    record(first, "p1")
    first.upload()
    record(first, "p2")

    def killed(*arguments: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(FolderAtUrl, "write", killed)
        with pytest.raises(RemoteFolderError):
            first.upload()
    second.download()
    assert recorded(second) == ["p1", "p2"]
    record(second, "p3")
    second.upload()
    first.download()
    assert recorded(first) == ["p1", "p2", "p3"]


def test_both_histories_of_runs_are_kept(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    for number, remote in enumerate(machines):
        remote.folder.mkdir()
        add_run(remote.folder / "run.json", {"started": f"2026-01-0{number + 1}"}, [])
    first, second = machines
    first.upload()
    second.upload()
    first.download()
    for remote in machines:
        runs = read_runs(remote.folder / "run.json")
        assert runs is not None
        assert [run["started"] for run in runs] == ["2026-01-01", "2026-01-02"]


def test_who_else_may_write_is_known(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, second = machines
    assert first.mark_running("one") is None
    assert "has not said that it ended" in str(second.mark_running("two"))
    first.remove_mark("one")  # it is no longer the mark of this run
    assert "has not said that it ended" in str(first.mark_running("three"))
    first.remove_mark("three")
    assert first.mark_running("four") is None


def test_another_shard_is_kept_out_and_the_same_one_is_not(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, second = machines
    first.mark_running("one", "1/2")
    with pytest.raises(RemoteFolderError, match=r"^shard 1/2 writes to .* give each shard a URL of its own$"):
        second.mark_running("two", "2/2")
    first.remove_mark("one")
    first.mark_running("killed", "1/2")
    assert "has not said that it ended" in str(second.mark_running("again", "1/2"))


def test_hidden_files_are_not_copied(machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    first, second = machines
    record(first, "p1")
    (first.folder / ".reports.json").write_text("{}")
    FolderLock(first.folder).acquire()
    first.upload()
    second.download()
    assert {path.name for path in second.folder.iterdir()} == {"predictions", ".synced.json"}


def test_a_name_that_leads_out_of_the_folder_is_not_fetched(tmp_path: Path) -> None:
    url = f"memory://{uuid.uuid4()}/mine"
    store = fsspec.filesystem("memory")
    root = "/" + url.partition("://")[2]
    store.store[f"{root}/../outside.csv"] = fsspec.implementations.memory.MemoryFile(store, "x", b"1")
    store.pipe_file(f"{root}/accuracy.csv", b"1")
    assert RemoteFolder(url, tmp_path / "here").download() == ["accuracy.csv"]
    assert not (tmp_path / "outside.csv").exists()


@pytest.mark.parametrize(
    "url",
    ["s3://AKID:hidden@bucket/mine", "s3://bucket/mine?hidden=1", "https://user:hidden@host/mine", "s3://"],
)
def test_a_url_with_a_secret_in_it_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(RemoteFolderError, match=r"^expected the URL of a folder, such") as refused:
        RemoteFolder(url)
    assert "hidden" not in str(refused.value)


def test_http_takes_no_results() -> None:
    with pytest.raises(RemoteFolderError, match=r"^https://host/mine: a results folder cannot be written over http"):
        RemoteFolder("https://host/mine")


def test_a_file_in_the_place_of_the_folder_is_an_error(url: str, tmp_path: Path) -> None:
    store, path = fsspec.core.url_to_fs(url, auto_mkdir=True)
    store.pipe_file(path, b"1")
    with pytest.raises(RemoteFolderError, match=f"^cannot read {url}: expected a folder, got a file$"):
        RemoteFolder(url, tmp_path / "here").download()


def test_each_url_has_a_local_folder_of_its_own() -> None:
    assert cache_folder("s3://a/mine") != cache_folder("s3://b/mine")
    assert cache_folder("s3://a/mine").name.startswith("mine-")


def test_the_commands_read_a_url(
    url: str, machines: tuple[RemoteFolder, RemoteFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    record(machines[0], "p1", "p2")
    machines[0].upload()
    assert main(["accuracy", url]) == 0
    assert "100.0" in capsys.readouterr().out
    assert main(["compare", url, str(machines[0].folder)]) == 0


def test_a_url_without_results_is_named(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", url]) == 1
    assert capsys.readouterr().err == f"no results at {url}: expected the folder of a benchmark run\n"
    assert not cache_folder(url).exists()


def test_a_command_reads_next_to_a_run_that_writes(url: str, machines: tuple[RemoteFolder, RemoteFolder]) -> None:
    record(machines[0], "p1")
    machines[0].upload()
    fetched_folder(url)
    lock = FolderLock(cache_folder(url), "another run")
    lock.acquire()
    assert fetched_folder(url) == cache_folder(url)
    lock.release()


def test_sync_brings_a_folder_and_a_url_in_step(
    url: str, machines: tuple[RemoteFolder, RemoteFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    record(machines[0], "p1")
    assert main(["sync", str(machines[0].folder), url]) == 0
    assert capsys.readouterr().out.startswith("fetched 0 files and sent 2: ")
    assert main(["sync", str(machines[1].folder), url]) == 0
    assert recorded(machines[1]) == ["p1"]
    assert json.loads((machines[1].folder / ".synced.json").read_text())["url"] == url
