"""Problems load completely, or fail with one sentence that says why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import noise
from noise import mini
from noise.problems.jsonl import atomic_file
from noise.problems.problem_sources import load_problems

pytestmark = pytest.mark.quick

LINE = {"question": "Ann has 3 pens and buys 4. How many has she?", "answer": "3+4=<<3+4=7>>7\n#### 7"}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return path


def test_a_file_gives_its_problems_with_ids_from_its_name_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl", LINE, {**LINE, "id": "own"}, {**LINE, "id": 7})
    problems = load_problems(path)
    assert [problem.id for problem in problems] == ["mine-00001", "own", "7"]
    assert (problems[0].question, problems[0].answer, problems[0].target) == (LINE["question"], LINE["answer"], 7)
    assert load_problems(str(path)) == problems


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    """JSON allows the other line separators of Unicode inside a string."""
    question = "Ann has 3 pens.\u2028She buys 4.\u0085How many has she?"
    path = write(tmp_path / "mine.jsonl", json.dumps({**LINE, "question": question}, ensure_ascii=False))
    assert load_problems(path)[0].question == question


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    write(tmp_path / "mine.jsonl", LINE)
    with pytest.raises(FileNotFoundError, match=r"mime\.jsonl: no such file; did you mean '.*mine\.jsonl'\?"):
        load_problems(tmp_path / "mime.jsonl")
    with pytest.raises(ValueError, match="expected a regular file, got a folder"):
        load_problems(tmp_path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gsm8", "unknown source of problems 'gsm8'. Did you mean 'gsm8k'? Known: gsm8k, mini, a path"),
        ("gsm8k:trian", "unknown gsm8k split 'trian'. Did you mean 'train'? Known: test, train"),
        ("mini:new-name", "unknown mini split 'new-name'. Did you mean 'new-names'?"),
        ("mine.json", "Known: gsm8k, mini, a path that ends in .jsonl"),
    ],
)
def test_an_unknown_source_names_the_nearest_match_and_what_is_allowed(source: str, message: str) -> None:
    with pytest.raises(ValueError, match="unknown") as caught:
        load_problems(source)
    assert message in str(caught.value)


def test_a_split_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one split"):
        load_problems("mini:test", split="new-names")
    with pytest.raises(ValueError, match="a file is one split"):
        load_problems(write(tmp_path / "mine.jsonl", LINE), split="test")


def test_the_embedded_problems_are_the_test_split_unless_another_is_named() -> None:
    assert load_problems("mini") == load_problems("mini:test") == mini.problems("test")
    assert load_problems("mini:new-names") == load_problems("mini", split="new-names") == mini.problems("new-names")


# The hub, with a fake.


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Rows by split for a fake hub, which raises an exception in their place."""
    import datasets

    rows: dict[str, object] = {
        "test": [LINE],
        "train": [LINE, {**LINE, "question": "And if she buys 5?", "answer": "#### 8"}],
    }

    def load_dataset(name: str, config: str, split: str) -> object:
        assert (name, config) == ("openai/gsm8k", "main")
        split_rows = rows[split]
        if isinstance(split_rows, BaseException):
            raise split_rows
        return split_rows

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return rows


@pytest.mark.usefixtures("hub")
def test_the_hub_gives_the_test_split_unless_another_is_named() -> None:
    assert [problem.id for problem in load_problems("gsm8k")] == ["gsm8k_test-00001"]
    assert [problem.target for problem in load_problems("gsm8k:train")] == [7, 8]
    assert load_problems("gsm8k", split="train") == load_problems("gsm8k:train")


@pytest.mark.usefixtures("hub")
def test_downloaded_files_hold_the_problems_of_the_hub_under_the_same_ids(tmp_path: Path) -> None:
    paths = noise.download_gsm8k(tmp_path / "new" / "data")
    assert {split: path.name for split, path in paths.items()} == {
        "test": "gsm8k_test.jsonl",
        "train": "gsm8k_train.jsonl",
    }
    assert load_problems(paths["train"]) == load_problems("gsm8k:train")
    assert load_problems(paths["test"]) == load_problems("gsm8k")
    assert {path.name for path in paths["test"].parent.iterdir()} == {"gsm8k_test.jsonl", "gsm8k_train.jsonl"}


class BrokenOff:
    """A split whose download fails after its first row."""

    def __iter__(self) -> Iterator[object]:
        yield LINE
        raise OSError("the line went dead\nand more")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (OSError("offline"), r"could not load openai/gsm8k, split train, from the hub \(OSError: offline\)"),
        (BrokenOff(), r"\(OSError: the line went dead\); name a \.jsonl file if there is a copy on disk$"),
        ([], "expected problems, got none"),
        ([LINE, {"question": "How many?"}], "row 2: expected a string field 'answer'"),
    ],
)
def test_a_failed_download_says_why_and_leaves_nothing_behind(
    tmp_path: Path, hub: dict[str, object], train: object, message: str
) -> None:
    hub["train"] = train
    with pytest.raises((ConnectionError, ValueError), match=message):
        noise.download_gsm8k(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing_behind(tmp_path: Path, hub: dict[str, object]) -> None:
    hub["train"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        noise.download_gsm8k(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, failure: BaseException) -> None:
    path = write(tmp_path / "mine.jsonl", "what stood there")
    with pytest.raises(type(failure)), atomic_file(path) as file:  # noqa: PT012
        file.write("half of")
        raise failure
    assert path.read_text("utf-8") == "what stood there\n"
    assert list(tmp_path.iterdir()) == [path]
    with atomic_file(path) as file:
        file.write("all of it")
    assert path.read_text("utf-8") == "all of it"
    assert list(tmp_path.iterdir()) == [path]


def test_importing_noise_needs_the_standard_library_alone() -> None:
    code = "import sys, noise; print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    root = Path(noise.__file__).parents[1]
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert set(done.stdout.split()) <= {"noise", "__main__"}


def test_a_question_with_two_gold_answers_is_refused(tmp_path: Path) -> None:
    """In other case or spacing, too: one of the two lines is wrong, and nobody knows which."""
    first, second = ({"question": q, "answer": a} for q, a in (("How many?", "#### 3"), ("how  MANY?", "#### 4")))
    path = tmp_path / "mine.jsonl"
    path.write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    with pytest.raises(ValueError, match=r"mine\.jsonl:2: expected one gold answer per question, got 4 .*:1, which"):
        load_problems(path)
    path.write_text(f"{json.dumps(first)}\n{json.dumps({**second, 'answer': '1+2=3 #### 3'})}\n")
    assert len(load_problems(path)) == 2
