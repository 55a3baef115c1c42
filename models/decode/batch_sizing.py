"""Choose the batch size and the number of CPU threads by timing the decoding steps themselves."""

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

#: The first and the largest batch size of `auto`.
FIRST_ROWS, MAX_ROWS = 16, 1024
#: Share of the memory free at the start of decoding that caches may take.
MEMORY_SHARE = 0.5
#: Twice the rows must decode at least this many times as fast to be worth their memory.
MIN_SPEEDUP = 1.1
#: Steps timed before a choice.
TIMED_STEPS = 4
#: Below this number of parameters, CPU threads may spend longer waiting for each other than computing.
SMALL_PARAMETERS = 20_000_000


class BatchSizer:
    """The number of rows in a batch.

    A fixed size only changes when memory runs out. `auto` doubles as long as rows per second rise and their caches fit
    into `budget` bytes.
    """

    def __init__(self, size: BatchSize, budget: int):
        self.growing = size == "auto"
        self.rows = FIRST_ROWS if size == "auto" else size
        self._budget = budget
        self._rates: list[float] = []
        self._best_rate = 0.0

    def record(self, rows: int, seconds: float) -> None:
        """Record that a step of `rows` rows took `seconds`."""
        if self.growing and rows == self.rows:
            self._rates.append(rows / seconds)

    def review(self, row_bytes: int) -> None:
        """Choose the size again while growing. `row_bytes` is the memory that a row takes at its longest."""
        if len(self._rates) < TIMED_STEPS:
            return
        rate, self._rates = statistics.median(self._rates), []
        if rate < self._best_rate * MIN_SPEEDUP:
            self.growing = False
            self.rows = self.rows // 2 if rate < self._best_rate else self.rows
            return
        self._best_rate = rate
        if self.rows * 2 > MAX_ROWS or self.rows * 2 * row_bytes > self._budget:
            self.growing = False
        else:
            self.rows *= 2

    def halve(self) -> bool:
        """Halve the size for good. Return False where it was 1 already."""
        self.growing = False
        self.rows, before = max(1, self.rows // 2), self.rows
        return before > 1


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free where a model on `device` keeps its caches."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return int(psutil.virtual_memory().available)


def release_memory(device: torch.device) -> None:
    """Collect garbage and return cached memory to `device`."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def is_small(model: Any, device: torch.device) -> bool:
    """Return whether several threads may be slower than one."""
    return device.type == "cpu" and model.num_parameters() < SMALL_PARAMETERS


class ThreadTuner:
    """The number of torch threads, for a small model on a CPU one or all of them, whichever is faster.

    All threads are faster on an idle machine. On a busy one, each small matrix product waits for a thread that is not
    running. Without `try_both`, where there are too few steps to time, a small model takes one thread.
    """

    def __init__(self, is_small_model: bool, try_both: bool = False):
        all_threads = torch.get_num_threads()
        small_model_choices = [1, all_threads] if try_both and all_threads > 1 else [1]
        self._choices = small_model_choices if is_small_model else [all_threads]
        self._seconds: dict[int, list[float]] = defaultdict(list)
        self.chosen = self._choices[0]

    @property
    def settled(self) -> bool:
        """Whether the choice is final."""
        return len(self._choices) == 1

    def choose_next(self) -> None:
        """Choose the number for the next step: the one that was timed least often."""
        if not self.settled:
            self.chosen = min(self._choices, key=lambda threads: len(self._seconds[threads]))

    def record(self, seconds: float) -> None:
        """Record that a step with the chosen number took `seconds`."""
        if self.settled:
            return
        self._seconds[self.chosen].append(seconds)
        if all(len(self._seconds[threads]) >= TIMED_STEPS for threads in self._choices):
            self.chosen = min(self._choices, key=lambda threads: statistics.median(self._seconds[threads]))
            self._choices = [self.chosen]

    @contextmanager
    def apply(self) -> Iterator[None]:
        """Inside, torch uses the chosen number of threads."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.chosen)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def synchronized_clock(device: torch.device) -> float:
    """Return the time in seconds, once all work queued on `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
