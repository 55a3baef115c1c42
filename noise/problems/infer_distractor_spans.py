"""Find the spans of inserted noise from the two texts alone, for files without spans."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|.", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s*\Z|\A\s*\Z")
_INSERTION_COST, _ROUGH_EDGE_COST = 4, 1
"""Costs. An insertion outweighs both its edges: few long insertions win, then those made of whole sentences."""


@dataclass(frozen=True)
class _Alignment:
    """A linked list of insertions, the last one first, and their cost. Ranges are half-open, of noisy tokens."""

    cost: int
    start: int = 0
    stop: int = 0
    earlier: _Alignment | None = None


def insertions(original: str, noisy: str) -> tuple[tuple[int, int], ...] | None:
    """Return the character ranges of `noisy` whose deletion gives `original`.

    They are as few as possible, and whole sentences where that is possible. Words and numbers are never split. Returns
    None where `noisy` is not `original` with insertions alone. Time is proportional to the length of the original times
    the length of the insertions.
    """
    original_tokens, noisy_tokens = _TOKEN.findall(original), _TOKEN.findall(noisy)
    rest = iter(noisy_tokens)
    if not all(token in rest for token in original_tokens):
        return None
    starts = [0, *accumulate(map(len, noisy_tokens))]
    edge_costs = [0 if _SENTENCE_END.search(noisy[max(0, at - 12) : at]) else _ROUGH_EDGE_COST for at in starts]
    slack = len(noisy_tokens) - len(original_tokens)
    # best[k] is the cheapest alignment of i tokens of the original with i + k of the noisy text. There is one row for
    # each i, and k never exceeds the number of inserted tokens.
    best: list[_Alignment | None] = [_Alignment(0)] + [None] * slack
    for i in range(len(original_tokens) + 1):
        opened: _Alignment | None = None  # the cheapest open insertion, without the cost of its end
        for k in range(slack + 1):
            at, matched = i + k, best[k]
            # On a tie the later position wins: the space after a sentence goes with it, as in `inject`.
            if opened and (matched is None or opened.cost + edge_costs[at] <= matched.cost):
                best[k] = _Alignment(opened.cost + edge_costs[at], opened.start, at, opened.earlier)
            if matched and (opened is None or matched.cost + _INSERTION_COST + edge_costs[at] < opened.cost):
                opened = _Alignment(matched.cost + _INSERTION_COST + edge_costs[at], at, at, matched)
        if i < len(original_tokens):
            best = [
                alignment if noisy_tokens[i + k] == original_tokens[i] else None for k, alignment in enumerate(best)
            ]
    spans, alignment = [], best[slack]
    while alignment and alignment.earlier:
        spans.append((starts[alignment.start], starts[alignment.stop]))
        alignment = alignment.earlier
    return tuple(reversed(spans))
