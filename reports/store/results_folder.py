"""The results folder: predictions and readings on disk, one JSONL line a problem, and the rules of resuming."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reports.stages import REPORTED_STAGES, kind_of
from reports.store.atomic_io import ResultsDamaged, drop_half_line, explained, shown, write_atomically
from reports.store.file_names import file_name
from reports.store.record_codec import (
    decoded_cell,
    decoded_line,
    encoded_line,
    encoded_settings,
    settings_differences,
    settings_from,
    settings_hash,
)
from reports.store.records import Cell, Record, Settings

_SET_ASIDE = ("predictions", "readings", "attention_maps", "checkpoints")
_REMEDIES = "Write to another folder (--results DIR), or set everything that is there aside (--fresh)."


class ResultsMismatch(ValueError):
    """What is on disk answers another question than the one asked now."""


@dataclass(frozen=True)
class CellOnDisk:
    """All that the folder holds about one cell: the newest record for each id, errors included."""

    cell: Cell
    settings_hash: str
    predictions: Mapping[str, Record]


class Results:
    """Guards one results folder. Nothing is created before the first `append`.

    The records of a cell are in `predictions/<stage>/<model>/<noise>.jsonl`, of the stages `attention` and `likelihood`
    in `readings/<stage>/<model>/<noise>.jsonl`, and all of them were made under one `Settings`. Lines are only ever
    added: the newest line for an id is the one that counts. Several processes may write to one folder as long as each
    cell is written by one of them at a time.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._checked: set[tuple[Cell, Settings]] = set()

    @property
    def predictions_folder(self) -> Path:
        return self.folder / "predictions"

    @property
    def readings_folder(self) -> Path:
        return self.folder / "readings"

    def path(self, cell: Cell) -> Path:
        """The file of the cell's records, whether it exists or not."""
        stage = self._top(cell) / file_name(cell.stage)
        return stage / file_name(cell.model) / f"{file_name(cell.noise)}.jsonl"

    def read(self, cell: Cell, settings: Settings, asked: Mapping[str, str]) -> dict[str, Record]:
        """The records on disk that answer `asked` (problem id -> its `asked` text), by id, in the order of `asked`.

        An `error` outcome is no answer. Raises `ResultsMismatch` when the cell's records were made under other
        settings, when an id was asked with another text, or, for a new cell, when the folder is about other problems;
        `ResultsDamaged` when a line is; `ResultsFolderError` when the file cannot be read.
        """
        found = self._load_checked(cell, settings)
        if found is None:
            self._refuse_other_problems(settings)
            return {}
        if self.settings(found.settings_hash) is None:
            self._name_settings(cell, settings)  # which are the same, and their file is gone
        strangers = [id for id in asked if id in found.predictions and found.predictions[id].asked != asked[id]]
        if strangers:
            others = f" and {len(strangers) - 1:,} more" if len(strangers) > 1 else ""
            raise ResultsMismatch(
                f"{shown(self.path(cell))}: problem {strangers[0]!r}{others} had another text there than now: the"
                f" runs differ in --seed, in --problems, or in the version of the noises. {_REMEDIES}"
            )
        answers = ((id, found.predictions.get(id)) for id in asked)
        return {id: answer for id, answer in answers if answer is not None and answer.outcome != "error"}

    def append(self, cell: Cell, settings: Settings, records: Iterable[Record]) -> None:
        """Adds a batch to the cell's file; it is handed to the operating system before this returns.

        Raises `ResultsMismatch` when the file holds records made under other settings, `ResultsFolderError` when
        it cannot be written.
        """
        lines = b"".join(encoded_line(cell, settings, record) for record in records)
        if not lines:
            return
        if (cell, settings) not in self._checked:
            self._load_checked(cell, settings)
        self._name_settings(cell, settings)
        path = self.path(cell)
        with explained(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                drop_half_line(path)
                file.write(lines)

    def load(self, cell: Cell) -> CellOnDisk | None:
        """Everything on disk about `cell`; None where there is nothing. Raises `ResultsDamaged`."""
        path = self.path(cell)
        with explained(path, "read"):
            content = path.read_bytes() if path.exists() else b""
        # What a kill cut short has no line end yet; it counts as never written.
        lines = content.split(b"\n")[:-1]
        name, kind = shown(path), kind_of(cell.stage)
        records: dict[str, Record] = {}
        hashes: dict[str, int] = {}
        for number, line in enumerate(lines, start=1):
            owner, key, record = decoded_line(line, where=f"{name}, line {number}", kind=kind)
            if owner != cell:
                raise ResultsDamaged(f"{name}, line {number}: expected a line of {cell.id}, not of {owner.id}")
            hashes.setdefault(key, number)
            records[record.id] = record
        if len(hashes) > 1:
            number = list(hashes.values())[1]
            raise ResultsDamaged(f"{name}, line {number}: expected the settings of line 1, found others")
        return CellOnDisk(cell, next(iter(hashes)), records) if hashes else None

    def predictions(self, cell: Cell) -> dict[str, Record]:
        """The newest record for each id of the cell, errors included; empty where there is none."""
        found = self.load(cell)
        return dict(found.predictions) if found else {}

    def cells(self) -> list[Cell]:
        """The cells that have at least one whole line on disk, in no promised order."""
        unregistered, cells = self.unregistered_stages(), []
        for top in (self.predictions_folder, self.readings_folder):
            for path in sorted(top.glob("*/*/*.jsonl")):
                stage = path.parts[-3]
                if stage in unregistered:
                    continue
                with explained(path, "read"), path.open("rb") as file:
                    line = file.readline()
                if line.endswith(b"\n"):
                    cells.append(decoded_cell(line, where=f"{shown(path)}, line 1", kind=kind_of(stage)))
        return cells

    def unregistered_stages(self) -> list[str]:
        """The stages whose readings are here and cannot be read, as nothing registers how."""
        names = {path.name for path in self.readings_folder.glob("*") if path.is_dir() and path.name != "settings"}
        return sorted(names - {file_name(name) for name in REPORTED_STAGES})

    def settings(self, settings_hash: str) -> Settings | None:
        """The settings behind the hash that the lines carry; None where their file is gone or damaged."""
        for top in (self.predictions_folder, self.readings_folder):
            path = _settings_path(top, settings_hash)
            with explained(path, "read"):
                found = settings_from(path.read_bytes()) if path.exists() else None
            if found is not None:
                return found
        return None

    def set_aside(self, reports: Iterable[str] = ()) -> Path | None:
        """Moves all records to `set_aside/<local time>/`, which is a results folder itself; nothing is deleted.

        The attention maps and the tuned checkpoints go with them, as without a model they cannot be made again either,
        and so do the reports, which would stand beside other records. Returns that folder, or
        None when there was nothing to move. Under several workers this is for the process that starts them, before it
        does.
        """
        tops = [self.folder / name for name in dict.fromkeys((*_SET_ASIDE, *reports)) if (self.folder / name).exists()]
        if not tops:
            return None
        stamp = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S-%f")
        aside = self.folder / "set_aside" / stamp
        with explained(aside, "write"):
            aside.mkdir(parents=True)
            for top in tops:
                top.rename(aside / top.name)
        self._checked.clear()
        return aside

    def _load_checked(self, cell: Cell, settings: Settings) -> CellOnDisk | None:
        """`load`, refusing what was made under other settings."""
        found = self.load(cell)
        if found is not None and found.settings_hash != settings_hash(settings):
            differences = settings_differences(self.settings(found.settings_hash), settings)
            raise ResultsMismatch(f"{shown(self.path(cell))} was made under other settings: {differences}. {_REMEDIES}")
        self._checked.add((cell, settings))
        return found

    def _refuse_other_problems(self, settings: Settings) -> None:
        """A folder is about the problems of one source: figures about several would stand beside each other in its
        tables. Raises `ResultsMismatch`."""
        for top in (self.predictions_folder, self.readings_folder):
            for path in sorted((top / "settings").glob("*.json")):
                with explained(path, "read"):
                    other = settings_from(path.read_bytes())
                if other is not None and other.problems and settings.problems not in ("", other.problems):
                    raise ResultsMismatch(
                        f"{shown(self.folder)} is about the problems of {other.problems!r}, and this run asks those of"
                        f" {settings.problems!r}. {_REMEDIES}"
                    )

    def _top(self, cell: Cell) -> Path:
        return self.folder / kind_of(cell.stage).folder

    def _name_settings(self, cell: Cell, settings: Settings) -> None:
        """Writes down what the hash stands for, before a line carries it. The content decides the file's name, so
        two processes that write it at once write the same."""
        path = _settings_path(self._top(cell), settings_hash(settings))
        if not path.exists():
            write_atomically(path, encoded_settings(settings))


def _settings_path(top: Path, settings_hash: str) -> Path:
    return top / "settings" / f"{settings_hash}.json"
