"""A results folder at a URL (`s3://bucket/folder`), and the local one that a run works in.

fsspec copies the files between the two, and is imported only then. Keys come from the environment alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from reports.store.atomic_io import display_path, explaining_os_errors
from reports.store.folder_lock import FolderLock, ResultsInUse
from reports.store.json_content import parsed_json
from reports.store.run_json import merge_runs
from reports.store.store_errors import RemoteFolderError, check_folder_url, explaining_store_errors, scheme_of
from reports.store.sync_decisions import Decision, Versions, decide
from reports.store.sync_state import (
    STATE_FILE,
    FileState,
    encode_state,
    is_copied,
    local_files,
    read_state,
    sha256_of_stream,
    state_of,
    write_local_state,
)

#: Stores in which a file appears whole or not at all. In others it is written under another name, then moved.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss", "memory")
_MARK = ".running.json"


def cache_folder(url: str) -> Path:
    """Return the local folder of a results folder at `url`, below `XDG_CACHE_HOME` or `~/.cache`; one for each URL."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return base / "noise-benchmark" / "results" / f"{url.rpartition('/')[2][:60]}-{digest}"


class RemoteFolder:
    """The results folder at `url`, and its local copy `folder` (default: `cache_folder`), which a run works in.

    A file of records is never replaced by one that lacks any of its records: where each copy has some that the other
    lacks, `download` and `upload` raise `RemoteFolderError` with the name of the file, and change nothing. Hold the
    lock of the local folder while they run. They raise `RemoteFolderError`, in one sentence without any secret, for a
    store that cannot be reached, read or written too.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        check_folder_url(url)
        self.url = url.rstrip("/")
        self.folder = folder or cache_folder(self.url)

    def download(self) -> list[str]:
        """Fetch what is newer there, and return the names of the files that changed here."""
        with explaining_store_errors(self.url, "read"):
            return self._bring_together(("fetch", "either", "merge", "remove_here"))

    def upload(self) -> list[str]:
        """Send what is newer here, and return the names of the files that changed there."""
        with explaining_store_errors(self.url, "write"):
            return self._bring_together(("send", "either", "merge", "remove_there"))

    def unsent(self) -> list[str]:
        """Return the names of the files that have changed here since they were last in step. Asks no store."""
        state = self._read_local_state()
        files = local_files(self.folder, state)
        return [name for name, file in files.items() if name not in state or state[name].sha256 != file.sha256]

    def mark_running(self, run: str) -> str | None:
        """Leave a mark that `run` writes here; return who else left one, as a sentence, if anybody did.

        A mark keeps nobody out: a run that was killed leaves its own.
        """
        with explaining_store_errors(self.url, "write"):
            other = self._mark()
            mark = {
                "run": run,
                "host": socket.gethostname(),
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            self._write_there(_MARK, json.dumps(mark).encode())
        if not other or other.get("run") == run:
            return None
        return (
            f"a run on {other.get('host')}, started {other.get('started')}, has not said that it ended: if it still"
            f" runs, both write to {self.url}"
        )

    def remove_mark(self, run: str) -> None:
        """Remove the mark of `run`, if it is there."""
        with explaining_store_errors(self.url, "write"):
            if self._mark().get("run") == run:
                self._store.rm_file(self._path(_MARK))

    def _bring_together(self, decisions: Iterable[Decision]) -> list[str]:
        """Do what `decisions` say for the files that they are made for, after a look at all."""
        self._store.invalidate_cache()
        state = self._read_local_state()
        here, (there, index) = local_files(self.folder, state), self._files_there()
        made = {name: self._decide(name, here, state, there) for name in sorted({*here, *there})}
        conflicts = [name for name, decision in made.items() if decision == "conflict"]
        if conflicts:
            others = f" (and {len(conflicts) - 1:,} more)" if len(conflicts) > 1 else ""
            raise RemoteFolderError(
                f"{conflicts[0]}{others} has records in {self.url} and in {display_path(self.folder)} that the other"
                " lacks; move one of the two away, or name another folder"
            )
        sends = "send" in decisions
        changed = [name for name, decision in made.items() if decision in decisions]
        changed.sort(key=lambda name: (made[name].startswith("remove"), not name.startswith("set_aside/")))
        state |= {name: here[name] for name, decision in made.items() if decision == "same"}
        try:
            for name in changed:
                if made[name] == "merge":
                    merge_runs(self.folder / name, self._store.cat_file(self._path(name)))
                    here |= local_files(self.folder, here)
                if made[name] == "remove_there":
                    self._store.rm_file(self._path(name))
                    del there[name], state[name]
                elif made[name] == "remove_here":
                    (self.folder / name).unlink()
                    del state[name]
                elif sends:
                    self._send(name)
                    state[name], there[name] = here[name], FileState(here[name].size, here[name].sha256)
                elif made[name] != "merge":
                    state[name] = self._fetch(name)
        finally:
            if self.folder.is_dir():
                write_local_state(self.folder, state, self.url)
        if sends and there != index:
            self._write_there(STATE_FILE, encode_state(there))
        return changed

    def _decide(
        self, name: str, here: Mapping[str, FileState], last: Mapping[str, FileState], there: Mapping[str, FileState]
    ) -> Decision:
        now, before, elsewhere = (files[name].sha256 if name in files else None for files in (here, last, there))
        aside_here, aside_there = _is_set_aside(elsewhere, here), _is_set_aside(now, there)
        versions = Versions(name, now, before, elsewhere, aside_here, aside_there)
        return decide(versions, lambda: ((self.folder / name).read_bytes(), self._store.cat_file(self._path(name))))

    def _files_there(self) -> tuple[dict[str, FileState], dict[str, FileState]]:
        """Return the files at the URL, and what its own list of them says, which a kill may have left behind."""
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
        index = {}
        if STATE_FILE in sizes:
            index = read_state(self._store.cat_file(self._path(STATE_FILE)))
        files = {}
        for name, size in sizes.items():
            if is_copied(name) and not name.endswith("/"):
                state = index.get(name)
                if state is None or state.size != size:
                    with self._store.open(self._path(name), "rb") as file:
                        state = FileState(size, sha256_of_stream(file))
                files[name] = state
        return files, index

    def _fetch(self, name: str) -> FileState:
        """Replace a file here as a whole, and return its state."""
        path = self.folder / name
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with explaining_os_errors(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._store.get_file(self._path(name), str(part))
            with explaining_os_errors(path, "write"):
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return state_of(path)

    def _send(self, name: str) -> None:
        target = self._path(name)
        if scheme_of(self.url) in _OBJECT_STORES:
            self._store.put_file(str(self.folder / name), target)
            return
        folder, _, last = target.rpartition("/")
        part = f"{folder}/.{last}.{secrets.token_hex(4)}"
        self._store.makedirs(folder, exist_ok=True)
        try:
            self._store.put_file(str(self.folder / name), part)
            self._store.mv(part, target)
        except BaseException:
            with suppress(Exception):  # the first error counts
                self._store.rm_file(part)
            raise

    def _write_there(self, name: str, content: bytes) -> None:
        if scheme_of(self.url) not in _OBJECT_STORES:
            self._store.makedirs(self._path(), exist_ok=True)
        self._store.pipe_file(self._path(name), content)

    def _mark(self) -> dict[str, Any]:
        try:
            mark = parsed_json(self._store.cat_file(self._path(_MARK)))
        except (FileNotFoundError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def _read_local_state(self) -> dict[str, FileState]:
        path = self.folder / STATE_FILE
        with explaining_os_errors(path, "read"):
            return read_state(path.read_bytes(), self.url) if path.is_file() else {}

    def _path(self, name: str = "") -> str:
        return f"{self._store_and_root[1]}/{name}".removesuffix("/")

    @property
    def _store(self) -> Any:
        return self._store_and_root[0]

    @cached_property
    def _store_and_root(self) -> tuple[Any, str]:
        import fsspec

        store, root = fsspec.core.url_to_fs(self.url)
        return store, root.rstrip("/")


def _is_set_aside(sha256: str | None, files: Mapping[str, FileState]) -> bool:
    return any(name.startswith("set_aside/") and state.sha256 == sha256 for name, state in files.items())


def fetched_folder(url: str) -> Path:
    """Return the local folder of the results at `url`, with what is newer there. Raises `RemoteFolderError`.

    A run on this machine that works in it is not disturbed: what it has is the newest.
    """
    remote = RemoteFolder(url)
    lock = FolderLock(remote.folder)
    try:
        lock.acquire(create=True)
        remote.download()
    except ResultsInUse:
        pass
    finally:
        lock.release()
    return remote.folder


def sync_folder(url: str, folder: Path) -> tuple[list[str], list[str]]:
    """Bring `folder` and `url` in step, and return the names of the files that were fetched and sent.

    Raises `ResultsInUse` where a run writes to the folder, and what `RemoteFolder` raises.
    """
    remote = RemoteFolder(url, folder)
    lock = FolderLock(folder)
    lock.acquire(create=True)
    try:
        return remote.download(), remote.upload()
    finally:
        lock.release()
