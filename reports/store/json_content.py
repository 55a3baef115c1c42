"""JSON of files that others may have changed: whatever is wrong with it is a `ValueError`, and reading it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def parsed_json(content: bytes | str, unique_keys: bool = False) -> Any:
    """Return the value of a JSON text. Raises `ValueError`, for brackets that are nested too deep too.

    Of a key that stands twice in an object the last value counts; with `unique_keys` that is an error.
    """
    try:
        return json.loads(content, object_pairs_hook=_with_unique_keys if unique_keys else None)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r:.60} stands there twice")
    return values


def regular_content(path: Path) -> bytes:
    """Return the bytes of a file; none for a pipe, a device or a folder, as reading one may never end. Raises
    `OSError`, for a missing file too."""
    return b"" if path.exists() and not path.is_file() else path.read_bytes()
