"""Problems on disk as JSON Lines: read strictly, written atomically."""

from __future__ import annotations

import difflib
import filecmp
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from noise.problems.problem import Problem, normalised
from noise.problems.text_files import raw_lines

#: Ids stand in messages, tables and the names of figures.
LONGEST_ID = 1_000


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line numbers (from 1) and objects of a `.jsonl` file. Blank lines are allowed at the end only.

    Raises `ValueError` with file and line number for a line that is not a JSON object, and what `raw_lines` raises.
    """
    for number, raw in raw_lines(path):
        yield number, json_object(raw, f"{path}:{number}")


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
    name = text_field({"id": id_}, "id", location)
    if len(name) > LONGEST_ID:
        raise ValueError(f"{location}: expected an 'id' of at most {LONGEST_ID:,} characters, got {len(name):,}")
    original = fields.get("original_question")
    if isinstance(original, str) and original.strip():
        text_field(fields, "original_question", location)
    problem = Problem(
        name,
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
        raise ValueError(f"{location}: expected a unique id, got {id_!r:.60}, which {seen[id_]} has too")
    seen[id_] = location


class TwoGoldsError(ValueError):
    """A question has another gold answer than on an earlier line. One of the two is wrong, and nobody knows which."""


def check_one_gold(seen: dict[str, tuple[Problem, str]], problem: Problem, location: str) -> None:
    """Record in `seen` the problem of a question, by its text. Raises `TwoGoldsError` where an earlier line has the
    same question with another gold answer."""
    earlier, where = seen.setdefault(normalised(problem.question), (problem, location))
    if earlier.target != problem.target:
        raise TwoGoldsError(
            f"{location}: expected one gold answer per question, got {problem.target} for that of {where}, which has"
            f" {earlier.target}"
        )


def line_id(stem: str, number: int) -> str:
    """Return the id of a line without one: `mine-00017`."""
    return f"{stem}-{number:05d}"


class FileDiffersError(OSError):
    """A file that may not be replaced is there already, and is not what would be written."""


@contextmanager
def atomic_file(path: Path, overwrite: bool = True) -> Iterator[TextIO]:
    """Write a text file atomically: it becomes `path` when the block ends, and is removed if the block fails.

    The text goes to a hidden file in the same folder, which is synced to disk and then replaces `path`. Without
    `overwrite`, a file of the same bytes is left as it is, and anything else that is there raises `FileDiffersError`.
    Raises `OSError`, in a sentence that begins with its name, for a folder that cannot be made.
    """
    _make_folder(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite or not os.path.lexists(path):
            part.replace(path)
        elif not (path.is_file() and filecmp.cmp(part, path, shallow=False)):
            raise FileDiffersError(f"{path}: something else is there already")
    finally:
        part.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        raise NotADirectoryError(f"{existing}: expected a folder to write to, got a file") from None
    except OSError as error:
        raise type(error)(f"{str(folder)[:200]}: cannot make this folder: {error.strerror or error}") from None
    except ValueError:
        raise ValueError(f"{str(folder)[:60]!r}: expected the name of a folder, got a NUL character in it") from None


def write_line(file: TextIO, fields: Mapping[str, Any]) -> None:
    """Write `fields` as one line of JSON, non-ASCII characters unescaped."""
    file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def json_object(raw: bytes, location: str) -> dict[str, Any]:
    """Return the object of a line. Raises `ValueError`, naming the `location`, for anything else."""
    if not raw.strip():
        raise ValueError(f"{location}: expected a JSON object, got a blank line before the end")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique_keys)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{location}: expected UTF-8 text, got byte 0x{raw[error.start]:02x} at {error.start}"
        ) from None
    except DuplicateKeyError as error:
        raise ValueError(f"{location}: expected each key once, got {error.args[0]!r:.60} twice") from None
    except json.JSONDecodeError as error:
        excerpt = error.doc[max(0, error.pos - 20) : error.pos + 20].strip()
        raise ValueError(
            f"{location}: expected a JSON object, got text that is not JSON ({error.msg}, character {error.pos + 1},"
            f" in {excerpt!r})"
        ) from None
    except RecursionError:
        raise ValueError(f"{location}: expected a JSON object, got JSON that is nested too deep") from None
    except ValueError:  # Python's limit
        digits = f"{sys.get_int_max_str_digits():,}"
        raise ValueError(f"{location}: expected a JSON object, got a number of more than {digits} digits") from None
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
