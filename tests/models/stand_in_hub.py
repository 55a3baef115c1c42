"""A hub on loopback with the part of the real hub's API that `huggingface_hub` uses, and with faults on request.

https://huggingface.co/docs/hub/api. A file of any size is served as the real hub serves large ones: the first answer
redirects to a store and has the checksum in its headers.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

#: Files up to this size, in bytes, are in git, with git's own checksum; larger ones are in the store, with SHA-256.
IN_GIT = 16 * 1024


@dataclass
class Fault:
    """A fault of a file: `times` times, or always where that is None.

    `status` is answered instead of the file. `drop_after` is the number of bytes from the store after which the
    connection drops. `stall` is a pause in seconds half-way.
    """

    status: int | None = None
    drop_after: int | None = None
    stall: float = 0.0
    times: int | None = 1

    def strikes(self) -> bool:
        """Return whether the fault occurs now, and count it."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class Repository:
    """A repository: its files by path, whether it is `gated`, and `wrong` contents that the store serves by path."""

    files: dict[str, bytes]
    gated: bool = False
    sha: str = ""
    wrong: dict[str, bytes] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = {path: _facts(content) for path, content in self.files.items()}
        self.sha = self.sha or hashlib.sha1(json.dumps(self.facts).encode()).hexdigest()


@dataclass
class Hub:
    """A running hub: the URLs of it and its store (two hosts, as the real hub has), its repositories by id, its faults
    by path, and the requests it got: method, path and range."""

    url: str
    store: str
    repositories: dict[str, Repository]
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, id: str, folder: Path, within: str = "", **options: Any) -> Repository:
        """Add a repository with the files of `folder`, all under the sub-folder `within`."""
        files = {
            f"{within}/{path.relative_to(folder).as_posix()}".lstrip("/"): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self.repositories[id] = Repository(files, **options)
        return self.repositories[id]

    def ranges(self, path: str) -> list[str]:
        """Return the ranges of `path` that were requested from the store, "" for the whole file."""
        return [range for method, requested, range in self.requests if method == "GET" and requested == f"store:{path}"]

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the variables that make `huggingface_hub` use this hub, with its cache in `folder`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(folder),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": "1",
            "HF_HUB_ETAG_TIMEOUT": "1",
        }


@contextmanager
def stand_in_hub() -> Iterator[Hub]:
    """Run a hub without repositories on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.block_on_close = False  # do not wait for a stalled answer
    port = server.server_address[1]
    hub = Hub(f"http://127.0.0.1:{port}", f"http://localhost:{port}", {})
    server.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing: the tests read `Hub.requests`."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        path = unquote(urlsplit(self.path).path).strip("/")
        parts = path.split("/")
        store = parts[0] == "store"
        if store:
            parts = parts[1:]
        if parts[:2] == ["api", "models"]:
            id, rest, what = "/".join(parts[2:4]), parts[4:], "api"
        else:
            id, rest, what = "/".join(parts[:2]), parts[2:], "file"
        repository = hub.repositories.get(id)
        if repository is None:
            hub.requests.append((self.command, path, ""))
            self._error(HTTPStatus.UNAUTHORIZED if len(parts) > 1 else HTTPStatus.NOT_FOUND, "RepoNotFound")
        elif what == "api":
            self._api(hub, repository, id, rest)
        else:
            self._file(hub, repository, id, rest, store)

    def _api(self, hub: Hub, repository: Repository, id: str, rest: list[str]) -> None:
        hub.requests.append((self.command, f"api:{id}/{'/'.join(rest)}", ""))
        fault = self._fault(hub, "api")
        if fault is not None and fault.status is not None:
            self._error(fault.status)
        elif rest[1:2] not in ([], ["main"], [repository.sha]):
            self._error(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif not rest or rest[0] == "revision":
            siblings = [{"rfilename": path, **facts} for path, facts in repository.facts.items()]
            gated = "manual" if repository.gated else False
            self._json({"id": id, "sha": repository.sha, "gated": gated, "private": False, "siblings": siblings})
        elif rest[0] == "tree":
            tree = [{"type": "file", "path": path, **facts} for path, facts in repository.facts.items()]
            self._json([{**entry, "oid": entry["blobId"]} for entry in tree])
        else:
            self._error(HTTPStatus.NOT_FOUND)

    def _file(self, hub: Hub, repository: Repository, id: str, rest: list[str], store: bool) -> None:
        path = "/".join(rest[2:])
        hub.requests.append((self.command, f"store:{path}" if store else path, self.headers.get("Range", "")))
        content = repository.files.get(path)
        if repository.gated:
            self._error(HTTPStatus.UNAUTHORIZED, "GatedRepo")
        elif rest[:1] != ["resolve"] or content is None:
            self._error(HTTPStatus.NOT_FOUND, "EntryNotFound")
        elif rest[1] not in ("main", repository.sha):
            self._error(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif store or len(content) <= IN_GIT:
            fault = None if self.command == "HEAD" else self._fault(hub, path)
            self._content(repository.wrong.get(path, content), fault, repository.facts[path]["blobId"], repository.sha)
        else:
            checksum = repository.facts[path]["lfs"]["sha256"]
            location = f"{hub.store}/store/{id}/{'/'.join(rest)}"
            headers = {"Location": location, "X-Linked-Etag": f'"{checksum}"', "X-Linked-Size": str(len(content))}
            self._send(HTTPStatus.FOUND, b"", {**headers, "X-Repo-Commit": repository.sha})

    def _fault(self, hub: Hub, path: str) -> Fault | None:
        """Return the next fault of `path` that occurs."""
        return next((fault for fault in hub.faults.get(path, []) if fault.strikes()), None)

    def _content(self, sent: bytes, fault: Fault | None, blob: str, sha: str) -> None:
        if fault is not None and fault.status is not None:
            self._error(fault.status)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0] or 0)
        status = HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK
        headers = {"ETag": f'"{blob}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(sent) - 1}/{len(sent)}"
        if fault is None:
            self._send(status, memoryview(sent)[start:], headers)
            return
        stop = (len(sent) - start) // 2 if fault.drop_after is None else max(0, fault.drop_after - start)
        self._send(status, memoryview(sent)[start:], headers, stop=stop)
        self.wfile.flush()
        if fault.stall:
            time.sleep(fault.stall)
        self.close_connection = True
        self.connection.close()

    def _json(self, facts: Any) -> None:
        self._send(HTTPStatus.OK, json.dumps(facts).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, code: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code} if code else {}
        page = b"<html>Welcome</html>" if status == HTTPStatus.OK else b'{"error": "no"}'
        self._send(status, page, headers)

    def _send(self, status: int, body: bytes | memoryview, headers: Mapping[str, str], stop: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:stop])


def _facts(content: bytes) -> dict[str, Any]:
    """Return size and checksums of a file as the API has them."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if len(content) <= IN_GIT:
        return {"size": len(content), "blobId": blob}
    sha256 = hashlib.sha256(content).hexdigest()
    lfs = {"oid": sha256, "sha256": sha256, "size": len(content), "pointerSize": 134}
    return {"size": len(content), "blobId": blob, "lfs": lfs}
