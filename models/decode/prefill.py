"""Read prompts: their keys and values, by forward passes over rows padded on the right, which need no mask."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from models.decode.edited_prompt import EditedBatch
from models.decode.phase_timer import phase
from models.decode.slot_cache import CachedRows, gather_columns

#: Prompt tokens in one forward pass. More would only take more memory.
MAX_TOKENS = 1024
#: Tokens that all prompts must share for a pass of their own.
MIN_SHARED_TOKENS = 16


def prefill_shared_prefix(
    model: Any, device: torch.device, prompts: Sequence[Sequence[int]], edited: EditedBatch | None = None
) -> CachedRows | None:
    """Return the keys and values of the tokens that all prompts begin with, as one row; None where reading them once
    saves nothing. Of `edited` prompts these are read as usual."""
    first, last = min(map(tuple, prompts)), max(map(tuple, prompts))  # all others sort between them
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    shared = min(shared, min(map(len, prompts)) - 2)  # each row reads one token of its own, and feeds one
    if edited is not None:
        shared = min(shared, edited.usual_tokens)
    if len(prompts) == 1 or shared < MIN_SHARED_TOKENS:
        return None
    if edited is not None:
        edited.edit.cut = None  # it may have that of other rows, such as of the likelihoods before
    with phase("prefill"):
        return _forward(model, device, torch.tensor([list(first[:shared])]), torch.tensor([shared]), None)


def prefill(
    model: Any,
    device: torch.device,
    prompts: Sequence[Sequence[int]],
    prefix: CachedRows | None,
    edited: EditedBatch | None = None,
) -> list[CachedRows]:
    """Return the keys and values of all tokens of `prompts` but the last, which the first decoding step reads.

    `edited` are the same prompts with their positions and cuts.
    """
    skipped = prefix.columns if prefix else 0
    parts, begin = [], 0
    with phase("prefill"):
        while begin < len(prompts):
            width = max(1, len(prompts[begin]) - 1 - skipped)
            batch = prompts[begin : begin + max(1, MAX_TOKENS // width)]
            of_batch = None if edited is None else edited.of(range(begin, begin + len(batch)))
            begin += len(batch)
            lengths = torch.tensor([len(prompt) - 1 for prompt in batch])
            ids = torch.zeros(len(batch), width, dtype=torch.long)
            for row, prompt in enumerate(batch):
                own = list(prompt[skipped:-1])
                ids[row, : len(own)] = torch.tensor(own, dtype=torch.long)
            parts.append(_forward(model, device, ids, lengths, prefix, of_batch))
    return parts


def _forward(
    model: Any,
    device: torch.device,
    ids: torch.Tensor,
    lengths: torch.Tensor,
    prefix: CachedRows | None,
    edited: EditedBatch | None = None,
) -> CachedRows:
    """Run one pass over rows padded on the right. Return their keys and values, right-aligned."""
    cache: Any = DynamicCache(config=model.config)
    if prefix is not None:
        for layer, (keys, values) in enumerate(prefix.layers):
            cache.update(keys.expand(len(ids), -1, -1, -1), values.expand(len(ids), -1, -1, -1), layer)
    begin = cache.get_seq_length()
    columns = begin + ids.shape[1]
    positions = torch.arange(begin, columns).expand(len(ids), -1)
    if edited is not None:
        positions = edited.positions(begin, columns)
        edited.cut_prompts(columns, device)
    model(
        input_ids=ids.to(device),
        position_ids=positions.to(device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    layers = [(layer.keys, layer.values) for layer in cache.layers]
    if int(lengths.min()) < columns:
        aligned = (torch.arange(columns)[None] - (columns - lengths)[:, None]).clamp(min=0)
        layers = [(gather_columns(keys, aligned), gather_columns(values, aligned)) for keys, values in layers]
    return CachedRows(layers, lengths)
