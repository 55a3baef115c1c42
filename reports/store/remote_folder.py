"""A results folder at a URL (`s3://bucket/folder`), and the local one that a run works in.

fsspec copies the files between the two, and is imported only then. Keys come from the environment alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reports.store.atomic_io import display_path, explaining_os_errors
from reports.store.folder_at_url import FolderAtUrl
from reports.store.folder_lock import FolderLock, ResultsInUse
from reports.store.json_content import parsed_json
from reports.store.run_json import merge_runs
from reports.store.sync_decisions import Decision, Versions, decide
from reports.store.sync_state import (
    STATE_FILE,
    FileState,
    encode_state,
    local_files,
    read_state,
    state_of,
    write_local_state,
)
from reports.store.url_errors import RemoteFolderError, check_folder_url, explaining_store_errors

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
        self._store = FolderAtUrl(self.url)

    def has_files(self) -> bool:
        """Return whether anything of results is at the URL."""
        with explaining_store_errors(self.url, "read"):
            return bool(self._store.files()[0])

    def download(self) -> list[str]:
        """Fetch what is newer there, and return the names of the files that changed here."""
        with explaining_store_errors(self.url, "read"):
            return self._bring_together(("fetch", "either", "merge", "remove_here"))

    def upload(self) -> list[str]:
        """Send what is newer here, and return the names of the files that changed there."""
        with explaining_store_errors(self.url, "write"):
            return self._bring_together(("send", "either", "merge", "remove_there"))

    def mark_running(self, run: str, shard: str | None = None) -> str | None:
        """Leave a mark that `run` writes here; return who else left one, as a sentence, if anybody did.

        A mark keeps nobody out, as a run that was killed leaves its own, but for another shard: raises
        `RemoteFolderError`, unless the two start at the same moment.
        """
        with explaining_store_errors(self.url, "write"):
            other = self._mark()
            if shard is not None and other.get("shard") not in (None, shard):
                raise RemoteFolderError(
                    f"shard {other['shard']} writes to {self.url} too (on {other.get('host')}, started"
                    f" {other.get('started')}): give each shard a URL of its own"
                )
            started = datetime.now(UTC).isoformat(timespec="seconds")
            mark = {"run": run, "host": socket.gethostname(), "started": started, "shard": shard}
            self._store.write(_MARK, json.dumps(mark).encode())
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
                self._store.remove(_MARK)

    def _bring_together(self, decisions: Iterable[Decision]) -> list[str]:
        """Do what `decisions` say for the files that they are made for, after a look at all."""
        state = self._read_local_state()
        here, (there, noted) = local_files(self.folder, state), self._store.files()
        aside = _set_aside(here), _set_aside(there)
        made = {name: self._decide(name, (here, state, there), aside) for name in sorted({*here, *there})}
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
                    merge_runs(self.folder / name, self._store.read(name))
                    here[name] = state_of(self.folder / name)
                if made[name] == "remove_there":
                    self._store.remove(name)
                    del there[name], state[name]
                elif made[name] == "remove_here":
                    (self.folder / name).unlink()
                    del state[name]
                elif sends:
                    self._store.send(self.folder / name, name)
                    state[name], there[name] = here[name], FileState(here[name].size, here[name].sha256)
                elif made[name] != "merge":
                    self._store.fetch(name, self.folder / name)
                    state[name] = state_of(self.folder / name)
        finally:
            if state and self.folder.is_dir():
                write_local_state(self.folder, state, self.url)
        if sends and there != noted:
            self._store.write(STATE_FILE, encode_state(there))
        return changed

    def _decide(
        self, name: str, copies: tuple[Mapping[str, FileState], ...], aside: tuple[set[str], set[str]]
    ) -> Decision:
        """Return the decision on a file; `copies` are the files here, when they were last in step, and there."""
        here, last, there = (files[name].sha256 if name in files else None for files in copies)
        versions = Versions(name, here, last, there, there in aside[0], here in aside[1])
        return decide(versions, lambda: ((self.folder / name).read_bytes(), self._store.read(name)))

    def _mark(self) -> dict[str, Any]:
        try:
            mark = parsed_json(self._store.read(_MARK))
        except (FileNotFoundError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def _read_local_state(self) -> dict[str, FileState]:
        path = self.folder / STATE_FILE
        with explaining_os_errors(path, "read"):
            return read_state(path.read_bytes(), self.url) if path.is_file() else {}


def fetched_folder(url: str) -> Path:
    """Return the local folder of the results at `url`, with what is newer there.

    A run on this machine that works in it is not disturbed: what it has is the newest. Raises `RemoteFolderError`,
    where there are no results too.
    """
    remote = RemoteFolder(url)
    lock = FolderLock(remote.folder)
    try:
        lock.acquire(create=True)
        if not remote.has_files():
            raise RemoteFolderError(f"no results at {url}: expected the folder of a benchmark run")
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


def _set_aside(files: Mapping[str, FileState]) -> set[str]:
    """Return the SHA-256 of each file that was set aside."""
    return {state.sha256 for name, state in files.items() if name.startswith("set_aside/")}
