"""The results folders that are merged, as far as a merge needs to know them: their cells, lines and runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.store.atomic_io import ResultsDamaged, display_path, explaining_os_errors
from reports.store.records import Cell, Prediction, Settings
from reports.store.results_folder import Results
from reports.store.run_json import read_runs

_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


class MergeRefused(ValueError):
    """Folders cannot be merged as asked. The message is one sentence; nothing was written."""


@dataclass(frozen=True)
class CellLines:
    """Where the records of one cell are in one folder: `starts` has, by record id, the byte at which the newest line
    begins. `gradings` are the versions of the code that graded its predictions."""

    path: Path
    settings: Settings
    starts: Mapping[str, int]
    gradings: frozenset[str]


@dataclass(frozen=True)
class MergeInput:
    """A folder to merge: its cells, and its runs as `run.json` has them, oldest first."""

    name: str
    results: Results
    cells: Mapping[Cell, CellLines]
    runs: Sequence[Mapping[str, Any]]

    @property
    def shards(self) -> set[tuple[int, int]]:
        """The shards of its runs, each as number and count; empty if none was divided."""
        matches = (_SHARD.fullmatch(str(options_of(run).get("shard"))) for run in self.runs)
        return {(int(match[1]), int(match[2])) for match in matches if match is not None}

    def newest_run(self, cell: Cell) -> Mapping[str, Any]:
        """Return the newest run that worked on a cell; empty if no run did."""
        return next((run for run in reversed(self.runs) if cell_of_run(run, cell) is not None), {})

    def unfinished_cell(self) -> str | None:
        """Return the id of a cell that the last run of it did not finish, or "" if the last run was interrupted between
        two cells; None if there is neither."""
        for cell in self.cells:
            entry = cell_of_run(self.newest_run(cell), cell)
            if entry is not None and sum(entry.get("outcomes", {}).values()) < entry.get("asked", 0):
                return cell.id
        is_interrupted = bool(self.runs) and self.runs[-1].get("status") == "interrupted"
        return "" if is_interrupted else None


def options_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of a run, by name; empty if it has none."""
    options = run.get("options")
    return options if isinstance(options, dict) else {}


def cell_of_run(run: Mapping[str, Any], cell: Cell) -> Mapping[str, Any] | None:
    """Return what a run noted about a cell; None if it did not work on it."""
    names = {"model": cell.model, "noise": cell.noise, "stage": cell.stage}
    entries = (entry for entry in run.get("cells", []) if isinstance(entry, dict))
    return next((entry for entry in entries if names.items() <= entry.items()), None)


def read_input(folder: Path) -> MergeInput:
    """Return a folder as a merge needs it. Its records are read cell by cell, checked, and not kept.

    Raises `MergeRefused` for a folder that is no results folder, or has stages that are not registered;
    `ResultsDamaged`, for a damaged `run.json` too; `ResultsFolderError`.
    """
    name, results = display_path(folder), Results(folder)
    with explaining_os_errors(folder, "read"):
        is_folder = folder.is_dir()
    if not is_folder:
        raise MergeRefused(f"{name} is not a results folder: expected the folder of a benchmark run, got none")
    unregistered = results.unregistered_stages()
    if unregistered:
        raise MergeRefused(
            f"{name} has readings of {', '.join(map(repr, unregistered))}, which no module registers here; name the"
            " module with --register MODULE"
        )
    runs = read_runs(folder / "run.json")
    if runs is None:
        raise ResultsDamaged(f"{display_path(folder / 'run.json')} was changed after it was written, or is cut short")
    cells = {cell: _cell_lines(results, cell) for cell in sorted(results.cells(), key=str)}
    if not cells:
        raise MergeRefused(f"{name} is not a results folder: expected records in predictions/ or readings/, got none")
    return MergeInput(name, results, cells, runs)


def _cell_lines(results: Results, cell: Cell) -> CellLines:
    stored, path = results.load_cell(cell), results.path(cell)
    assert stored is not None, f"{cell.id} has a whole line"
    gradings = {record.grading for record in stored.records.values() if isinstance(record, Prediction)}
    return CellLines(path, results.settings(stored.settings_hash), stored.starts, frozenset(gradings))
