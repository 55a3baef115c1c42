"""What is handed to whom: pieces of a cell's items, for workers that may be lost. No Ray and no torch here."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

#: How often an item may lose the worker that it was alone with.
MOST_LOSSES_ALONE = 3


@dataclass(frozen=True)
class Piece:
    """The ids of items that one worker is asked for."""

    ids: tuple[str, ...]


class WorkQueue:
    """Hands out the items of `sizes` (id → how long the item takes, in any unit) in pieces, to `workers` workers.

    Large pieces come first and smaller ones later (guided self-scheduling), so that all workers end at about the same
    time; none has fewer than `least` items, unless each worker's share of all is less. The items of one of `groups`
    (id → its name) come together, and the largest of them first. A single worker gets everything at once.

    What a lost worker leaves unanswered is handed out again, after what was never asked, in pieces of at most half the
    number. So an item that ends every worker that asks it is alone after a few losses, and its neighbours are answered.
    It is given up when it has lost its worker alone `MOST_LOSSES_ALONE` times.
    """

    def __init__(
        self, sizes: Mapping[str, float], workers: int, least: int = 1, groups: Mapping[str, str] | None = None
    ) -> None:
        self._sizes = {id: max(float(size), 1.0) for id, size in sizes.items()}
        self._workers, self._least = workers, min(least, -(-len(sizes) // workers))
        self._unanswered = dict.fromkeys(sizes)
        names = {id: (groups or {}).get(id, "") for id in sizes}
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names.values()))}
        self._rank = {id: (numbers[names[id]], -sizes[id]) for id in sizes}
        self._fresh = sorted(sizes, key=self._rank.__getitem__)[::-1]  # the next is at the end
        #: What lost workers have left: losses, rank and id, the ones that were lost least often first.
        self._left: list[tuple[int, tuple[int, float], str]] = []
        self._waiting = sum(self._sizes.values())  # the size of all that is not handed out
        self._losses: dict[str, int] = {}
        self._losses_alone: dict[str, int] = {}
        self._most_together: dict[str, int] = {}

    @property
    def is_open(self) -> bool:
        """Whether items are neither answered nor given up."""
        return bool(self._unanswered)

    @property
    def has_more(self) -> bool:
        """Whether `take` may have a piece."""
        return bool(self._fresh or self._left)

    def take(self) -> Piece | None:
        """Return the next piece; None where every item is handed out, or answered."""
        share = self._waiting / (self._workers if self._workers == 1 else 2 * self._workers)
        ids, size = list[str](), 0.0
        next_id = self._pop_fresh if self._fresh else self._pop_left
        while len(ids) < self._least or size < share:
            id = next_id(len(ids))
            if id is None:
                break
            ids.append(id)
            size += self._sizes[id]
        self._waiting -= size
        return Piece(tuple(ids)) if ids else None

    def _pop_fresh(self, _: int) -> str | None:
        return self._fresh.pop() if self._fresh else None

    def _pop_left(self, together: int) -> str | None:
        """Return an item that a lost worker has left; None where there is none that may join `together` others."""
        while self._left:
            id = self._left[0][2]
            if id in self._unanswered and self._most_together[id] <= together:
                return None
            heapq.heappop(self._left)
            if id in self._unanswered:
                return id
            self._waiting -= self._sizes[id]  # a worker that was taken for lost has answered it
        return None

    def accept(self, id: str) -> bool:
        """Return whether this is the first answer of an item; any other is to be dropped."""
        if id not in self._unanswered:
            return False
        del self._unanswered[id]
        return True

    def unanswered(self, piece: Piece) -> list[str]:
        """Return those of a piece that have no answer yet."""
        return [id for id in piece.ids if id in self._unanswered]

    def lose(self, piece: Piece) -> list[str]:
        """Take back what a lost worker has left of its piece. Return the items that are given up: none, or one."""
        left = self.unanswered(piece)
        if len(left) == 1:
            alone = self._losses_alone[left[0]] = self._losses_alone.get(left[0], 0) + 1
            if alone == MOST_LOSSES_ALONE:
                del self._unanswered[left[0]]
                return left
        for id in left:
            self._losses[id] = self._losses.get(id, 0) + 1
            self._most_together[id] = max(1, len(left) // 2)
            heapq.heappush(self._left, (self._losses[id], self._rank[id], id))
            self._waiting += self._sizes[id]
        return []
