"""File names for models, noises and stages."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

# File systems allow 255 bytes per name. The rest is room for a suffix and for the prefix of a temporary file.
_MAX_LENGTH = 200


def file_name(name: str) -> str:
    """Return `name` as one safe path component.

    Letters, digits and `+-_.~` stay; the rest is percent-encoded as in a URL: `org/name` becomes `org%2Fname`.
    Different names give different files: a name that is too long is cut, and ends in a hash of the whole. Raises
    `ValueError` for an empty name.
    """
    if not name:
        raise ValueError("expected the name of a model, noise or stage, got an empty string")
    safe = quote(name, safe="+", errors="surrogatepass")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) > _MAX_LENGTH:
        digest = hashlib.sha256(safe.encode()).hexdigest()[:16]
        safe = f"{safe[: _MAX_LENGTH - 17]}-{digest}"
    return safe
