"""Checkpoints in the local cache of the Hugging Face hub, in the hub's own layout.

https://huggingface.co/docs/hub/local-cache: each file is named after its checksum, so a copy can be verified at any
time, online or offline. No torch here.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from models.loading.checkpoint_layout import has_whole_checkpoint
from models.model_registry import ModelSpec

DEFAULT_REVISION = "main"


def cache_folder(cache: Path | None = None) -> Path:
    """Return `cache`, or else the folder that `HF_HUB_CACHE` and `HF_HOME` give, or the hub's default."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE if cache is None else cache).expanduser()


def cached_checkpoint(spec: ModelSpec, cache: Path | None = None) -> Path | None:
    """Return the folder of the checkpoint if the cache has all of it. The hub is not asked."""
    repository = repository_folder(spec, cache_folder(cache))
    revision = spec.revision or DEFAULT_REVISION
    ref = repository / "refs" / revision
    commit = ref.read_text().strip() if ref.is_file() else revision
    folder = repository / "snapshots" / commit / spec.subfolder
    return folder if has_whole_checkpoint(folder, spec.trust) else None


def repository_folder(spec: ModelSpec, cache: Path) -> Path:
    """Return the folder of a model's repository in a cache."""
    return cache / f"models--{spec.source.replace('/', '--')}"


def write_ref(spec: ModelSpec, commit: str, cache: Path) -> None:
    """Record the commit that a branch or a tag is at, as other clients of the hub do."""
    revision = spec.revision or DEFAULT_REVISION
    if revision != commit:
        ref = repository_folder(spec, cache) / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit)


def has_checksum(path: Path, expected: str) -> bool:
    """Return whether a file has this checksum (hex): 64 digits of SHA-256, or 40 of git's SHA-1 for small files."""
    with path.open("rb") as file:
        if len(expected) == 64:
            return hashlib.file_digest(file, "sha256").hexdigest() == expected
        content = file.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == expected


def expected_checksum(path: Path) -> str | None:
    """Return the checksum (hex) that a file of the cache is named after: 64 digits of SHA-256 or 40 of git's SHA-1.

    None for a file that is not in a hub cache.
    """
    blob = Path(os.path.realpath(path))
    hexadecimal = not set(blob.name) - set("0123456789abcdef")
    return blob.name if blob.parent.name == "blobs" and hexadecimal and len(blob.name) in (40, 64) else None


def source_of_cached_file(path: Path) -> str:
    """Return `org/name@commit/folder` of the checkpoint that a file of the cache belongs to."""
    parts = path.absolute().parts
    snapshots = len(parts) - 1 - parts[::-1].index("snapshots")
    repository = parts[snapshots - 1].removeprefix("models--").replace("--", "/")
    return "/".join([f"{repository}@{parts[snapshots + 1]}", *parts[snapshots + 2 : -1]])
