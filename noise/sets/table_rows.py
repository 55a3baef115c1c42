"""The rows of a file of others: JSON lines, one JSON array, or a table with a header (`.csv`)."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noise.problems.jsonl import json_object
from noise.problems.text_files import check_regular_file, raw_lines

_LARGEST_FIELD = 2**24


@dataclass(frozen=True)
class Row:
    """A row of a file: its number, from 1, and its fields; None for what is no object.

    The number is that of the line, or that of the element or record where the file has no lines of its own.
    """

    number: int
    fields: Mapping[str, Any] | None


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file.

    A file named `.csv` is a table, one that opens with `[` a JSON array, and any other JSON lines. Raises
    `FileNotFoundError` for a missing file, `ValueError` for one that is none of the three, `OSError` for one that
    cannot be read.
    """
    check_regular_file(path)
    if path.suffix.lower() == ".csv":
        return _table(path)
    with path.open("rb") as file:
        beginning = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if beginning.startswith(b"["):
        return _array(path)
    return [Row(number, _object(raw)) for number, raw in raw_lines(path)]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits. Raises what `check_regular_file` raises."""
    check_regular_file(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        return json_object(raw, "")
    except ValueError:
        return None


def _array(path: Path) -> list[Row]:
    try:
        elements = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x}") from None
    except RecursionError:
        raise ValueError(f"{path}: expected a JSON array, got JSON that is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{path}: expected a JSON array, got text that is not JSON ({error})") from None
    if not elements:
        raise ValueError(f"{path}: expected a JSON array of objects, got an empty one")
    return [Row(number, element if isinstance(element, dict) else None) for number, element in enumerate(elements, 1)]


def _table(path: Path) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x}") from None
    csv.field_size_limit(_LARGEST_FIELD)
    try:
        records = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ValueError(
            f"{path}: expected a table of comma-separated values, got one that cannot be read ({error})"
        ) from None
    if not records:
        raise ValueError(f"{path}: expected a table with a header and records, got no record")
    return [
        Row(number, {key: value for key, value in record.items() if isinstance(key, str)})
        for number, record in enumerate(records, 1)
    ]
