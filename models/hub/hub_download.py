"""Download checkpoints from the hub into its cache: only what is needed, resumed and verified. No torch here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from models.hub.hub_cache import cache_folder, cached_checkpoint, has_checksum, repository_folder, write_ref
from models.hub.hub_errors import (
    DiskSpaceError,
    HubError,
    PickledRepositoryError,
    download_command,
    explain_hub_errors,
)
from models.hub.hub_listing import RemoteFile, list_checkpoint
from models.model_reference import full_source
from models.model_registry import ModelSpec

Answer = TypeVar("Answer")
#: Free space, in bytes, that a download leaves on the disk.
_DISK_MARGIN = 2**28
#: Pauses, in seconds, before a request is repeated after an error of the server.
_RETRY_DELAYS = (1, 2)


def fetch_checkpoint(
    spec: ModelSpec,
    cache: Path | None = None,
    announce: Callable[[str], object] = lambda text: None,
    check: bool = False,
) -> Path:
    """Return the folder of the checkpoint, downloaded first if the cache lacks a part of it.

    An interrupted download continues where it stopped. With `check` the hub is asked even if the cache has everything:
    a branch is followed to its newest commit, each file is compared with the hub's checksum, and one that differs is
    replaced. Pickled weights and Python files are downloaded only if `spec.trust` allows them. `announce` receives a
    line before anything is downloaded. Raises `HubError`, and then leaves nothing that looks like a checkpoint.
    """
    folder = cached_checkpoint(spec, cache)
    if folder is not None and not check:
        return folder
    if folder is None and cached_checkpoint(replace(spec, trust=replace(spec.trust, pickles=True)), cache) is not None:
        raise PickledRepositoryError(
            f"the cache has {full_source(spec)} with pickled weights only, which can run any code when they are read;"
            " expected Trust(pickles=True) if you trust their author"
        )
    root = cache_folder(cache)
    with explain_hub_errors(spec, root):
        listing = _retry(lambda: list_checkpoint(spec))
        missing = [
            file for file in listing.files if not (check and _verify_or_delete(spec, file, listing.commit, root))
        ]
        if missing:
            size = _check_disk_space(spec, missing, root)
            announce(f"{spec.name}: {len(missing)} files, {size}, of {full_source(spec, listing.commit)}")
        for file in missing:  # the weights last: a folder without them does not look like a checkpoint
            _retry(lambda file=file: _download(spec, file, listing.commit, root))  # type: ignore[misc]
        write_ref(spec, listing.commit, root)
    folder = cached_checkpoint(spec, cache)
    if folder is None:
        raise HubError(
            f"{full_source(spec)}: its configuration or its index names files that the repository lacks; it has"
            f" {', '.join(file.name for file in listing.files)}"
        )
    return folder


def _verify_or_delete(spec: ModelSpec, file: RemoteFile, commit: str, cache: Path) -> bool:
    """Return whether the cache has the file with the hub's checksum. A file with another one is deleted."""
    path = repository_folder(spec, cache) / "snapshots" / commit / file.path
    if not path.is_file():
        return False
    if has_checksum(path, file.checksum):
        return True
    path.resolve().unlink()
    path.unlink(missing_ok=True)
    return False


def _download(spec: ModelSpec, file: RemoteFile, commit: str, cache: Path) -> None:
    """Download a file into the cache and verify it."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.utils import tqdm

    class HiddenBar(tqdm):
        """A small file is downloaded before its bar could be read."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})

    large = file.size > constants.MAX_HTTP_DOWNLOAD_SIZE  # the hub serves such files only by huggingface_hub's protocol
    verified = file.in_store and not large and _resume(spec, file, commit, cache)
    bar = tqdm if large else HiddenBar
    hf_hub_download(spec.source, file.path, revision=commit, cache_dir=cache, tqdm_class=bar)
    if not verified and not _verify_or_delete(spec, file, commit, cache):
        raise HubError(_mismatch(spec, file.name, cache))


def _resume(spec: ModelSpec, file: RemoteFile, commit: str, cache: Path) -> bool:
    """Download the missing bytes of a file of the store, verify it, and add it to the cache's blobs.

    `hf_hub_download` then finds the blob. Return False if the blob existed already, unverified. Since version 1.18
    `huggingface_hub` restarts from the first byte, as two processes may write to one file where locks have no effect
    (its issue 4228). Here the checksum would differ then, before the file gets its name.
    """
    from filelock import FileLock
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    blob, partial = _blob_paths(spec, file, cache)
    lock = cache / ".locks" / repository_folder(spec, cache).name / f"{partial.name}.lock"
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        if blob.exists():
            return False
        with partial.open("ab") as output:
            url = hf_hub_url(spec.source, file.path, revision=commit)
            http_get(
                url,
                output,
                resume_size=partial.stat().st_size,
                headers=build_hf_headers(),
                expected_size=file.size,
                displayed_filename=file.name,
            )
        if not has_checksum(partial, file.checksum):
            partial.unlink()
            raise HubError(_mismatch(spec, file.name, cache))
        partial.replace(blob)
    return True


def _blob_paths(spec: ModelSpec, file: RemoteFile, cache: Path) -> tuple[Path, Path]:
    """Return the paths of a file of the store: once it is whole, and before."""
    blob = repository_folder(spec, cache) / "blobs" / file.checksum
    return blob, blob.with_name(f"{blob.name}.resumable.incomplete")


def _mismatch(spec: ModelSpec, name: str, cache: Path) -> str:
    return (
        f"{full_source(spec)}: checksum mismatch for {name}, which was deleted; download it again:"
        f" {download_command(spec, cache)}"
    )


def _check_disk_space(spec: ModelSpec, files: Sequence[RemoteFile], cache: Path) -> str:
    """Return the size of `files` as text. Raises `DiskSpaceError` if what is still missing of them does not fit."""
    existing = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    parts = [path for file in files if file.in_store for path in _blob_paths(spec, file, cache) if path.exists()]
    size = sum(file.size for file in files)
    free, needed = shutil.disk_usage(existing).free, size - sum(path.stat().st_size for path in parts)
    if free < needed + _DISK_MARGIN:
        raise DiskSpaceError(
            f"{full_source(spec)} needs {_size_text(size)}, but {cache} has room for"
            f" {_size_text(max(0, free - _DISK_MARGIN))}; free disk space, or set HF_HUB_CACHE to a larger disk"
        )
    return _size_text(size)


def _retry(request: Callable[[], Answer]) -> Answer:
    """Return what `request` returns, repeated after errors of the server. `huggingface_hub` itself repeats a request
    after a dropped connection."""
    from huggingface_hub.errors import HfHubHTTPError

    for delay in _RETRY_DELAYS:
        try:
            return request()
        except HfHubHTTPError as error:
            if error.response.status_code < 500:
                raise
            time.sleep(delay)
    return request()


def _size_text(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB" if size < 2**30 else f"{size / 2**30:,.2f} GiB"
