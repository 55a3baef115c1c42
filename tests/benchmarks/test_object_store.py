"""The whole way with an object store: a loopback one of moto, which needs `pip install moto[server] s3fs`."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noise.problems.problem_sources import load_problems
from noise.problems.remote_files import RemoteFileError
from tests.benchmarks.typed_commands import ROOT, command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("moto", "s3fs", "flask")),
        reason="wants an object store: pip install -r requirements-remote.txt moto[server]",
    ),
]
SECRETS = ("AKIDHIDDEN0123456789", "secret/hidden+0123456789")
GRID = ["benchmarks", "--models", "diffllama,llama", "--datasets", "clean,inf", "--max-samples", "5"]
GRID += ["--skip-sft", "--skip-attention", "--skip-intervene"]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an object store with the bucket `bucket`, whose address and keys are in the environment."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": SECRETS[0],
        "AWS_SECRET_ACCESS_KEY": SECRETS[1],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "COLUMNS": "240",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    yield client
    server.stop()


@pytest.fixture
def problems(store: Any, tmp_path: Path) -> Path:
    """A file of problems, which is in the bucket too."""
    path = tmp_path / "train.jsonl"
    fields = [{"question": problem.question, "answer": problem.answer} for problem in load_problems("mini")[:12]]
    path.write_text("".join(json.dumps(line) + "\n" for line in fields))
    store.upload_file(str(path), "bucket", "train.jsonl")
    return path


def started(*arguments: str, cache: Path) -> subprocess.Popen[str]:
    """Start a run whose results folders of URLs are in `cache`, an empty one as on another machine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.Popen(
        command(*GRID, *arguments),
        cwd=ROOT,
        env=environment | {"XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def objects(store: Any) -> dict[str, bytes]:
    listed = store.list_objects_v2(Bucket="bucket").get("Contents", [])
    return {entry["Key"]: store.get_object(Bucket="bucket", Key=entry["Key"])["Body"].read() for entry in listed}


def test_a_killed_run_goes_on_from_an_empty_cache_to_the_tables_of_a_local_run(
    store: Any, problems: Path, tmp_path: Path
) -> None:
    local = started("--problems", str(problems), "--results", f"{tmp_path}/local", cache=tmp_path)
    output = local.communicate(timeout=300)[0]
    assert local.returncode == 0, output

    at_urls = ["--problems", "s3://bucket/train.jsonl", "--results", "s3://bucket/folder/results"]
    killed = started(*at_urls, cache=tmp_path / "first")
    first_cell = "folder/results/predictions/zero_shot/diffllama/clean.jsonl"
    deadline = time.monotonic() + 300
    while first_cell not in objects(store) and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed_output = killed.communicate(timeout=60)[0]
    assert killed.returncode == -signal.SIGKILL, killed_output
    assert first_cell in objects(store)
    assert "folder/results/run.json" not in objects(store)  # it was killed midway

    resumed = started(*at_urls, cache=tmp_path / "second")
    output = resumed.communicate(timeout=300)[0]
    assert resumed.returncode == 0, output
    assert "fetched from s3://bucket/folder/results: " in output
    assert "has not said that it ended" in output
    assert "predictions: 0 read" not in output

    there = {name.removeprefix("folder/results/"): content for name, content in objects(store).items()}
    names = ["accuracy.csv", "comparisons.csv"]
    names += [f"predictions/zero_shot/{model}/{noise}.jsonl"
              for model in ("diffllama", "llama") for noise in ("clean", "inf")]  # fmt: skip
    for name in names:
        assert there[name] == (tmp_path / "local" / name).read_bytes(), name
    assert ".running.json" not in there
    assert not any(name.rpartition("/")[2].startswith(".") for name in there if name != ".synced.json")

    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    everything = b"\n".join([*written, *there.values(), output.encode(), killed_output.encode()])
    assert not [secret for secret in SECRETS if secret.encode() in everything]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--problems", "s3://none/train.jsonl"], "--problems s3://none/train.jsonl: no such bucket"),
        (["--problems", "s3://bucket/none.jsonl"], "--problems s3://bucket/none.jsonl: no such file"),
        (["--results", "s3://none/results"], "cannot write s3://none/results: no such bucket"),
    ],
)
def test_what_is_not_there_is_a_usage_error(store: Any, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    run = started(*arguments, cache=tmp_path)
    output = run.communicate(timeout=120)[0]
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert sentence in output
    assert "Traceback" not in output
    assert not [secret for secret in SECRETS if secret in output]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "the store cannot be reached"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no permission"),
    ],
)
def test_a_store_that_does_not_answer_is_a_usage_error(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], reason: str
) -> None:
    for name, value in changed.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))  # no keys of the person who runs the tests
    run = started("--results", "s3://bucket/results", cache=tmp_path)
    output = run.communicate(timeout=120)[0]
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"cannot write s3://bucket/results: {reason}" in output
    assert "Traceback" not in output
    assert not [secret for secret in SECRETS if secret in output]


def test_a_web_server_that_does_not_answer_cannot_be_reached() -> None:
    with pytest.raises(RemoteFileError, match=r"^http://127\.0\.0\.1:1/mine\.jsonl: the store cannot be reached$"):
        load_problems("http://127.0.0.1:1/mine.jsonl")
