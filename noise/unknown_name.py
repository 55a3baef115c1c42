"""Error messages for unknown names, with the nearest match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, got: str, known: Iterable[str], allowed: Iterable[str] | None = None) -> str:
    """Return the message for a name that is not `known`: the nearest match, and what is allowed (default: `known`)."""
    known = list(known)
    nearest = difflib.get_close_matches(got.lower(), known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"unknown {kind} {got!r}.{hint} Known: {', '.join(allowed or known)}."
