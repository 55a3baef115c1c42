"""The sources of problems: a `.jsonl` file in GSM8K's form, GSM8K on the hub, or the embedded mini problems."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from noise.problems.bad_lines import BadLine, digest_of
from noise.problems.jsonl import (
    TwoGoldsError,
    atomic_file,
    check_one_gold,
    check_unique_id,
    json_object,
    line_id,
    problem_from,
    write_line,
)
from noise.problems.problem import Problem, normalised
from noise.problems.remote_files import is_url, local_copy
from noise.problems.text_files import raw_lines
from noise.unknown_name import unknown_name

HUB_NAME, HUB_CONFIG = "openai/gsm8k", "main"
GSM8K_SPLITS = ("test", "train")


def load_problems(
    source: str | Path, split: str | None = None, bad_lines: list[BadLine] | None = None
) -> list[Problem]:
    """Return the problems of `source`, in order, each with a valid target.

    `source` is the path or URL of a `.jsonl` file, `"gsm8k"` (the hub's `openai/gsm8k`) or `"mini"` (embedded). A URL,
    such as `"s3://bucket/mine.jsonl"`, is fetched whole and read as the file `mine.jsonl` is. The split is
    given by `split` or after a colon, `"gsm8k:train"`; the default is `test`. Lines of a file are objects with
    `question` and `answer`; an `id` is kept, and a line without one is named after the file's stem and the line number:
    `mine-00017`. Problems from the hub have the ids that they have in the files of `download_gsm8k`. In a file of noisy
    problems, the noisy question is the question.

    Bad lines of a file are left out and appended to `bad_lines`, if that is a list. Of two lines with one id the first
    is a problem. Of a question with two gold answers no line is, as nobody knows which answer is wrong. A file that is
    no text, or without any good line, is an error all the same.

    Raises `ValueError` for an unknown source or split and for a bad line (`file:line: expected …`),
    `FileNotFoundError` for a missing file, `RemoteFileError` for a URL that cannot be read, `ConnectionError` where the
    hub gives no data.
    """
    if is_file_source(source):
        if split is not None:
            raise ValueError(f"expected no split with the file {str(source)!r}, got {split!r}: a file is one split")
        with local_copy(source) as path:
            return _from_file(path, str(source), bad_lines)
    name, split = split_source(str(source), split)
    return SOURCES[name](split)


def is_file_source(source: str | Path) -> bool:
    """Return whether `source` names a file: a `Path`, a URL, or a text that ends in `.jsonl`."""
    return isinstance(source, Path) or is_url(source) or source.endswith(".jsonl")


def split_source(source: str, split: str | None = None) -> tuple[str, str]:
    """Return `("gsm8k", "train")` for `"gsm8k:train"`, `("gsm8k", "test")` for `"gsm8k"`. Raises `ValueError`."""
    name, colon, named_split = source.partition(":")
    if name not in SOURCES:
        allowed = [*SOURCES, "a path that ends in .jsonl", "a URL"]
        raise ValueError(unknown_name("source of problems", source, SOURCES, allowed))
    if colon and split is not None and split != named_split:
        raise ValueError(f"expected one split, got {named_split!r} in {source!r} and split={split!r}")
    split = named_split if colon else split or "test"
    allowed = splits_of(name)
    if split not in allowed:
        raise ValueError(unknown_name(f"{name} split", split, allowed))
    return name, split


def splits_of(name: str) -> list[str]:
    """Return the splits of the named source, `"gsm8k"` or `"mini"`."""
    if name == "gsm8k":
        return list(GSM8K_SPLITS)
    from noise import mini

    return list(mini.SPLITS)


def _from_file(path: Path, name: str, bad_lines: list[BadLine] | None) -> list[Problem]:
    """Return the problems of the file at `path`, which messages call `name`."""
    problems, seen, golds = dict[int, Problem](), dict[str, str](), dict[str, tuple[Problem, str]]()
    raw_by_number, reasons, disputed = dict[int, bytes](), dict[int, str](), dict[str, str]()
    for number, raw in raw_lines(path):
        location = f"{name}:{number}"
        try:
            problem = problem_from(json_object(raw, location), line_id(path.stem, number), location)
            check_one_gold(golds, problem, location)
            check_unique_id(seen, problem.id, location)
            problems[number] = problem
        except ValueError as error:
            if bad_lines is None:
                raise
            reasons[number] = str(error)
            if isinstance(error, TwoGoldsError):
                disputed.setdefault(normalised(problem.question), location)
        if bad_lines is not None:
            raw_by_number[number] = raw
    if bad_lines is None:
        return list(problems.values())
    for number, problem in problems.items():  # nobody knows which of two golds is wrong, so both are left out
        where = disputed.get(normalised(problem.question))
        if where is not None:
            message = f"{name}:{number}: expected one gold answer per question, got another one in {where}"
            reasons.setdefault(number, message)
    if len(reasons) == len(raw_by_number):
        raise ValueError(
            f"{name}: expected at least one line that is a problem, got {len(reasons):,} bad ones;"
            f" {reasons[min(reasons)]}"
        )
    bad_lines += [BadLine(number, reasons[number], digest_of(raw_by_number[number])) for number in sorted(reasons)]
    return [problem for number, problem in problems.items() if number not in reasons]


def _from_hub(split: str) -> list[Problem]:
    location = f"{HUB_NAME}, split {split}"
    try:
        import datasets  # slow to import, and only needed here

        rows = list(datasets.load_dataset(HUB_NAME, HUB_CONFIG, split=split))
    except Exception as error:  # what is raised offline depends on the versions of three packages
        reason = str(error).strip().partition("\n")[0]
        raise ConnectionError(
            f"could not load {location}, from the hub ({type(error).__name__}: {reason}); "
            f"name a .jsonl file if there is a copy on disk"
        ) from error
    if not rows:
        raise ConnectionError(f"could not load {location}, from the hub: expected problems, got none")
    return [
        problem_from(row, line_id(f"gsm8k_{split}", number), f"{location}, row {number}")
        for number, row in enumerate(rows, start=1)
    ]


def _from_mini(split: str) -> list[Problem]:
    from noise import mini

    return mini.problems(split)


SOURCES: dict[str, Callable[[str], list[Problem]]] = {"gsm8k": _from_hub, "mini": _from_mini}


def download_gsm8k(folder: str | Path = "data") -> dict[str, Path]:
    """Write both splits of GSM8K to `folder`, as `gsm8k_test.jsonl` and `gsm8k_train.jsonl`; return path by split.

    Raises `ConnectionError` where the hub gives no data, `ValueError` for data that is not GSM8K's. Both splits are
    read and checked before the first file is opened, so a failure leaves no file.
    """
    problems = {split: _from_hub(split) for split in GSM8K_SPLITS}
    paths = {split: Path(folder) / f"gsm8k_{split}.jsonl" for split in GSM8K_SPLITS}
    with ExitStack() as files:
        for split, path in paths.items():
            file = files.enter_context(atomic_file(path))
            for problem in problems[split]:
                write_line(file, {"question": problem.question, "answer": problem.answer})
    return paths
