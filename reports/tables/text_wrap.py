"""Lines for a terminal: never wider than it is, but where a single word is."""

from __future__ import annotations

import re
import textwrap

_NARROWEST = 40
_HOLD = "\0"  # in place of a space at which no line may end


def wrapped(text: str, width: int, first: str = "", then: str = "  ") -> list[str]:
    """`text` in lines of at most `width` columns; words, paths, p values and what is short and stands in brackets stay
    whole. `first` and `then` are put in front of the first line and of the others."""
    held = re.sub(r"\[[^]]{,24}\]|\bp [=<] \S+", lambda whole: whole[0].replace(" ", _HOLD), text)
    lines = textwrap.wrap(
        held,
        max(_NARROWEST, width),
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_HOLD, " ") for line in lines]
