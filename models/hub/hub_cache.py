"""What is here of the Hugging Face hub, in the hub's own cache and layout: https://huggingface.co/docs/hub/local-cache.

There each file goes by its checksum, so that a copy can be checked for as long as it lives, with a network or without.
No torch here.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from models.loading.checkpoint_layout import is_whole
from models.model_registry import ModelSpec

DEFAULT_REVISION = "main"


def cache_folder(cache: Path | None = None) -> Path:
    """Where checkpoints are kept: `cache`, or what `HF_HUB_CACHE` and `HF_HOME` say, or the hub's default."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE if cache is None else cache).expanduser()


def cached(spec: ModelSpec, cache: Path | None = None) -> Path | None:
    """The folder of the checkpoint if all of it is here; nobody is asked."""
    root = repository_folder(spec, cache_folder(cache))
    revision = spec.revision or DEFAULT_REVISION
    ref = root / "refs" / revision
    commit = ref.read_text().strip() if ref.is_file() else revision
    folder = root / "snapshots" / commit / spec.subfolder
    return folder if is_whole(folder, spec.trust) else None


def repository_folder(spec: ModelSpec, place: Path) -> Path:
    """Where a cache keeps the repository of a model."""
    return place / f"models--{spec.source.replace('/', '--')}"


def point(spec: ModelSpec, commit: str, place: Path) -> None:
    """Note which commit a branch or a tag was at, as other programs of the hub do."""
    revision = spec.revision or DEFAULT_REVISION
    if revision != commit:
        ref = repository_folder(spec, place) / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit)


def has_checksum(path: Path, expected: str) -> bool:
    """Whether a file has this checksum (hex): 64 digits of SHA-256, or 40 of git's SHA-1, which small files have."""
    with path.open("rb") as file:
        if len(expected) == 64:
            return hashlib.file_digest(file, "sha256").hexdigest() == expected
        content = file.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == expected


def checksum_of(path: Path) -> str | None:
    """The checksum (hex) that a file of the hub's cache goes by: 64 digits of SHA-256 or 40 of git's SHA-1; None for
    any other file."""
    kept = Path(os.path.realpath(path))
    hexadecimal = not set(kept.name) - set("0123456789abcdef")
    return kept.name if kept.parent.name == "blobs" and hexadecimal and len(kept.name) in (40, 64) else None


def address_of(path: Path) -> str:
    """What to type for the checkpoint that a file of the cache belongs to: `org/name@commit/folder`."""
    parts = path.absolute().parts
    at = len(parts) - 1 - parts[::-1].index("snapshots")
    source = parts[at - 1].removeprefix("models--").replace("--", "/")
    return "/".join([f"{source}@{parts[at + 1]}", *parts[at + 2 : -1]])
