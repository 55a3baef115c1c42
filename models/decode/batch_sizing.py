"""How many prompts are decoded at once and with how many threads: found by timing the steps that are made anyway."""

from __future__ import annotations

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch

from models.decode.batch_size_option import BatchSize

#: Rows that `auto` begins with, and the most it goes to.
FIRST, MOST = 16, 1024
#: Of the memory that is free when decoding begins, the share that caches may take.
BUDGET = 0.5
#: Twice the rows have to answer this many times as fast to be worth their memory.
GAIN = 1.1
#: Steps timed before a choice.
TIMED = 4
#: Below this, in parameters, the threads of a CPU may wait for each other longer than they work.
SMALL = 20_000_000


class Seats:
    """How many rows a batch has. A number stays what it is, unless memory runs out. `auto` doubles as long as more rows
    a second come of it and `budget` bytes hold their caches."""

    def __init__(self, size: BatchSize, budget: int):
        self.growing = size == "auto"
        self.rows = FIRST if size == "auto" else size
        self._budget = budget
        self._timed: list[float] = []
        self._best = 0.0

    def timed(self, rows: int, seconds: float) -> None:
        """A step of `rows` rows took so long."""
        if self.growing and rows == self.rows:
            self._timed.append(rows / seconds)

    def review(self, row_bytes: int) -> None:
        """Choose anew while growing, now that rows may enter, each of which takes `row_bytes` in the end."""
        if len(self._timed) < TIMED:
            return
        rate, self._timed = statistics.median(self._timed), []
        if rate < self._best * GAIN:
            self.growing = False
            self.rows = self.rows // 2 if rate < self._best else self.rows
            return
        self._best = rate
        if self.rows * 2 > MOST or self.rows * 2 * row_bytes > self._budget:
            self.growing = False
        else:
            self.rows *= 2

    def halve(self) -> bool:
        """Make do with half as many for good. False where there is only one."""
        self.growing = False
        self.rows, before = max(1, self.rows // 2), self.rows
        return before > 1


def free_memory(device: torch.device) -> int:
    """Bytes that are free where a model on `device` keeps its caches."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return int(psutil.virtual_memory().available)


def give_back(device: torch.device) -> None:
    """Let go of what nobody holds any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def is_small(model: Any, device: torch.device) -> bool:
    """Whether more threads may be slower than one."""
    return device.type == "cpu" and model.num_parameters() < SMALL


class Threads:
    """One thread or all of them, whichever makes the steps of a small model on a CPU faster: all are faster while
    nobody else uses the machine; beside a busy neighbour each small product waits for a thread that does not run.
    Where there are too few steps to `try_both`, a small model takes one."""

    def __init__(self, small: bool, try_both: bool = False):
        every = torch.get_num_threads()
        self._choices = [every] if not small else [1, every] if try_both and every > 1 else [1]
        self._timed: dict[int, list[float]] = defaultdict(list)
        self.chosen = self._choices[0]

    @property
    def settled(self) -> bool:
        """Whether nothing is tried any more."""
        return len(self._choices) == 1

    def next(self) -> None:
        """Choose for the step that comes."""
        if not self.settled:
            self.chosen = min(self._choices, key=lambda number: len(self._timed[number]))

    def timed(self, seconds: float) -> None:
        """The step took so long."""
        if self.settled:
            return
        self._timed[self.chosen].append(seconds)
        if all(len(self._timed[number]) >= TIMED for number in self._choices):
            self.chosen = min(self._choices, key=lambda number: statistics.median(self._timed[number]))
            self._choices = [self.chosen]

    @contextmanager
    def set(self) -> Iterator[None]:
        """Inside, torch uses the chosen number."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.chosen)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def clock(device: torch.device) -> float:
    """Seconds, when what was asked of `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
