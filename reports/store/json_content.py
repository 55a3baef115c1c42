"""JSON of files that others may have changed: whatever is wrong with it is a `ValueError`, and reading it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def parsed_json(content: bytes | str) -> Any:
    """Return the value of a JSON text. Raises `ValueError`, for brackets that are nested too deep too."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deep") from None


def regular_content(path: Path) -> bytes:
    """Return the bytes of a file; none for a pipe, a device or a folder, as reading one may never end. Raises
    `OSError`, for a missing file too."""
    return b"" if path.exists() and not path.is_file() else path.read_bytes()
