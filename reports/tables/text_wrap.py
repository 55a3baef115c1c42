"""Wrap text for a terminal. Only a single word that is too long exceeds the width."""

from __future__ import annotations

import re
import textwrap

_NARROWEST = 40
_HOLD = "\0"  # stands for a space at which no line may break


def wrapped(text: str, width: int, initial_indent: str = "", subsequent_indent: str = "  ") -> list[str]:
    """Return `text` in lines of at most `width` columns, and at least 40.

    Words, paths, p values and short bracketed intervals are never split. `initial_indent` is the indent of the first
    line and `subsequent_indent` that of the others.
    """
    held = re.sub(r"\[[^]]{,24}\]|\bp [=<] \S+", lambda match: match[0].replace(" ", _HOLD), text)
    lines = textwrap.wrap(
        held,
        max(_NARROWEST, width),
        initial_indent=initial_indent,
        subsequent_indent=subsequent_indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_HOLD, " ") for line in lines]
