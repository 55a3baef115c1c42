"""Prompts whose tokens have positions of their own, or do not see each other, and how batches of them are decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch

from models.attention.attention_edits import AttentionEdit


@dataclass(frozen=True, eq=False)
class EditedPrompt:
    """The tokens of a prompt, and what is unusual about them.

    `positions` are those of its tokens, by default 0, 1, 2, …; what is written after it goes on from the last one.
    `cut` is bool, (query, key), True where a token may not see another; what is written after it takes the last row.
    """

    ids: tuple[int, ...]
    positions: tuple[int, ...] | None = None
    cut: torch.Tensor | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` unless positions and cut are as long as the prompt."""
        length = len(self.ids)
        if self.positions is not None and len(self.positions) != length:
            raise ValueError(f"positions: expected one for each of {length} tokens, got {len(self.positions)}")
        if self.cut is not None and (self.cut.dtype != torch.bool or tuple(self.cut.shape) != (length, length)):
            raise ValueError(f"cut: expected bool of shape {(length, length)}, got {tuple(self.cut.shape)}")

    @property
    def shift(self) -> int:
        """By how much the position of a later token is above its number."""
        return 0 if self.positions is None else self.positions[-1] - len(self.ids) + 1

    @property
    def usual_tokens(self) -> int:
        """The number of tokens at the beginning that have the usual positions and no part in the cut."""
        usual = len(self.ids)
        if self.positions is not None:
            usual = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], enumerate(self.positions)))
        if self.cut is not None:
            touched = (self.cut.any(0) | self.cut.any(1)).nonzero()
            usual = min(usual, int(touched[0])) if len(touched) else usual
        return usual


@dataclass(frozen=True, eq=False)
class EditedBatch:
    """Edited prompts that one decoder reads, and the `edit` of the model that makes their cuts.

    Before each forward pass the edit is given the cut of the rows that it reads.
    """

    prompts: Sequence[EditedPrompt]
    edit: AttentionEdit

    def of(self, indices: Sequence[int]) -> EditedBatch:
        """Return the batch of some of the prompts, in the order of `indices`."""
        return EditedBatch([self.prompts[index] for index in indices], self.edit)

    @property
    def usual_tokens(self) -> int:
        """The number of tokens at the beginning of every prompt that are read as usual."""
        return min(prompt.usual_tokens for prompt in self.prompts)

    @property
    def largest_shift(self) -> int:
        return max(prompt.shift for prompt in self.prompts)

    def positions(self, begin: int, columns: int) -> torch.Tensor:
        """Return the positions of tokens `begin` to `columns` of rows padded on the right, (rows, tokens)."""
        rows = []
        for prompt in self.prompts:
            known = prompt.positions or range(len(prompt.ids))
            row = list(known[begin:columns])
            rows.append(row + [known[-1]] * (columns - begin - len(row)))
        return torch.tensor(rows)

    def cut_prompts(self, columns: int, device: torch.device) -> None:
        """Cut the edges of prompts that are padded on the right to `columns`, whichever of their tokens are queries."""
        if all(prompt.cut is None for prompt in self.prompts):
            self.edit.cut = None
            return
        cut = torch.zeros(len(self.prompts), columns, columns, dtype=torch.bool)
        for row, prompt in enumerate(self.prompts):
            if prompt.cut is not None:
                length = min(len(prompt.ids), columns)
                cut[row, :length, :length] = prompt.cut[:length, :length]
        self.edit.cut = cut.to(device)

    def cut_steps(self, lengths: torch.Tensor, end: int, columns: int, device: torch.device) -> None:
        """Cut the edges of the tokens that follow, whose rows end in column `end`; `lengths` are those of the rows."""
        if all(prompt.cut is None for prompt in self.prompts):
            self.edit.cut = None
            return
        cut = torch.zeros(len(self.prompts), 1, columns, dtype=torch.bool)
        for row, (prompt, length) in enumerate(zip(self.prompts, lengths.tolist(), strict=True)):
            if prompt.cut is not None:
                begin, known = end - length, min(length, len(prompt.ids))
                cut[row, 0, begin : begin + known] = prompt.cut[-1, :known]
        self.edit.cut = cut.to(device)


def padded_left(
    prompts: Sequence[EditedPrompt], lengths: Sequence[int], width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return positions, (rows, width), and cuts, (rows, width, width), of rows that end in the last column.

    A row is `lengths[r]` tokens long: the prompt, and tokens that follow it.
    """
    positions = torch.zeros(len(prompts), width, dtype=torch.long)
    cut = torch.zeros(len(prompts), width, width, dtype=torch.bool)
    for row, (prompt, length) in enumerate(zip(prompts, lengths, strict=True)):
        begin, known = width - length, len(prompt.ids)
        own = torch.tensor(prompt.positions or range(known))
        positions[row, begin : begin + known] = own
        positions[row, begin + known :] = own[-1] + 1 + torch.arange(length - known)
        if prompt.cut is not None:
            cut[row, begin : begin + known, begin : begin + known] = prompt.cut
            cut[row, begin + known :, begin : begin + known] = prompt.cut[-1]
    return positions, cut
