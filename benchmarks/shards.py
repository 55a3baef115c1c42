"""Shards: the parts that `--shard I/N` divides the problems of every cell into, one for each machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.plan_errors import PlanError, escaped

#: The most shards that a run can be divided into.
MOST_SHARDS = 1_000
_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Shard `number` of `count`, counted from 1. The default is the whole run."""

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        """Raise `PlanError` for a shard that does not exist."""
        if not 1 <= self.number <= self.count <= MOST_SHARDS:
            raise PlanError(
                f"{{shard}}: expected I/N, with I from 1 to N and N from 1 to {MOST_SHARDS:,}, as in 1/3",
                shard=str(self),
            )

    @property
    def is_whole(self) -> bool:
        """Whether this is the only shard of its run."""
        return self.count == 1

    def part(self, items: Sequence[Item]) -> list[Item]:
        """Return those of `items` that this shard takes: number I, and every N-th after it, in their order.

        The shards of one count share out all items, and the first items of a sequence are shared out in the same way
        whatever comes after them. Neighbours go to different shards, so that a source that is sorted, by difficulty for
        instance, gives each shard some of everything.
        """
        return list(items[self.number - 1 :: self.count])

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


WHOLE = Shard()


def read_shard(text: str | None) -> Shard:
    """Return the shard that `--shard` names, as in `2/3`; the whole run for None. Raises `PlanError`."""
    if text is None:
        return WHOLE
    match = _SHARD.fullmatch(text.strip())
    if match is None:
        raise PlanError(f"{{shard:name}} {escaped(repr(text[:60]))}: expected I/N, two numbers, as in 1/3")
    return Shard(int(match[1]), int(match[2]))
