"""The settings of records, in files named after the hash of their content, so that a changed file is known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reports.store.atomic_io import ResultsDamaged, display_path, explaining_os_errors, write_atomically
from reports.store.record_codec import decode_settings, encode_settings, settings_hash
from reports.store.records import Settings


def read_settings(folders: Iterable[Path], hash_: str) -> Settings | None:
    """Return the settings of a hash from one of `folders`; None if their file is missing or damaged."""
    for path in (_path(folder, hash_) for folder in folders):
        with explaining_os_errors(path, "read"):
            settings = decode_settings(path.read_bytes(), hash_) if path.is_file() else None
        if settings is not None:
            return settings
    return None


def require_settings(folders: Iterable[Path], hash_: str) -> Settings:
    """Return the same. Raises `ResultsDamaged` if the file is missing or damaged."""
    folders = tuple(folders)
    settings = read_settings(folders, hash_)
    if settings is None:
        path = next((path for path in (_path(folder, hash_) for folder in folders) if path.exists()), None)
        what = "a settings file is missing" if path is None else "the file was changed after it was written"
        where = f"{hash_}.json" if path is None else display_path(path)
        raise ResultsDamaged(f"{where}: {what}; the command that made the records writes it again")
    return settings


def write_settings(folder: Path, settings: Settings) -> None:
    """Write the settings of a hash before a line refers to it, unless their file is there and whole.

    The content decides the file's name, so two processes that write it at once write the same.
    """
    hash_ = settings_hash(settings)
    if read_settings([folder], hash_) is None:
        write_atomically(_path(folder, hash_), encode_settings(settings))


def _path(folder: Path, hash_: str) -> Path:
    return folder / "settings" / f"{hash_}.json"
