"""Problem files by URL: fetched whole, and read by the reader of local files."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import fsspec
import pytest

from noise.problems.bad_lines import BadLine
from noise.problems.problem_sources import load_problems
from noise.problems.remote_files import RemoteFileError, kept_copies, local_copy
from noise.problems.splits import problems_to_train_on, training_source
from noise.sets.manifest import source_entry
from noise.sets.paired_sets import read_paired_set

ROOT = Path(__file__).parents[2]
LINE = {"question": "Ida has 12 pears. She sells 5. How many are left?", "answer": "#### 7"}
OTHER = {"question": "Bo has 4 hats. He buys 5. How many has he now?", "answer": "#### 9"}


@pytest.fixture
def bucket() -> str:
    """The URL of a folder in memory that no other test has."""
    return f"memory://{uuid.uuid4()}"


def put(url: str, *lines: object) -> str:
    """Write lines to a URL, and return it."""
    store, path = fsspec.core.url_to_fs(url)
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    store.pipe_file(path, text.encode())
    return url


def test_a_url_gives_what_a_file_of_that_name_gives(bucket: str, tmp_path: Path) -> None:
    """The ids of lines without one too: they hold the file's name, and are in the key of every record."""
    local = tmp_path / "mine.jsonl"
    local.write_text(f"{json.dumps(LINE)}\n{json.dumps(OTHER)}\n")
    assert load_problems(put(f"{bucket}/mine.jsonl", LINE, OTHER)) == load_problems(local)
    assert load_problems(f"file://{local}") == load_problems(local)
    assert source_entry(f"{bucket}/mine.jsonl") == source_entry(local)


def test_a_bad_line_is_named_by_the_url(bucket: str) -> None:
    url = put(f"{bucket}/mine.jsonl", LINE, "[]")
    with pytest.raises(ValueError, match=rf"^{url}:2: expected a JSON object, got list \[\]$"):
        load_problems(url)
    bad_lines: list[BadLine] = []
    assert len(load_problems(url, bad_lines=bad_lines)) == 1
    assert [line.reason for line in bad_lines] == [f"{url}:2: expected a JSON object, got list []"]


def test_a_file_that_is_no_text_is_named_by_the_url(bucket: str) -> None:
    url = put(f"{bucket}/mine.jsonl", "PAR1")
    with pytest.raises(ValueError, match=rf"^{url}: expected UTF-8 text, got a parquet file$"):
        load_problems(url)


def test_the_training_split_lies_next_to_the_test_split(bucket: str) -> None:
    url = put(f"{bucket}/mine_test.jsonl", LINE)
    with pytest.raises(ValueError, match=rf"^{url} is a test split and has no training split: expected mine_train"):
        training_source(url)
    put(f"{bucket}/mine_train.jsonl", OTHER)
    assert training_source(url) == f"{bucket}/mine_train.jsonl"
    assert [problem.question for problem in problems_to_train_on(url)] == [OTHER["question"]]


def test_a_paired_set_can_lie_at_a_url(bucket: str) -> None:
    noisy = {**LINE, "question": "Ida has 12 pears. Bo has 4 hats. She sells 5. How many are left?"}
    url = put(f"{bucket}/pairs.jsonl", {**noisy, "original_question": LINE["question"]})
    paired = read_paired_set(url)
    assert (len(paired.pairs), paired.source) == (1, url)


def test_the_processes_of_a_run_read_one_copy(bucket: str, tmp_path: Path) -> None:
    """Also after the file was replaced, so that no two workers ask other problems."""
    local = tmp_path / "mine.jsonl"
    url = put(f"file://{local}", LINE)
    code = f"from noise import load_problems; print(load_problems({url!r})[0].question)"
    with kept_copies():
        assert load_problems(url)[0].question == LINE["question"]
        put(url, OTHER)
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert child.stdout.strip() == load_problems(url)[0].question == LINE["question"]
        with local_copy(url) as copy:
            pass
    assert not copy.exists()
    assert load_problems(url)[0].question == OTHER["question"]


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIDHIDDEN:hidden@bucket/mine.jsonl",
        "s3://AKIDHIDDEN:hid/den@bucket/mine.jsonl",
        "https://user:hidden@host/mine.jsonl",
        "https://hidden@host/mine.jsonl",
        "https://host/mine.jsonl?X-Amz-Signature=hidden",
        "https://host/mine.jsonl#hidden",
        "simplecache::s3://AKIDHIDDEN:hidden@bucket/mine.jsonl",
    ],
)
def test_a_url_with_a_secret_in_it_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="without a user name, a password, a key or a query") as refused:
        load_problems(url)
    assert "hid" not in str(refused.value).lower()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("memory://no-such-folder/mine.jsonl", "no such file"),
        ("gs://bucket/mine.jsonl", "a package for gs:// is missing: `pip install gcsfs`"),
        ("nonesuch://bucket/mine.jsonl", "unknown scheme 'nonesuch'. Known: s3, gs, https, file."),
    ],
)
def test_what_cannot_be_read_is_one_sentence(url: str, reason: str) -> None:
    with pytest.raises(RemoteFileError) as error:
        load_problems(url)
    assert str(error.value) == f"{url}: {reason}"


def test_https_without_its_package_says_what_to_install() -> None:
    """In another process, as fsspec remembers what it has imported."""
    script = """
import sys
sys.modules["aiohttp"] = None
from noise import load_problems
try:
    load_problems("https://127.0.0.1:1/mine.jsonl")
except OSError as error:
    print(error)
"""
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert printed.stdout == (
        "https://127.0.0.1:1/mine.jsonl: a package for https:// is missing: `pip install -r requirements-remote.txt`\n"
    )


def test_a_store_that_quotes_a_secret_is_not_quoted(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("the key AKIDHIDDEN is unknown")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "info", refuse)
    with pytest.raises(RemoteFileError, match=r"the store answered with an error \(RuntimeError\)$") as error:
        load_problems(f"{bucket}/mine.jsonl")
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_a_short_download_is_an_error(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a file may end at the end of a line, and look whole."""
    url = put(f"{bucket}/mine.jsonl", LINE, OTHER)

    def half(self: object, source: str, target: str) -> None:
        Path(target).write_text(json.dumps(LINE) + "\n")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "get_file", half)
    with pytest.raises(RemoteFileError, match=r": got \d+ of \d+ bytes$"):
        load_problems(url)


def test_no_url_imports_no_fsspec(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text(json.dumps(LINE) + "\n")
    code = f"import sys; from noise import load_problems; load_problems({f'{tmp_path}/mine.jsonl'!r})"
    code += "; sys.exit('fsspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
