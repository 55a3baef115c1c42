"""The steps that a training saves, each sealed with the digests of its files: it resumes from an intact one alone."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from models.upstream_transformers import checkpoint_of_step, saved_steps

#: The file with the digests of all others of a saved step, in the format of `sha256sum`. It is written last.
DIGESTS = "SHA256SUMS"


def seal(checkpoint: Path) -> None:
    """Write the digests of the files in the folder `checkpoint`. Without them it does not count."""
    path, temporary = checkpoint / DIGESTS, checkpoint / f".{DIGESTS}"
    lines = [f"{digest}  {name}\n" for name, digest in _digests(checkpoint).items()]
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def last_intact_step(folder: Path) -> tuple[int, str | None]:
    """Return the newest step in `folder` that is as it was saved, or 0, and a sentence if newer ones are passed over.

    Those are removed: the training comes by their steps again.
    """
    passed_over: list[Path] = []
    last = 0
    for step in saved_steps(folder):
        checkpoint = checkpoint_of_step(folder, step)
        if _is_intact(checkpoint):
            last = step
            break
        passed_over.append(checkpoint)
    for checkpoint in passed_over:
        shutil.rmtree(checkpoint, ignore_errors=True)
    if not passed_over:
        return last, None
    names = ", ".join(checkpoint.name for checkpoint in passed_over)
    start = f"goes on from step {last}" if last else "starts over"
    return last, f"{names} in {folder}: not all of it was saved, or it was changed since; the training {start}"


def _is_intact(checkpoint: Path) -> bool:
    """Return whether the folder holds the files that it was sealed with, byte for byte, and no others."""
    path = checkpoint / DIGESTS
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        sealed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        return bool(sealed) and sealed == _digests(checkpoint)
    except (OSError, ValueError):
        return False


def _digests(checkpoint: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of each file by its path in the folder. Raises `ValueError` for a pipe or a device."""
    digests = {}
    for path in sorted(checkpoint.rglob("*")):
        if path.is_dir() or path in (checkpoint / DIGESTS, checkpoint / f".{DIGESTS}"):
            continue
        if not path.is_file():  # reading it might never end
            raise ValueError(f"{path} is not a regular file")
        with path.open("rb") as file:
            digests[path.relative_to(checkpoint).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
