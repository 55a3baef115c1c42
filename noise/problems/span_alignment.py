"""Where noise was put in, found from the two texts alone, for files that do not say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|\s|.", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s*\Z|\A\s*\Z")
_INSERTION, _ROUGH_EDGE = 4, 1
"""Costs: an insertion outweighs both its edges, so that few and long ones win, then those made of whole sentences."""


@dataclass(frozen=True)
class _Found:
    """Insertions, the last one first, as half-open ranges of tokens of the noisy text, and what they cost so far."""

    cost: int
    start: int = 0
    stop: int = 0
    earlier: _Found | None = None


def insertions(original: str, noisy: str) -> tuple[tuple[int, int], ...] | None:
    """The character ranges of `noisy` whose deletion gives `original`: as few as can be, at ends of sentences.

    Words and numbers are never split. None where `noisy` is not `original` with insertions alone. Time grows with
    the length of the original times the length of what was inserted.
    """
    old, new = _TOKEN.findall(original), _TOKEN.findall(noisy)
    rest = iter(new)
    if not all(token in rest for token in old):
        return None
    starts = [0, *accumulate(map(len, new))]
    rough = [0 if _SENTENCE_END.search(noisy[max(0, at - 12) : at]) else _ROUGH_EDGE for at in starts]
    slack = len(new) - len(old)
    # kept[k] is the cheapest way to make i tokens of the original out of i + k tokens of the noisy text. One row for
    # each i, so that nothing is ever computed where more would be inserted than was.
    kept: list[_Found | None] = [_Found(0)] + [None] * slack
    for i in range(len(old) + 1):
        opened: _Found | None = None  # the cheapest insertion under way, without the cost of its end
        for k in range(slack + 1):
            at, matched = i + k, kept[k]
            # On a tie the later place wins: the space behind a sentence goes with it, as where we put one in.
            if opened and (matched is None or opened.cost + rough[at] <= matched.cost):
                kept[k] = _Found(opened.cost + rough[at], opened.start, at, opened.earlier)
            if matched and (opened is None or matched.cost + _INSERTION + rough[at] < opened.cost):
                opened = _Found(matched.cost + _INSERTION + rough[at], at, at, matched)
        if i < len(old):
            kept = [found if new[i + k] == old[i] else None for k, found in enumerate(kept)]
    spans, found = [], kept[slack]
    while found and found.earlier:
        spans.append((starts[found.start], starts[found.stop]))
        found = found.earlier
    return tuple(reversed(spans))
