"""Tables as CSV: tidy, the same bytes for the same rows, and inert in a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.store.atomic_io import write_atomically

if TYPE_CHECKING:
    import pandas

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(table: pandas.DataFrame, path: Path) -> None:
    """Write `table` to `path` as a whole. Numbers have six significant digits.

    Text that a spreadsheet would run as a formula begins with an apostrophe, which it hides. Raises
    `ResultsFolderError`.
    """
    content = table.map(_inert).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(path, content.encode("utf-8", "backslashreplace"))


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
