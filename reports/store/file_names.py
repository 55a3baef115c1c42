"""File names for models, noises and stages."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

# File systems allow 255 bytes per name. The rest is room for a suffix and for the prefix of a temporary file.
_MAX_LENGTH = 200
# Devices of Windows, whatever stands behind a dot:
# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file#naming-conventions
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)


def file_name(name: str) -> str:
    """Return `name` as one safe path component.

    Letters, digits and `+-_.~` stay; the rest is percent-encoded as in a URL: `org/name` becomes `org%2Fname`.
    A name that Windows gives to a device, or whose last dot it drops, has that character encoded. Different names give
    different files, but for their case, which not every disk keeps apart: a name that is too long is cut, and ends in a
    hash of the whole. Raises `ValueError` for an empty name.
    """
    if not name:
        raise ValueError("expected the name of a model, noise or stage, got an empty string")
    safe = quote(name, safe="+", errors="surrogatepass")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if safe.endswith("."):  # Windows drops it
        safe = f"{safe[:-1]}%2E"
    if _RESERVED.fullmatch(safe.partition(".")[0]):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    if len(safe) > _MAX_LENGTH:
        digest = hashlib.sha256(safe.encode()).hexdigest()[:16]
        safe = f"{safe[: _MAX_LENGTH - 17]}-{digest}"
    return safe
