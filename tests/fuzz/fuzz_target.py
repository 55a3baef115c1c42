"""What a fuzz target is, and how its cases are run."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FuzzTarget:
    """Code that is given made-up inputs, and what must hold for each of them.

    `draw` makes an input from a random generator, and from nothing else. `check` raises `AssertionError` where a claim
    fails, lets through what the code must not raise, and returns what the input was, in a word or two: a campaign
    counts these, so that one whose inputs are all refused is seen.
    """

    name: str
    draw: Callable[[random.Random], Any]
    check: Callable[[Any], str]


class CaseFailedError(Exception):
    """A claim failed for the case `number` of a target; `drawn` is its input. The cause is what was raised."""

    def __init__(self, target: str, seed: int, number: int, drawn: Any) -> None:
        super().__init__(f"{target}: case {number} of seed {seed} failed")
        self.number, self.drawn = number, drawn


@dataclass
class Campaign:
    """What was run: the number of cases, what they were, and the wall time in seconds."""

    cases: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


def run_cases(
    target: FuzzTarget, seed: int = 0, cases: int | None = None, seconds: float | None = None, first: int = 0
) -> Campaign:
    """Run the cases `first`, `first + 1`, … until there were `cases` of them or `seconds` have passed.

    A case depends on the target's name, the seed and its number alone. Raises `CaseFailedError` for the first that
    fails.
    """
    campaign, start = Campaign(), time.perf_counter()
    for number in itertools.count(first) if cases is None else range(first, first + cases):
        campaign.kinds[run_case(target, seed, number)] += 1
        campaign.cases += 1
        campaign.seconds = time.perf_counter() - start
        if seconds is not None and campaign.seconds >= seconds:
            break
    return campaign


def run_case(target: FuzzTarget, seed: int, number: int) -> str:
    """Run one case, and return what it was. Raises `CaseFailedError`."""
    drawn = target.draw(random.Random(f"{target.name}/{seed}/{number}"))
    try:
        return target.check(drawn)
    except Exception as error:
        raise CaseFailedError(target.name, seed, number, drawn) from error
