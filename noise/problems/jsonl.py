"""Problems on disk: JSON, one object a line, read strictly and written whole or not at all."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from noise.problems.problem import Problem


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a `.jsonl` file with their line numbers, from 1. Blank lines may only stand at the end.

    Raises `ValueError` with file and line number where a line is no JSON object, and for a file without any;
    `FileNotFoundError` names the nearest file there is.
    """
    if not path.is_file():
        raise FileNotFoundError(_missing(path))
    blank, number = 0, 0
    with path.open("rb") as file:  # bytes, since only \n ends a line of JSON: text may hold other line separators
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw.strip():
                blank = blank or number
                continue
            if blank:
                raise ValueError(f"{path}, line {blank}: expected a JSON object, got a blank line before the end")
            yield number, _object(raw, f"{path}, line {number}")
    if number == 0 or blank == 1:
        raise ValueError(f"{path}: expected one JSON object a line, got an empty file")


def text_field(fields: Mapping[str, Any], name: str, place: str) -> str:
    """The non-empty text `fields[name]`. Raises `ValueError`, naming the `place`, for anything else."""
    if name not in fields:
        near = difflib.get_close_matches(name, map(str, fields), n=1)
        hint = f"; it has {near[0]!r}" if near else ""
        raise ValueError(f"{place}: expected a text {name!r}, got no such field{hint}")
    value = fields[name]
    if not isinstance(value, str):
        raise ValueError(f"{place}: expected {name!r} to be a text, got {type(value).__name__} {value!r:.60}")
    if not value.strip():
        raise ValueError(f"{place}: expected {name!r} to hold text, got {value!r:.60}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{place}: expected {name!r} to be valid Unicode, got half a surrogate pair ({error})"
        ) from None
    return value


def problem_from(fields: Mapping[str, Any], default_id: str, place: str, question: str = "question") -> Problem:
    """The problem in one line's `fields`; `question` names the field that holds its text. Raises `ValueError`."""
    id_ = fields.get("id", default_id)
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)
    original = fields.get("original_question")
    problem = Problem(
        text_field({"id": id_}, "id", place),
        text_field(fields, question, place),
        text_field(fields, "answer", place),
        original if isinstance(original, str) and question != "original_question" else None,
    )
    try:
        problem.target  # noqa: B018  # read now, so that a bad line stops the load and not the run
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    return problem


def refuse_same_id(seen: dict[str, str], id_: str, place: str) -> None:
    """Notes in `seen` that `id_` stands at `place`. Raises `ValueError` where it already stands elsewhere."""
    if id_ in seen:
        raise ValueError(f"{place}: expected an id of its own, got {id_!r}, which {seen[id_]} has too")
    seen[id_] = place


def line_id(stem: str, number: int) -> str:
    """The id of a line without one: `mine-00017`."""
    return f"{stem}-{number:05d}"


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file to write to that becomes `path` when the block ends, and is gone where the block fails.

    The text goes to a hidden file in the same folder, reaches the disk, and takes the place of `path` in one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_line(file: TextIO, fields: Mapping[str, Any]) -> None:
    """Writes `fields` as one line of JSON, with every letter as it is."""
    file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def unknown(kind: str, got: str, known: Iterable[str], allowed: Iterable[str] | None = None) -> str:
    """One sentence for a name that is not among the `known`: the nearest match, and what is allowed."""
    known = list(known)
    nearest = difflib.get_close_matches(got.lower(), known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"unknown {kind} {got!r}.{hint} Known: {', '.join(allowed or known)}."


def _object(raw: bytes, place: str) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"{place}: expected UTF-8 text, got byte 0x{raw[error.start]:02x} at {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: expected a JSON object, got text that is not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise ValueError(f"{place}: expected a JSON object, got JSON that cannot be read ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{place}: expected a JSON object, got {type(value).__name__} {value!r:.60}")
    return value


def _missing(path: Path) -> str:
    if path.is_dir():
        return f"expected a .jsonl file, got the folder {str(path)!r}"
    there = [file.name for file in path.parent.glob("*.jsonl")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, there, n=1)
    return f"no file {str(path)!r}" + (f": did you mean {str(path.parent / near[0])!r}?" if near else "")
