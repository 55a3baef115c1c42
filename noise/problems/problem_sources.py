"""Where problems come from: a `.jsonl` file in GSM8K's form, GSM8K itself on the hub, or the embedded miniatures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from noise.problems.jsonl import line_id, problem_from, read_json_lines, refuse_same_id, unknown, whole_file, write_line
from noise.problems.problem import Problem

HUB_NAME, HUB_CONFIG = "openai/gsm8k", "main"
GSM8K_SPLITS = ("test", "train")


def load_problems(source: str | Path, split: str | None = None) -> list[Problem]:
    """The problems of `source`, in order, every one with a target that can be read.

    `source` is the path of a `.jsonl` file, `"gsm8k"` (the hub's `openai/gsm8k`) or `"mini"` (embedded). A split is
    named by `split` or behind a colon, `"gsm8k:train"`; without one it is `test`. Lines of a file are objects with
    `question` and `answer`; an `id` is kept, and where there is none the file's stem and the line number make it:
    `mine-00017`. Problems from the hub are called what they would be called in the files of `download_gsm8k`. Of a
    file of noisy problems the noisy question is the question.

    Raises `ValueError` for an unknown source or split and for a bad line (file, line number, what was expected),
    `FileNotFoundError` for a missing file, `ConnectionError` where the hub gives no data.
    """
    if is_file_source(source):
        if split is not None:
            raise ValueError(f"expected no split with the file {str(source)!r}, got {split!r}: a file is one split")
        return _from_file(Path(source))
    name, split = split_source(str(source), split)
    return SOURCES[name](split)


def is_file_source(source: str | Path) -> bool:
    """Whether `source` is meant as a file: a `Path`, or a text that ends in `.jsonl`."""
    return isinstance(source, Path) or source.endswith(".jsonl")


def split_source(source: str, split: str | None = None) -> tuple[str, str]:
    """`"gsm8k:train"` as `("gsm8k", "train")`, and `"gsm8k"` as `("gsm8k", "test")`. Raises `ValueError` otherwise."""
    name, colon, inner = source.partition(":")
    if name not in SOURCES:
        allowed = [*SOURCES, "a path that ends in .jsonl"]
        raise ValueError(unknown("source of problems", source, SOURCES, allowed))
    if colon and split is not None and split != inner:
        raise ValueError(f"expected one split, got {inner!r} in {source!r} and {split!r} beside it")
    split = inner if colon else split or "test"
    allowed = splits_of(name)
    if split not in allowed:
        raise ValueError(unknown(f"{name} split", split, allowed))
    return name, split


def splits_of(name: str) -> list[str]:
    """The splits of the named source `"gsm8k"` or `"mini"`."""
    if name == "gsm8k":
        return list(GSM8K_SPLITS)
    from noise import mini

    return list(mini.SPLITS)


def _from_file(path: Path) -> list[Problem]:
    problems, seen = [], dict[str, str]()
    for number, fields in read_json_lines(path):
        place = f"{path}, line {number}"
        problems.append(problem_from(fields, line_id(path.stem, number), place))
        refuse_same_id(seen, problems[-1].id, place)
    return problems


def _from_hub(split: str) -> list[Problem]:
    place = f"{HUB_NAME}, split {split}"
    try:
        import datasets  # slow to import, and only needed here

        rows = list(datasets.load_dataset(HUB_NAME, HUB_CONFIG, split=split))
    except Exception as error:  # what is raised offline differs between versions of three packages
        reason = str(error).strip().partition("\n")[0]
        raise ConnectionError(
            f"could not load {place}, from the hub ({type(error).__name__}: {reason}); "
            f"with a copy on disk, name that .jsonl file instead"
        ) from error
    if not rows:
        raise ConnectionError(f"could not load {place}, from the hub: expected problems, got none")
    return [
        problem_from(row, line_id(f"gsm8k_{split}", number), f"{place}, row {number}")
        for number, row in enumerate(rows, start=1)
    ]


def _embedded(split: str) -> list[Problem]:
    from noise import mini

    return mini.problems(split)


SOURCES: dict[str, Callable[[str], list[Problem]]] = {"gsm8k": _from_hub, "mini": _embedded}


def download_gsm8k(folder: str | Path = "data") -> dict[str, Path]:
    """Writes both splits of GSM8K to `folder`, as `gsm8k_test.jsonl` and `gsm8k_train.jsonl`; returns path by split.

    Raises `ConnectionError` where the hub gives no data, `ValueError` for data that is not GSM8K's. Both splits are
    read and checked before the first file is opened, so a failure leaves nothing behind.
    """
    problems = {split: _from_hub(split) for split in GSM8K_SPLITS}
    paths = {split: Path(folder) / f"gsm8k_{split}.jsonl" for split in GSM8K_SPLITS}
    with ExitStack() as files:
        for split, path in paths.items():
            file = files.enter_context(whole_file(path))
            for problem in problems[split]:
                write_line(file, {"question": problem.question, "answer": problem.answer})
    return paths
