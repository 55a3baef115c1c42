"""Errors of a store behind a URL (`s3://…`), as one sentence that holds nothing secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from reports.store.atomic_io import ResultsFolderError

#: A scheme, a bucket or a host with its port, and a path. No user, no password, no query, which may be a signature.
_PLAIN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^@:/?#\0-\x1f\x7f]*(:\d{1,5})?(/[^?#\0-\x1f\x7f]*)?")
#: The packages of stores that fsspec itself does not bring, and what installs each.
_INSTALL = {
    **dict.fromkeys(("s3", "s3a"), "pip install -r requirements-remote.txt"),
    **dict.fromkeys(("gs", "gcs"), "pip install gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "pip install adlfs"),
}


class RemoteFolderError(ResultsFolderError):
    """A results folder at a URL cannot be read or written, or does not fit the local one."""


def is_url(text: object) -> bool:
    """Return whether `text` is a text with `://` in it."""
    return isinstance(text, str) and "://" in text


def check_folder_url(url: str) -> None:
    """Raise `RemoteFolderError` for a URL that carries a user name, a password or a query, or that names no folder.

    The message does not repeat the URL.
    """
    path = url.partition("://")[2].strip("/")
    if not _PLAIN_URL.fullmatch(url) or "::" in url or not path or ".." in path.split("/"):
        raise RemoteFolderError(
            "expected the URL of a folder, such as s3://bucket/folder, without a user name, a password, a key or a"
            " query (?…) in it: keys are read from the environment alone, and a URL is written to the record of a run"
        )
    if scheme_of(url) in ("http", "https"):
        raise RemoteFolderError(f"{url}: a results folder cannot be written over http; name that of a store, as s3://…")


def scheme_of(url: str) -> str:
    """Return `s3` for `s3://bucket/folder`."""
    return url.partition("://")[0].lower()


@contextmanager
def explaining_store_errors(url: str, verb: str) -> Iterator[None]:
    """Convert what a store raises to a `RemoteFolderError` that says that `url` cannot be read or written, and why.

    The store's own text is left out, as it may quote what it was asked with.
    """
    try:
        yield
    except ResultsFolderError:
        raise
    except Exception as error:  # each store has exceptions of its own
        raise RemoteFolderError(f"cannot {verb} {url}: {_reason(url, error)}") from None


def _reason(url: str, error: Exception) -> str:
    kinds = {kind.__name__ for cause in (error, error.__cause__) for kind in type(cause).__mro__}
    if isinstance(error, ImportError):
        scheme = scheme_of(url)
        return f"a package for {scheme}:// is missing: `{_INSTALL.get(scheme, f'pip install fsspec[{scheme}]')}`"
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        return f"unknown scheme {scheme_of(url)!r}; expected s3, gs, file or another that fsspec knows"
    if isinstance(error, PermissionError) or kinds & {"NoCredentialsError", "PartialCredentialsError"}:
        return "no permission; the keys of the store are read from the environment"
    if re.search("Connection|Connect(or|Timeout)|Timeout|gaierror", " ".join(kinds)):
        return "the store cannot be reached"
    if isinstance(error, FileNotFoundError):
        return "no such bucket" if "specified bucket does not exist" in str(error) else "no such file or folder"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "expected a folder, got a file"
    if isinstance(error, NotImplementedError):
        return "a store that takes no files"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)  # and not its own text
    return f"the store answered with an error ({type(error).__name__})"
