"""Text of others for a terminal: a checkpoint's names and a model's answers may hold escape codes."""

from __future__ import annotations


def for_terminal(text: str) -> str:
    """Return `text` with all that a terminal would obey as escapes, `\\x1b`, but for line ends and tabs."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )
