"""Folders and files on the command line of `python -m reports`."""

from __future__ import annotations

import argparse
from pathlib import Path

from reports.store.url_errors import is_url


def folder_or_url(text: str) -> Path | str:
    """Return a path, but a URL as it is: a path has no `//`."""
    return text if is_url(text) else Path(text)


def local_path(text: str) -> Path:
    """Return a path. Raises `ArgumentTypeError` for a URL, which would become the name of a folder."""
    if is_url(text):
        raise argparse.ArgumentTypeError(
            "expected a folder or file on this machine, got a URL; `python -m reports sync FOLDER URL` copies one there"
        )
    return Path(text)
