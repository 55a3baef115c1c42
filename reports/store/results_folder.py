"""The results folder: predictions and readings on disk, one line of JSON per record, and the rules for resuming."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reports.stages import REPORTED_STAGES, base_stage, kind_of
from reports.store.atomic_io import (
    ResultsDamaged,
    display_path,
    explaining_os_errors,
    locked,
    truncate_partial_line,
)
from reports.store.cell_files import files_below, require_regular, whole_lines
from reports.store.file_names import file_name
from reports.store.folder_lock import FolderLock
from reports.store.json_content import regular_content
from reports.store.record_codec import (
    MEND,
    decode_keys,
    decode_record,
    decode_settings,
    encode_record,
    is_checked,
    settings_differences,
    settings_hash,
)
from reports.store.record_settings_files import read_settings, require_settings, write_settings
from reports.store.records import Cell, Record, Settings

#: What cannot be rebuilt without a model.
_RECORD_FOLDERS = ("predictions", "readings", "attention_maps", "checkpoints")


class ResultsMismatch(ValueError):
    """The records on disk were made under other settings than those of this run.

    `difference` says what differs; cells with the same difference are mended together.
    """

    def __init__(self, message: str, difference: str = "") -> None:
        super().__init__(message)
        self.difference = difference or message


class OtherTextsError(ResultsMismatch):
    """The records on disk were made with other texts of the same problems."""


@dataclass(frozen=True)
class StoredCell:
    """The stored records of one cell, in the order of their ids: the newest for each, errors included.

    `starts` has for each of them the byte at which its line begins in the cell's file.
    """

    cell: Cell
    settings_hash: str
    records: Mapping[str, Record]
    starts: Mapping[str, int]


class Results:
    """One results folder. Nothing is created before the first `append`.

    Records are in `predictions/<stage>/<model>/<noise>.jsonl`; those of stages that keep readings, such as `attention`
    and `likelihood`, in `readings/<stage>/<model>/<noise>.jsonl`. All records of a cell were made under one `Settings`.
    Lines are only appended: the newest line of an id counts. Each has a checksum. Several processes may write to one
    folder, also to one cell, under the same settings.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._checked: set[tuple[Cell, Settings]] = set()
        #: Held by the run that writes to the folder. Readers need no lock.
        self.lock = FolderLock(self.folder)

    @property
    def predictions_folder(self) -> Path:
        return self.folder / "predictions"

    @property
    def readings_folder(self) -> Path:
        return self.folder / "readings"

    @property
    def _record_folders(self) -> tuple[Path, Path]:
        return self.predictions_folder, self.readings_folder

    def path(self, cell: Cell) -> Path:
        """Return the path of the cell's file, which may not exist."""
        stage = self._top_folder(cell) / file_name(cell.stage)
        return stage / file_name(cell.model) / f"{file_name(cell.noise)}.jsonl"

    def read_for_resume(self, cell: Cell, settings: Settings, text_by_id: Mapping[str, str]) -> dict[str, Record]:
        """Return the records that a run can resume from: those on disk for `text_by_id`, in its order, without errors.

        `text_by_id` maps a record id to the `asked` text of the record. Raises `ResultsMismatch` if the cell's records
        were made under other settings, or if the cell is new and the folder is about other problems, or has the same
        model with other weights; `OtherTextsError`
        if a record of the cell was made with another text, or, where the cell is new, one of a cell that tables compare
        it with; `ResultsDamaged` for a damaged line; `ResultsFolderError` if a file cannot be read.
        """
        stored = self._load_checked(cell, settings)
        if stored is None:
            self._check_problems(settings)
            with suppress(ResultsDamaged):  # another cell, which the reports name at the end of the run
                self._check_compared_cells(cell, settings, text_by_id)
            return {}
        write_settings(self._top_folder(cell), settings)  # the hash is the same, but the file may be missing or damaged
        self._check_texts(cell, stored.records, text_by_id)
        records = ((id, stored.records.get(id)) for id in text_by_id)
        return {id: record for id, record in records if record is not None and record.outcome != "error"}

    def append(self, cell: Cell, settings: Settings, records: Iterable[Record]) -> None:
        """Append a batch to the cell's file. The disk has it when this returns.

        Raises `ResultsMismatch` if the file has records made under other settings, `ResultsFolderError` if it cannot be
        written.
        """
        lines = b"".join(encode_record(cell, settings, record) for record in records)
        if not lines:
            return
        if (cell, settings) not in self._checked:
            self._load_checked(cell, settings)
        write_settings(self._top_folder(cell), settings)
        path = self.path(cell)
        with explaining_os_errors(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file, locked(file):
                truncate_partial_line(path)
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())

    def load_cell(self, cell: Cell) -> StoredCell | None:
        """Return the stored records of a cell with their settings hash, unchecked; None if there are none.

        Raises `ResultsDamaged`.
        """
        name, kind = display_path(self.path(cell)), kind_of(cell.stage)
        lines = whole_lines(self._content(cell), name)
        records: dict[str, Record] = {}
        starts: dict[str, int] = {}
        first_lines: dict[str, int] = {}  # of each settings hash
        start = 0
        for number, line in enumerate(lines, start=1):
            line_cell, line_hash, record = decode_record(line, where=f"{name}, line {number}", kind=kind)
            if line_cell != cell:
                raise ResultsDamaged(f"{name}, line {number}: expected a line of {cell.id}, got one of {line_cell.id}")
            first_lines.setdefault(line_hash, number)
            records[record.id], starts[record.id] = record, start
            start += len(line) + 1
        checked = [is_checked(line) for line in lines]  # that it is the line's own has just been seen
        if not all(checked[checked.index(True) :] if any(checked) else ()):  # older lines come first
            number = checked.index(False, checked.index(True)) + 1
            raise ResultsDamaged(f"{name}, line {number}: its checksum is missing; {MEND}")
        if len(first_lines) > 1:
            number = list(first_lines.values())[1]
            raise ResultsDamaged(f"{name}, line {number}: expected the settings of line 1, got others")
        if not first_lines:
            return None
        # In the order of the ids: a sum of floats must not depend on which problem of a batch was answered first.
        return StoredCell(cell, next(iter(first_lines)), dict(sorted(records.items())), starts)

    def _content(self, cell: Cell) -> bytes:
        """Return the content of the cell's file, which is empty if there is no file."""
        path = self.path(cell)
        with explaining_os_errors(path, "read"):
            return require_regular(path).read_bytes() if os.path.lexists(path) else b""

    def newest_records(self, cell: Cell) -> dict[str, Record]:
        """Return the records of `load_cell` alone: the newest for each id, errors included; empty if there are none."""
        stored = self.load_cell(cell)
        return dict(stored.records) if stored else {}

    def cells(self) -> list[Cell]:
        """Return the cells that have at least one whole line on disk, in no particular order.

        Raises `ResultsDamaged` for a file that is not where the records of a cell are, such as a copy that a backup or
        a synchronisation left.
        """
        return [cell for cell, _ in self._first_lines()]

    def _first_lines(self) -> Iterator[tuple[Cell, str]]:
        """Yield each of these cells with the settings hash of its first line. Raises the same."""
        unregistered = self.unregistered_stages()
        for top_folder in self._record_folders:
            for path in files_below(top_folder):
                parts = path.relative_to(top_folder).parts
                if parts[0] in unregistered or path.suffix.lower() != ".jsonl":
                    continue
                if any(part.startswith(".") for part in parts):  # such as the file system's own notes
                    continue
                if len(parts) != 3 or path.suffix != ".jsonl":
                    raise ResultsDamaged(
                        f"{display_path(path)} is not where records are, which is <stage>/<model>/<noise>.jsonl;"
                        " move it out of the folder"
                    )
                stage = parts[0]
                with explaining_os_errors(path, "read"), require_regular(path).open("rb") as file:
                    lines = whole_lines(file.readline(), display_path(path))
                for line in lines:
                    cell, hash_ = decode_keys(line, where=f"{display_path(path)}, line 1", kind=kind_of(stage))
                    if self.path(cell) != path:
                        raise ResultsDamaged(
                            f"{display_path(path)} holds records of {cell.id}, whose file is"
                            f" {display_path(self.path(cell))}; move the copy out of the folder"
                        )
                    yield cell, hash_

    def unregistered_stages(self) -> list[str]:
        """Return the stages whose readings are here but cannot be decoded, because they are not registered."""
        with explaining_os_errors(self.readings_folder, "read"):
            names = {path.name for path in self.readings_folder.glob("*") if path.is_dir() and path.name != "settings"}
        return sorted(names - {file_name(name) for name in REPORTED_STAGES})

    def settings(self, settings_hash: str) -> Settings:
        """Return the settings of a hash. Raises `ResultsDamaged` if their file is missing or damaged."""
        return require_settings(self._record_folders, settings_hash)

    def set_aside(self, reports: Iterable[str] = ()) -> Path | None:
        """Move all records to `set_aside/<local time>/`, which is a results folder itself. Nothing is deleted.

        Attention maps and tuned checkpoints are moved too, because they cannot be rebuilt without a model; and so are
        the files and folders named `reports`, which are about the records moved. Returns the new folder, or None if
        there was nothing to move. With several workers, only the process that starts them may call this, before it
        starts them.
        """
        names = dict.fromkeys((*_RECORD_FOLDERS, *reports))
        paths = [self.folder / name for name in names if (self.folder / name).exists()]
        if not paths:
            return None
        stamp = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S-%f")
        target, number = self.folder / "set_aside" / stamp, 1
        with explaining_os_errors(target, "write"):
            target.parent.mkdir(exist_ok=True)
            while os.path.lexists(target):  # where the clock stands still
                number += 1
                target = target.with_name(f"{stamp}-{number}")
            target.mkdir()
            for path in paths:
                path.rename(target / path.name)
        self._checked.clear()
        return target

    def _load_checked(self, cell: Cell, settings: Settings) -> StoredCell | None:
        """Return what `load_cell` returns. Raises `ResultsMismatch` if it was made under other settings."""
        stored = self.load_cell(cell)
        if stored is not None and stored.settings_hash != settings_hash(settings):
            differences = settings_differences(read_settings(self._record_folders, stored.settings_hash), settings)
            raise ResultsMismatch(
                f"{display_path(self.path(cell))} was made under other settings: {differences}.", differences
            )
        self._checked.add((cell, settings))
        return stored

    def _check_problems(self, settings: Settings) -> None:
        """Raise `ResultsMismatch` if the folder is about other problems: its tables are about one source."""
        for top_folder in self._record_folders:
            for path in sorted((top_folder / "settings").glob("*.json")):
                with explaining_os_errors(path, "read"):
                    stored = decode_settings(regular_content(path), path.stem)
                if stored is not None and stored.problems and settings.problems not in ("", stored.problems):
                    raise ResultsMismatch(
                        f"{display_path(self.folder)} is about the problems of {stored.problems!r}, but this run is"
                        f" about those of {settings.problems!r}."
                    )

    def _check_compared_cells(self, cell: Cell, settings: Settings, text_by_id: Mapping[str, str]) -> None:
        """Raise `ResultsMismatch` for a cell on disk that tables would compare the new `cell` with in vain.

        The cells on disk have the same texts, as each was compared when it was new. So a problem is compared once.
        """
        unseen = set(text_by_id)
        for other, hash_ in list(self._first_lines()):
            if unseen and other.noise == cell.noise and base_stage(other.stage) == base_stage(cell.stage):
                records = self.newest_records(other)
                self._check_texts(other, records, text_by_id)
                unseen -= records.keys()
            if (other.model, other.stage) == (cell.model, cell.stage):
                self._check_weights(other, hash_, settings)

    def _check_weights(self, cell: Cell, hash_: str, settings: Settings) -> None:
        """Raise `ResultsMismatch` if the stored `cell`, of the same model, was made with other weights."""
        known = read_settings(self._record_folders, hash_)
        if known is not None and known.weights != settings.weights:
            raise ResultsMismatch(
                f"{display_path(self.path(cell))} was made under other settings: weights was {known.weights!r} and is"
                f" now {settings.weights!r}; one model has one row."
            )

    def _check_texts(self, cell: Cell, records: Mapping[str, Record], text_by_id: Mapping[str, str]) -> None:
        """Raise `OtherTextsError` if the `records` of a cell were made with other texts than `text_by_id`."""
        changed = [id for id in text_by_id if id in records and records[id].asked != text_by_id[id]]
        if changed:
            others = f" and {len(changed) - 1:,} more" if len(changed) > 1 else ""
            raise OtherTextsError(
                f"{display_path(self.path(cell))}: problem {changed[0]!r}{others} had another text: the runs differ in"
                " the seed, in the problems, or in the version of the noises.",
                difference="texts",
            )

    def _top_folder(self, cell: Cell) -> Path:
        return self.folder / kind_of(cell.stage).folder
