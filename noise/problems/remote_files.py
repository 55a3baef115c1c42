"""Problem files by URL (`s3://…`, `gs://…`, `https://…`): fetched whole, then read as any other file is.

fsspec fetches them, and is imported only then. Keys come from the environment alone, as the stores' own packages read
them; a URL that carries any is refused, as it would stand in messages and in the record of a run.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from noise.unknown_name import unknown_name

#: An environment variable: the folder of what was fetched, for this process and those that it starts.
_KEPT = "FETCHED_PROBLEM_FILES"
#: A scheme, a bucket or a host with its port, and a path. No user, no password, no query, which may be a signature.
_PLAIN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^@:/?#\0-\x1f\x7f]*(:\d{1,5})?(/[^?#\0-\x1f\x7f]*)?")
#: The packages of stores that fsspec itself does not bring, and what installs each.
_INSTALL = {
    **dict.fromkeys(("s3", "s3a", "http", "https"), "pip install -r requirements-remote.txt"),
    **dict.fromkeys(("gs", "gcs"), "pip install gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "pip install adlfs"),
}


class RemoteFileError(OSError):
    """A URL cannot be read. The message is one sentence that begins with it."""


def is_url(source: object) -> bool:
    """Return whether `source` is a text with `://` in it."""
    return isinstance(source, str) and "://" in source


def check_url(url: str) -> None:
    """Raise `ValueError` for a URL that carries a user name, a password or a query, or that names no file.

    The message does not repeat the URL.
    """
    name = source_name(url)
    if not _PLAIN_URL.fullmatch(url) or "::" in url or name in ("", ".", ".."):
        raise ValueError(
            "expected the URL of a file, such as s3://bucket/train.jsonl, without a user name, a password, a key or a"
            " query (?…) in it: keys are read from the environment alone, and a URL is written to the record of a run"
        )


def source_name(source: str | Path) -> str:
    """Return the name of a file without its folder, the same for a path and a URL: `train.jsonl`."""
    return source.rpartition("/")[2] if isinstance(source, str) and is_url(source) else Path(source).name


def sibling(source: str | Path, name: str) -> str | Path:
    """Return the file `name` next to `source`, a path or a URL."""
    if isinstance(source, str) and is_url(source):
        return source.rpartition("/")[0] + "/" + name
    return Path(source).with_name(name)


def is_file(source: str | Path) -> bool:
    """Return whether a path or URL is a file. Raises `RemoteFileError` where a store does not say."""
    if not (isinstance(source, str) and is_url(source)):
        return Path(source).is_file()
    try:
        store, path = _store_of(source)
        return bool(store.info(path)["type"] == "file")
    except FileNotFoundError:
        return False
    except Exception as error:  # each store has exceptions of its own
        raise RemoteFileError(f"{source}: {_reason(source, error)}") from None


@contextmanager
def kept_copies() -> Iterator[None]:
    """Fetch each URL once until the block ends, also in processes that are started in it, and then remove the copies.

    So all workers of a run read the same problems, also where the file is replaced meanwhile.
    """
    earlier = os.environ.get(_KEPT)
    with tempfile.TemporaryDirectory(prefix="problem-files-", ignore_cleanup_errors=True) as folder:
        os.environ[_KEPT] = folder
        try:
            yield
        finally:
            os.environ.pop(_KEPT)
            if earlier is not None:
                os.environ[_KEPT] = earlier


@contextmanager
def local_copy(source: str | Path) -> Iterator[Path]:
    """Yield the path of a local copy of a URL, which has its file name; of a path, the path itself.

    Errors that name the copy are raised again with the URL in its place. Raises `ValueError` as `check_url` does, and
    `RemoteFileError` where the URL cannot be read.
    """
    if not (isinstance(source, str) and is_url(source)):
        yield Path(source)
        return
    check_url(source)
    kept = os.environ.get(_KEPT)
    if kept is not None:
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        copy = Path(kept) / digest / source_name(source)
        if not copy.exists():
            _fetch(source, copy)
        with _naming(source, copy):
            yield copy
        return
    with tempfile.TemporaryDirectory(prefix="problem-files-") as folder:
        copy = Path(folder) / source_name(source)
        _fetch(source, copy)
        with _naming(source, copy):
            yield copy


@contextmanager
def _naming(url: str, copy: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        if str(copy) not in str(error) or isinstance(error, UnicodeError):
            raise
        raise type(error)(str(error).replace(str(copy), url)) from None


def _fetch(url: str, copy: Path) -> None:
    """Write the file at `url` to `copy`, whole or not at all."""
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
            part = Path(folder) / "part"
            store, path = _store_of(url)
            size = store.info(path).get("size")
            store.get_file(path, str(part))
            got = part.stat().st_size
            if isinstance(size, int) and size != got:
                raise RemoteFileError(f"{url}: got {got:,} of {size:,} bytes")
            part.replace(copy)
    except RemoteFileError:
        raise
    except Exception as error:  # each store has exceptions of its own
        raise RemoteFileError(f"{url}: {_reason(url, error)}") from None


def _store_of(url: str) -> tuple[Any, str]:
    check_url(url)
    import fsspec

    scheme = url.partition("://")[0].lower()
    if scheme not in fsspec.available_protocols():
        schemes = sorted(name for name in fsspec.available_protocols() if name.isalnum())
        raise RemoteFileError(f"{url}: {unknown_name('scheme', scheme, schemes, ['s3', 'gs', 'https', 'file'])}")
    store, path = fsspec.core.url_to_fs(url)
    store.invalidate_cache()
    return store, path


def _reason(url: str, error: Exception) -> str:
    """Return why a store gave nothing. Its own text is left out, as it may quote what it was asked with."""
    scheme = url.partition("://")[0].lower()
    if isinstance(error, RemoteFileError):
        return str(error).removeprefix(f"{url}: ")
    kinds = {kind.__name__ for cause in (error, error.__cause__) for kind in type(cause).__mro__}
    refused = getattr(error.__cause__, "status", None) in (401, 403)
    cut_off = re.search("Connection|Connect(or|Timeout)|Timeout|gaierror", " ".join(kinds)) is not None
    if isinstance(error, ImportError):
        return f"a package for {scheme}:// is missing: `{_INSTALL.get(scheme, f'pip install fsspec[{scheme}]')}`"
    if isinstance(error, FileNotFoundError) and not refused and not cut_off:
        return "no such bucket" if "specified bucket does not exist" in str(error) else "no such file"
    if isinstance(error, IsADirectoryError):
        return "expected a file, got a folder"
    if refused or isinstance(error, PermissionError) or kinds & {"NoCredentialsError", "PartialCredentialsError"}:
        return "no permission to read it; the keys of the store are read from the environment"
    if cut_off:
        return "the store cannot be reached"
    return f"the store answered with an error ({type(error).__name__})"
