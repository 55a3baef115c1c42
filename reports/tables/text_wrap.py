"""Wrap text for a terminal. Only a single word that is too long exceeds the width."""

from __future__ import annotations

import re
import textwrap

_NARROWEST = 40
_HOLD = "\0"  # stands for a space at which no line may break


def wrapped(text: str, width: int, first: str = "", then: str = "  ") -> list[str]:
    """Return `text` in lines of at most `width` columns, and at least 40.

    Words, paths, p values and short bracketed intervals are never split. `first` is the indent of the first line and
    `then` that of the others.
    """
    held = re.sub(r"\[[^]]{,24}\]|\bp [=<] \S+", lambda match: match[0].replace(" ", _HOLD), text)
    lines = textwrap.wrap(
        held,
        max(_NARROWEST, width),
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_HOLD, " ") for line in lines]
