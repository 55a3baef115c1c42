"""What the two decoders share: their settings and what they return."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class GeneratedTokens:
    """The tokens after a prompt, without an end of text.

    `finished` is False where the limit came first. `finite` is False where the scores of the next token were NaN or
    infinite: no further token is written.
    """

    tokens: list[int]
    finished: bool
    finite: bool = True


@dataclass(eq=False, repr=False)
class GreedyDecoder(ABC):
    """Writes at most `limit` tokens after a prompt.

    A text also ends before one of `end_tokens`, and where `is_complete(tokens)` says that it holds all that will be
    read.
    """

    model: Any
    device: torch.device
    limit: int
    end_tokens: set[int]
    is_complete: Callable[[list[int]], bool]

    @abstractmethod
    def run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, GeneratedTokens]]:
        """Yield what is written after each of `prompts`, with its index, as it ends. The longest prompts come first.

        Where memory runs out, texts that have not ended are started again in a batch of half the size.
        """


def longest_first(prompts: Sequence[Sequence[int]], indices: Sequence[int] | set[int]) -> list[int]:
    """Return `indices`, the longest prompt first."""
    return sorted(indices, key=lambda index: -len(prompts[index]))
