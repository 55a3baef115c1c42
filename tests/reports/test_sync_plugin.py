"""Runs of a tiny experiment whose results folder is at a URL."""

from __future__ import annotations

import importlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from reports.store.folder_at_url import FolderAtUrl
from reports.store.remote_folder import RemoteFolder, cache_folder


@pytest.fixture(autouse=True, scope="module")
def _imported() -> None:
    """pytester forgets the imports of a run in this process, and numpy can be imported only once per process."""
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg", "pandas", "scipy.stats", "fsspec"):
        importlib.import_module(name)


CONFTEST = """
pytest_plugins = ["reports.plugin"]

def pytest_addoption(parser):
    parser.addoption("--url")
    parser.addoption("--fresh", action="store_true")

def pytest_configure(config):
    from reports.experiment import Experiment
    from reports.plugin import announce
    from reports.store.remote_folder import RemoteFolder
    from reports.store.results_folder import Results

    remote = RemoteFolder(config.option.url)
    announce(config, Experiment(Results(remote.folder)), config.option.fresh, remote=remote)
"""
REFUSAL = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    raise pytest.UsageError("refused")
"""
CASES = """
import pytest

from reports.store.records import Cell
from tests.reports.record_factories import SETTINGS, asked, predicted

@pytest.mark.parametrize("noise", ["clean", "inf"])
def test_case(experiment, noise):
    with experiment.cell(Cell("llama", noise, "zero_shot"), SETTINGS, asked("p1", "p2")) as recorder:
        recorder.append([predicted(id) for id in ("p1", "p2") if id not in recorder.records])
"""


@pytest.fixture
def url() -> str:
    return f"memory://{uuid.uuid4()}/mine"


@pytest.fixture
def run(pytester: pytest.Pytester, url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Return a function that runs the experiment."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    monkeypatch.setenv("COLUMNS", "300")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_grid=CASES)
    return lambda *options: pytester.runpytest_inprocess("-p", "no:cacheprovider", "--url", url, *options)


def names(url: str) -> list[str]:
    return sorted(FolderAtUrl(url).files()[0])


def out_of_reach(*arguments: Any, **options: Any) -> None:
    raise ConnectionError("the key AKIDHIDDEN cannot be sent to 10.0.0.1")


def test_results_are_there_at_the_end_and_known_in_an_empty_cache(
    run: Callable[..., pytest.RunResult], url: str
) -> None:
    first = run()
    first.assert_outcomes(passed=2)
    first.stdout.fnmatch_lines(
        [f"results are kept in *mine-* and copied to {url} as cells end", "predictions: 0 read*"]
    )
    assert {"accuracy.csv", "report.html", "run.json", "predictions/zero_shot/llama/inf.jsonl"} <= set(names(url))
    shutil.rmtree(cache_folder(url))
    run().stdout.fnmatch_lines([f"fetched from {url}: * files", "predictions: 4 read, 0 made*"])


def test_a_cell_is_sent_when_it_ends(
    run: Callable[..., pytest.RunResult], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    upload = RemoteFolder.upload

    def noted(self: RemoteFolder) -> list[str]:
        sent.append([name for name in upload(self) if name.endswith(".jsonl")])
        return sent[-1]

    monkeypatch.setattr(RemoteFolder, "upload", noted)
    run()
    records = "predictions/zero_shot/llama"
    assert sent == [[f"{records}/clean.jsonl"], [f"{records}/inf.jsonl"], []]


def test_an_upload_that_fails_is_said_once_and_made_up_for(
    run: Callable[..., pytest.RunResult], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, calls = RemoteFolder.upload, iter("bad bad good".split())

    def fails_twice(self: RemoteFolder) -> list[str]:
        if next(calls) == "bad":
            monkeypatch.setattr(FolderAtUrl, "files", out_of_reach)
        else:
            monkeypatch.undo()
            monkeypatch.setenv("XDG_CACHE_HOME", str(self.folder.parents[2]))
        return upload(self)

    monkeypatch.setattr(RemoteFolder, "upload", fails_twice)
    done = run()
    assert done.ret == 0
    assert done.stdout.str().count(f"cannot write {url}: the store cannot be reached") == 1
    assert "predictions/zero_shot/llama/inf.jsonl" in names(url)


def test_a_run_whose_results_are_not_sent_says_where_they_are_and_fails(
    run: Callable[..., pytest.RunResult], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as unplugged:
        unplugged.setattr(FolderAtUrl, "send", out_of_reach)
        done = run()
    done.assert_outcomes(passed=2)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    sentence = f"cannot write {url}: the store cannot be reached; all results are in *, and `python -m reports sync *"
    done.stdout.fnmatch_lines([f"{sentence}mine-* {url}` sends them"])
    assert "AKIDHIDDEN" not in done.stdout.str() + done.stderr.str()
    assert names(url) == []
    again = run()
    again.stdout.fnmatch_lines(["predictions: 4 read, 0 made*"])
    assert (again.ret, "accuracy.csv" in names(url)) == (0, True)


def test_a_run_that_cannot_know_what_is_there_does_not_start(
    run: Callable[..., pytest.RunResult], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderAtUrl, "files", out_of_reach)
    done = run()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: cannot read {url}: the store cannot be reached"])
    assert not cache_folder(url).exists()


def test_two_machines_with_records_of_their_own_are_refused(
    run: Callable[..., pytest.RunResult], url: str, tmp_path: Path
) -> None:
    run()
    name = "predictions/zero_shot/llama/inf.jsonl"
    store, path = fsspec.core.url_to_fs(f"{url}/{name}")
    store.pipe_file(path, b'{"of": "another machine"}\n')
    done = run()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: {name} has records in {url} and in * that the other lacks; *"])
    assert store.cat_file(path) == b'{"of": "another machine"}\n'


def test_starting_over_keeps_the_earlier_records_there_too(run: Callable[..., pytest.RunResult], url: str) -> None:
    run()
    run("--fresh").stdout.fnmatch_lines(["predictions: 0 read, 4 made*"])
    shutil.rmtree(cache_folder(url))
    run().stdout.fnmatch_lines(["predictions: 4 read, 0 made*"])
    aside = [name for name in names(url) if name.startswith("set_aside/")]
    assert any(name.endswith("predictions/zero_shot/llama/inf.jsonl") for name in aside)


def test_another_run_that_may_write_is_named(run: Callable[..., pytest.RunResult], url: str) -> None:
    RemoteFolder(url).mark_running("another")
    run().stdout.fnmatch_lines([f"a run on *, started *, has not said that it ended: *both write to {url}"])
    assert "has not said" not in run().stdout.str()


def test_a_run_that_is_refused_at_its_start_leaves_no_mark(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(f"{CONFTEST}\n{REFUSAL}")
    assert run().ret == pytest.ExitCode.USAGE_ERROR
    pytester.makeconftest(CONFTEST)
    assert "has not said" not in run().stdout.str()


def test_a_run_that_only_collects_asks_no_store(
    run: Callable[..., pytest.RunResult], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderAtUrl, "files", out_of_reach)
    assert run("--collect-only").ret == 0


def test_workers_leave_the_store_to_the_main_process(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    url = f"file://{pytester.path}/store/mine"
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "xdist.plugin", "-n", "2", "--url", url)
    done.assert_outcomes(passed=2)
    assert {"accuracy.csv", "predictions/zero_shot/llama/inf.jsonl"} <= set(names(url))
