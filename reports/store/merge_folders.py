"""Merge results folders, such as those of the shards of a run, into a new one that a run could have left."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reports.store.atomic_io import ResultsFolderError, display_path, explaining_os_errors
from reports.store.folder_lock import ResultsInUse
from reports.store.merge_checks import check_mergeable
from reports.store.merge_inputs import CellLines, MergeInput, MergeRefused, read_input
from reports.store.merge_maps_and_checkpoints import attachments, copy_attachment
from reports.store.record_codec import has_check, signed
from reports.store.record_settings_files import write_settings
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.store.run_json import write_runs


@dataclass(frozen=True)
class Merged:
    """A merged folder: how many cells and records it has, and `notes` about what it lacks, a sentence each."""

    folder: Path
    cells: int
    records: int
    notes: list[str]


def merge_folders(folders: Sequence[Path], out: Path, partial: bool = False) -> Merged:
    """Merge `folders` into the folder `out`, which is written whole or not at all. Reports are not written.

    Each cell has the newest record of each id, in the order of the ids. `run.json` has every run of every folder, each
    with the name of its folder as `merged_from`. Records are copied line by line, and none is kept in memory.

    Raises `MergeRefused`, before anything is written, for a folder that is named twice or is no results folder, for
    `out` that has something in it, and for folders that do not fit together (`check_mergeable`, `attachments`);
    `ResultsInUse` for a folder that a run writes to; `ResultsDamaged` and `ResultsFolderError` for files that are
    damaged, or cannot be read or written.
    """
    _check_named_once(folders)
    _check_free(out)
    with ExitStack() as locks:
        for folder in folders:
            locks.enter_context(_unused(folder))
        inputs = [read_input(folder) for folder in folders]
        notes = check_mergeable(inputs, partial)
        copies = attachments(inputs)
        temporary = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}")
        try:
            records = _write_records(inputs, Results(temporary))
            for relative, source in copies.items():
                copy_attachment(source, temporary / relative)
            runs = [
                {**run, "merged_from": run.get("merged_from", folder.name)} for folder in inputs for run in folder.runs
            ]
            write_runs(temporary / "run.json", sorted(runs, key=lambda run: str(run.get("started", ""))))
            _publish(temporary, out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return Merged(out, len({cell for folder in inputs for cell in folder.cells}), records, notes)


def _check_named_once(folders: Sequence[Path]) -> None:
    known: dict[Path, Path] = {}
    for folder in folders:
        with explaining_os_errors(folder, "read"):
            resolved = folder.resolve()
        if resolved in known:
            other_name = "" if known[resolved] == folder else f", once as {display_path(known[resolved])}"
            raise MergeRefused(f"{display_path(folder)} is named twice{other_name}")
        known[resolved] = folder


def _check_free(out: Path) -> None:
    with explaining_os_errors(out, "read"):
        if os.path.lexists(out) and not out.is_dir():
            raise MergeRefused(f"--out {display_path(out)} is a file: expected a new or an empty folder")
        if out.is_dir() and any(out.iterdir()):
            raise MergeRefused(f"--out {display_path(out)} exists and is not empty; name another folder")


@contextmanager
def _unused(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder, so that no run writes to it. One that cannot be written to needs no lock."""
    lock = Results(folder).lock
    try:
        lock.acquire()
    except ResultsInUse:
        raise
    except ResultsFolderError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _write_records(inputs: Sequence[MergeInput], target: Results) -> int:
    """Write the records of all cells, and return their number."""
    count = 0
    for cell in sorted({cell for folder in inputs for cell in folder.cells}, key=str):
        parts = [folder.cells[cell] for folder in inputs if cell in folder.cells]
        path = target.path(cell)
        write_settings(path.parents[2], parts[0].settings)
        with explaining_os_errors(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                for line in _lines_by_id(cell, parts):
                    file.write(line)
                    count += 1
                file.flush()
                os.fsync(file.fileno())
    return count


def _lines_by_id(cell: Cell, parts: Sequence[CellLines]) -> Iterator[bytes]:
    """Yield the newest line of each id, in the order of the ids. Lines of older versions get the checksum they lack."""
    order = sorted((id, number, start) for number, part in enumerate(parts) for id, start in part.starts.items())
    with ExitStack() as files:
        sources = [files.enter_context(part.path.open("rb")) for part in parts]
        for id, number, start in order:
            sources[number].seek(start)
            line = sources[number].readline()
            if not line.endswith(b"\n"):
                raise OSError(f"{display_path(parts[number].path)}: {cell.id}, {id} was changed during the merge")
            yield line if has_check(line[:-1]) else signed(line[:-1]) + b"\n"


def _publish(temporary: Path, out: Path) -> None:
    with explaining_os_errors(out, "write"):
        with suppress(FileNotFoundError):
            out.rmdir()  # it is empty
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(out)
