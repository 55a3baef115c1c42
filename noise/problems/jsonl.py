"""Problems on disk as JSON Lines: read strictly, written atomically."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from noise.problems.problem import Problem, normalised


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line numbers (from 1) and objects of a `.jsonl` file. Blank lines are allowed at the end only.

    Raises `ValueError` with file and line number for a line that is not a JSON object, and for an empty file;
    `FileNotFoundError`, with the nearest file name, for a missing file.
    """
    if not path.is_file():
        raise FileNotFoundError(_missing_file(path))
    first_blank, number = 0, 0
    with path.open("rb") as file:  # bytes, as only \n ends a line: JSON text may hold other line separators
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw.strip():
                first_blank = first_blank or number
                continue
            if first_blank:
                raise ValueError(f"{path}, line {first_blank}: expected a JSON object, got a blank line before the end")
            yield number, _json_object(raw, f"{path}, line {number}")
    if number == 0 or first_blank == 1:
        raise ValueError(f"{path}: expected one JSON object a line, got an empty file")


def text_field(fields: Mapping[str, Any], name: str, location: str) -> str:
    """Return the non-empty text `fields[name]`. Raises `ValueError`, naming the `location`, for anything else."""
    if name not in fields:
        near = difflib.get_close_matches(name, map(str, fields), n=1)
        hint = f"; it has {near[0]!r}" if near else ""
        raise ValueError(f"{location}: expected a string field {name!r}, got no such field{hint}")
    value = fields[name]
    if not isinstance(value, str):
        raise ValueError(f"{location}: expected {name!r} to be a string, got {type(value).__name__} {value!r:.60}")
    if not value.strip():
        raise ValueError(f"{location}: expected {name!r} not to be blank, got {value!r:.60}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{location}: expected {name!r} to be valid Unicode, got a lone surrogate ({error})") from None
    return value


def problem_from(fields: Mapping[str, Any], default_id: str, location: str, question: str = "question") -> Problem:
    """Return the problem in the `fields` of a line. `question` names the field of its text. Raises `ValueError`."""
    id_ = fields.get("id", default_id)
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)
    original = fields.get("original_question")
    problem = Problem(
        text_field({"id": id_}, "id", location),
        text_field(fields, question, location),
        text_field(fields, "answer", location),
        original if isinstance(original, str) and question != "original_question" else None,
    )
    try:
        problem.target  # noqa: B018  # read now, so that a bad line stops the load, not the run
    except ValueError as error:
        raise ValueError(f"{location}: {error}") from None
    return problem


def check_unique_id(seen: dict[str, str], id_: str, location: str) -> None:
    """Record in `seen` the location of `id_`. Raises `ValueError` for an id that was seen before."""
    if id_ in seen:
        raise ValueError(f"{location}: expected a unique id, got {id_!r}, which {seen[id_]} has too")
    seen[id_] = location


def check_one_gold(seen: dict[str, tuple[Problem, str]], problem: Problem, location: str) -> None:
    """Record in `seen` the problem of a question, by its text. Raises `ValueError` where an earlier line has the same
    question with another gold answer."""
    earlier, where = seen.setdefault(normalised(problem.question), (problem, location))
    if earlier.target != problem.target:
        raise ValueError(
            f"{location}: expected one gold answer per question, got {problem.target} for that of {where}, which has"
            f" {earlier.target}"
        )


def line_id(stem: str, number: int) -> str:
    """Return the id of a line without one: `mine-00017`."""
    return f"{stem}-{number:05d}"


@contextmanager
def atomic_file(path: Path) -> Iterator[TextIO]:
    """Write a text file atomically: it becomes `path` when the block ends, and is removed if the block fails.

    The text goes to a hidden file in the same folder, which is synced to disk and then replaces `path`.
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
    """Write `fields` as one line of JSON, non-ASCII characters unescaped."""
    file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def _json_object(raw: bytes, location: str) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique_keys)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{location}: expected UTF-8 text, got byte 0x{raw[error.start]:02x} at {error.start}"
        ) from None
    except DuplicateKeyError as error:
        raise ValueError(f"{location}: expected each key once, got {error.args[0]!r} twice") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{location}: expected a JSON object, got text that is not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise ValueError(f"{location}: expected a JSON object, got JSON that cannot be read ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{location}: expected a JSON object, got {type(value).__name__} {value!r:.60}")
    return value


class DuplicateKeyError(ValueError):
    """A JSON object has a key twice; its argument is the key. JSON itself would keep the last value."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DuplicateKeyError(next(key for key in keys if keys.count(key) > 1))
    return fields


def _missing_file(path: Path) -> str:
    if path.is_dir():
        return f"expected a .jsonl file, got the folder {str(path)!r}"
    siblings = [file.name for file in path.parent.glob("*.jsonl")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=1)
    return f"no file {str(path)!r}" + (f": did you mean {str(path.parent / near[0])!r}?" if near else "")
