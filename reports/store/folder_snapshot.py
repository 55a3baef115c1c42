"""A results folder as it was when each of its files was first read, in memory that does not grow with the texts."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reports.stages import kind_of
from reports.store.atomic_io import ResultsDamaged, display_path, explaining_os_errors
from reports.store.record_codec import decode_record
from reports.store.records import Cell, Record
from reports.store.results_folder import Results, StoredCell

T = TypeVar("T")
#: Records are kept of files of so many bytes in all, and read again of the others.
KEPT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class CellIndex:
    """What is kept of every cell: its record ids, and the byte at which the newest line of each begins."""

    settings_hash: str
    ids: tuple[str, ...]
    starts: Sequence[int]


class Snapshot(Results):
    """A results folder that is seen as each file was when it was first read: lines that are appended later are not.

    What a caller makes of a cell's records (`made`) and its index are kept. The records of small folders are kept too;
    those of large ones are read again where they are asked for. All raise `ResultsDamaged`, also for a file that was
    changed after it was first read.
    """

    def __init__(self, results: Results) -> None:
        super().__init__(results.folder)
        self._cells: list[Cell] | None = None
        self._sizes: dict[Cell, int] = {}
        self._indexes: dict[Cell, CellIndex | None] = {}
        self._made: dict[Hashable, Any] = {}
        self._kept: dict[Cell, StoredCell] = {}
        self._kept_bytes = 0

    @classmethod
    def of(cls, results: Results) -> Snapshot:
        """Return `results` itself if it is a snapshot, otherwise one of it."""
        return results if isinstance(results, Snapshot) else cls(results)

    def cells(self) -> list[Cell]:
        if self._cells is None:
            self._cells = super().cells()
        return self._cells

    def load_cell(self, cell: Cell) -> StoredCell | None:
        if cell in self._kept:
            return self._kept[cell]
        stored = super().load_cell(cell)
        index = None if stored is None else _index(stored)
        if self._indexes.setdefault(cell, index) != index:
            raise self._changed(cell)
        if stored is not None and self._kept_bytes + self._sizes[cell] <= KEPT_BYTES:
            self._kept[cell], self._kept_bytes = stored, self._kept_bytes + self._sizes[cell]
        return stored

    def index(self, cell: Cell) -> CellIndex | None:
        """Return the index of a cell; None if it has no records."""
        if cell not in self._indexes:
            self.load_cell(cell)
        return self._indexes[cell]

    def made(self, cell: Cell, make: Callable[[Results, StoredCell], T]) -> T | None:
        """Return what `make` makes of the records of a cell; None if it has none. It is called once for each cell, and
        must keep no record."""
        if (cell, make) not in self._made:
            stored = self.load_cell(cell)
            self._made[cell, make] = None if stored is None else make(self, stored)
        made: T | None = self._made[cell, make]
        return made

    def records_at(self, cell: Cell, positions: Iterable[int]) -> list[Record]:
        """Return the records of a cell at these positions of its index."""
        index = self.index(cell)
        if index is None:
            return []
        if cell in self._kept:
            records = self._kept[cell].records
            return [records[index.ids[position]] for position in positions]
        path, kind, expected = self.path(cell), kind_of(cell.stage), (cell, index.settings_hash)
        result: list[Record] = []
        with explaining_os_errors(path, "read"), path.open("rb") as file:
            for position in positions:
                file.seek(index.starts[position])
                try:
                    *keys, record = decode_record(file.readline(), where=display_path(path), kind=kind)
                except ResultsDamaged as error:
                    raise self._changed(cell) from error
                if (*keys, record.id) != (*expected, index.ids[position]):
                    raise self._changed(cell)
                result.append(record)
        return result

    def _content(self, cell: Cell) -> bytes:
        content = super()._content(cell)
        size = self._sizes.setdefault(cell, len(content))
        if len(content) < size:
            raise self._changed(cell)
        return content[:size]

    def _changed(self, cell: Cell) -> ResultsDamaged:
        return ResultsDamaged(
            f"{display_path(self.path(cell))} was changed while it was read; run the same command again"
        )


def _index(stored: StoredCell) -> CellIndex:
    """Return the index of a cell. Cells share their ids, which are most of it."""
    ids = tuple(map(sys.intern, stored.records))
    return CellIndex(stored.settings_hash, ids, array("q", (stored.starts[id] for id in ids)))
