"""Keys and values of a batch whose rows leave and enter while it is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import CacheLayerMixin


class SlotCache(CacheLayerMixin):
    """One layer's keys and values, of shape (rows, heads, columns, size).

    The first `length` columns are filled, the rest are room for later steps. A row's own columns are the last of the
    filled ones. Values are returned as `value_type`.
    """

    is_sliding = False

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, length: int, value_type: type[torch.Tensor]):
        super().__init__()
        self.keys, self.values, self.length, self.value_type = keys, values, length, value_type
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Do nothing: keys and values are given at construction."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.keys is not None
        assert self.values is not None
        begin, self.length = self.length, self.length + key_states.shape[2]
        self.keys[:, :, begin : self.length] = key_states
        self.values[:, :, begin : self.length] = value_states
        return self.keys[:, :, : self.length], self.values[:, :, : self.length].as_subclass(self.value_type)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


@dataclass(frozen=True)
class CachedRows:
    """Keys and values of some rows. `layers` holds a pair for each layer; the last `lengths[r]` columns are row `r`'s
    own."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    lengths: torch.Tensor

    @property
    def columns(self) -> int:
        return int(self.lengths.max())


def stack_rows(parts: Sequence[torch.Tensor], end: int, columns: int) -> torch.Tensor:
    """Stack the rows of `parts`, each right-aligned before column `end`, in a tensor of `columns` columns.

    Columns in front are zeros: a masked value counts nothing, but uninitialised memory may hold NaN. Columns from `end`
    on are left uninitialised, to be written by later steps.
    """
    first = parts[0]
    stacked = first.new_empty(sum(map(len, parts)), first.shape[1], columns, first.shape[3])
    row = 0
    for part in parts:
        next_row = row + len(part)
        stacked[row:next_row, :, : end - part.shape[2]] = 0
        stacked[row:next_row, :, end - part.shape[2] : end] = part
        row = next_row
    return stacked


def gather_columns(values: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return columns `columns[r]` of each row `r`."""
    index = columns.to(values.device)[:, None, :, None].expand(-1, values.shape[1], -1, values.shape[3])
    return values.gather(2, index)
