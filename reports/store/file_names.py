"""Names of models, noises and stages as names of files."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

# File systems allow 255 bytes a name; the rest is room for an ending and a temporary file's mark.
_LONGEST = 200


def file_name(name: str) -> str:
    """`name` as one safe path component: letters, digits and `+-_.~` stay, the rest is percent-encoded as in a URL.

    `org/name` becomes `org%2Fname`. Different names give different files: a name too long for a file system is cut
    and ends in a hash of the whole. Raises `ValueError` for an empty name.
    """
    if not name:
        raise ValueError("expected the name of a model, noise or stage, found an empty one")
    safe = quote(name, safe="+", errors="surrogatepass")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) > _LONGEST:
        whole = hashlib.sha256(safe.encode()).hexdigest()[:16]
        safe = f"{safe[: _LONGEST - 17]}-{whole}"
    return safe
