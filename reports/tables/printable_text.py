"""Text of others made safe for a terminal: a name may hold escape codes, which a terminal would obey."""

from __future__ import annotations

import re

#: Control characters but for the line end and the tab, the marks that turn the direction of text around, and
#: surrogates, which stand for bytes of a file name that is no UTF-8 and which a terminal in UTF-8 cannot be sent.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return `text` with control characters as escapes: `\\x1b`."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
