"""Whether the reports of a folder are those of its records: a stamp, so that a run that makes nothing draws nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from reports.store.atomic_io import explaining_os_errors, write_atomically
from reports.store.cell_files import files_below
from reports.store.json_content import parsed_json
from reports.store.stage_and_file_names import CHECKPOINTS_FOLDER, MAPS_FOLDER, TRAINING_LOG

_NAME = ".reports.json"
_CODE = (".py", ".jinja", ".css", ".js")


def stamp(folder: Path, reports: Sequence[Path]) -> None:
    """Note that `reports` are those of the records in `folder`. Raises `ResultsFolderError`."""
    content = {"made_from": _made_from(folder), "reports": _states(folder, reports)}
    write_atomically(folder / _NAME, json.dumps(content, indent=2).encode())


def stamped_reports(folder: Path) -> list[Path] | None:
    """Return the reports of `folder`; None if it has none, or if records, code or a report changed after `stamp`."""
    try:
        content = parsed_json((folder / _NAME).read_bytes())
        reports = [folder / name for name in content["reports"]]
        current = content == {"made_from": _made_from(folder), "reports": _states(folder, reports)}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return reports if current and reports else None


def _made_from(folder: Path) -> str:
    """Return a hash of the records' and maps' names, sizes and times, and of the code that makes reports."""
    sources = [path for name in ("predictions", "readings", MAPS_FOLDER) for path in files_below(folder / name)]
    sources = [path for path in sources if path.suffix in (".jsonl", ".json", ".npz")]
    sources += sorted((folder / CHECKPOINTS_FOLDER).glob(f"*/{TRAINING_LOG}"))
    digest = hashlib.sha256(json.dumps(_states(folder, sources)).encode())
    package = Path(__file__).parents[1]
    for path in sorted(path for path in package.rglob("*") if path.suffix in _CODE):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _states(folder: Path, paths: Iterable[Path]) -> dict[str, list[int]]:
    """Return the size and the time of change of each file, and of the files in a folder of reports."""
    states = {}
    for path in paths:
        with explaining_os_errors(path, "read"):
            files = [path] if path.is_file() else list(files_below(path))
            states[path.relative_to(folder).as_posix()] = [
                number for file in files for number in (file.stat().st_size, file.stat().st_mtime_ns)
            ]
    return states
