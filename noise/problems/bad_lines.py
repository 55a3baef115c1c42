"""Lines of a problem file that are left out because they are no problems."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BadLine:
    """A line that was left out.

    `number` counts from 1. `reason` is a sentence that begins with `file:line`. `digest` identifies the bytes.
    """

    number: int
    reason: str
    digest: str


def digest_of(raw: bytes) -> str:
    """Return 16 hexadecimal digits that identify the bytes of a line, whatever ends it."""
    return hashlib.sha256(raw.rstrip(b"\r\n")).hexdigest()[:16]


def bad_lines_key(bad_lines: Sequence[BadLine]) -> bytes:
    """Return bytes that tell a file without these lines apart from one in which other lines stand there."""
    return "".join(f"\n{line.number} {line.digest}" for line in bad_lines).encode()


def without(bad_lines: Sequence[BadLine]) -> str:
    """Return ` without 2 bad lines`, for the end of a file's name; empty if none was left out."""
    return f" without {len(bad_lines):,} bad line{'s' * (len(bad_lines) > 1)}" if bad_lines else ""
