"""The files of one folder in a store (`s3://bucket/folder`), by their name in it. fsspec is imported when asked."""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from reports.store.atomic_io import explaining_os_errors
from reports.store.sync_state import STATE_FILE, FileState, is_copied, read_state, sha256_of_stream
from reports.store.url_errors import scheme_of

#: Stores in which a file appears whole or not at all. In others it is written under another name, then moved.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss", "memory")


class FolderAtUrl:
    """The folder at `url`, which may not exist. The methods raise what the store's own package raises."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_object_store = scheme_of(url) in _OBJECT_STORES

    def files(self) -> tuple[dict[str, FileState], dict[str, FileState]]:
        """Return the files of the results, and what the last `send` of all said of them.

        The two differ where a run was killed in between. Only files that differ in size are then read. Raises
        `NotADirectoryError` where the URL is that of a file.
        """
        self._store.invalidate_cache()
        root = self._path()
        try:
            if self._store.info(root)["type"] == "file":
                raise NotADirectoryError
        except FileNotFoundError:
            return {}, {}
        sizes = {
            path[len(root) + 1 :]: info["size"]
            for path, info in self._store.find(root, detail=True).items()
            if path.startswith(f"{root}/") and info["type"] == "file"
        }
        noted = read_state(self.read(STATE_FILE)) if STATE_FILE in sizes else {}
        files = {}
        for name, size in sizes.items():
            if is_copied(name) and not name.endswith("/"):
                state = noted.get(name)
                if state is None or state.size != size:
                    with self._store.open(self._path(name), "rb") as file:
                        state = FileState(size, sha256_of_stream(file))
                files[name] = state
        return files, noted

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises `FileNotFoundError`."""
        return bytes(self._store.cat_file(self._path(name)))

    def fetch(self, name: str, path: Path) -> None:
        """Replace the local file at `path` as a whole. Raises `ResultsFolderError` where it cannot be written."""
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with explaining_os_errors(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._store.get_file(self._path(name), str(part))
            with explaining_os_errors(path, "write"):
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def send(self, path: Path, name: str) -> None:
        """Replace a file of the folder as a whole by the local one at `path`."""
        target = self._path(name)
        if self._is_object_store:
            self._store.put_file(str(path), target)
            return
        folder, _, last = target.rpartition("/")
        part = f"{folder}/.{last}.{secrets.token_hex(4)}"
        self._store.makedirs(folder, exist_ok=True)
        try:
            self._store.put_file(str(path), part)
            self._store.mv(part, target)
        except BaseException:
            with suppress(Exception):  # the first error counts
                self._store.rm_file(part)
            raise

    def write(self, name: str, content: bytes) -> None:
        """Replace a small file of the folder."""
        if not self._is_object_store:
            self._store.makedirs(self._path(), exist_ok=True)
        self._store.pipe_file(self._path(name), content)

    def remove(self, name: str) -> None:
        """Remove a file of the folder."""
        self._store.rm_file(self._path(name))

    def _path(self, name: str = "") -> str:
        return f"{self._store_and_root[1]}/{name}".removesuffix("/")

    @property
    def _store(self) -> Any:
        return self._store_and_root[0]

    @cached_property
    def _store_and_root(self) -> tuple[Any, str]:
        import fsspec

        store, root = fsspec.core.url_to_fs(self._url)
        return store, root.rstrip("/")
