"""Greedy decoding with continuous batching: a finished text frees its slot for the next prompt at once.

transformers' `generate` (`models.decode.hf_generate`) holds a batch until its last row ends, copies the whole cache at
every token, and reads prompts through a mask, as it pads them on the left. Here prompts are padded on the right, where
causal attention needs no mask (`models.decode.prefill`). Their keys and values are moved to the right edge of one cache
with room ahead, of which every step writes one column. A beginning that all prompts share (worked examples) is read
once. The model's own forward pass does the rest. `models.decode.supported_models` says where this equals `generate`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers.cache_utils import Cache

from models.attention.cut_attention import edited_attention
from models.decode.batch_size_option import BatchSize
from models.decode.batch_sizing import (
    MEMORY_SHARE,
    BatchSizer,
    ThreadTuner,
    free_memory,
    is_small,
    release_memory,
    synchronized_clock,
)
from models.decode.decode_attention import fast_decode_attention
from models.decode.edited_prompt import EditedBatch
from models.decode.greedy_decoder import GeneratedTokens, GreedyDecoder, longest_first
from models.decode.phase_timer import phase
from models.decode.prefill import prefill, prefill_shared_prefix
from models.decode.slot_cache import CachedRows, SlotCache, stack_rows
from models.upstream_torch import RepeatableTensor

#: Free columns of a new cache. The cache is copied each time they are used up.
FREE_COLUMNS = 64
#: Refill once this share of slots is free. A refill copies the cache, which weighs more where a step is quick (chosen
#: by timing on two cores: docs/speed.md).
REFILL_SHARE, REFILL_SHARE_SMALL = 1 / 8, 1 / 4
#: Number of prompts from which it pays to time both numbers of threads.
MIN_PROMPTS_TO_TUNE_THREADS = 32
#: In the place of a prompt's index, for a row whose text has ended.
ENDED = -1
#: In the place of a token, where the scores of all tokens are not finite.
NOT_FINITE = -1


@dataclass(eq=False, repr=False)
class ContinuousBatchingDecoder(GreedyDecoder):
    """Decodes with `size` slots. `edited` are the prompts, where they have positions of their own or a cut."""

    size: BatchSize
    edited: EditedBatch | None = None

    def __post_init__(self) -> None:
        self.batch_sizer = BatchSizer(self.size, int(free_memory(self.device) * MEMORY_SHARE))
        self._refill_share = REFILL_SHARE_SMALL if is_small(self.model, self.device) else REFILL_SHARE
        self._slots: list[int] = []  # the prompt of each row, ENDED where its text has ended
        self._texts: dict[int, list[int]] = {}  # the tokens of each text that has not ended, by prompt
        self._cache: Any = None
        # of each row: its columns, its tokens in the cache, how far positions are above that, its next input
        self._mask = self._lengths = self._shifts = self._inputs = torch.zeros(0)

    def run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, GeneratedTokens]]:
        edits = () if self.edited is None else (self.edited.edit,)
        with fast_decode_attention(self.model) as used, edited_attention(self.model, *edits):
            self._value_type = RepeatableTensor if used else torch.Tensor
            yield from self._run(prompts)

    def _run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, GeneratedTokens]]:
        tune_threads = len(prompts) >= MIN_PROMPTS_TO_TUNE_THREADS
        self.thread_tuner = ThreadTuner(is_small(self.model, self.device), try_both=tune_threads)
        largest_shift = 0 if self.edited is None else self.edited.largest_shift
        longest = max(map(len, prompts), default=0)
        self._last_position = longest + largest_shift + self.limit - 2  # where the last token may be read
        waiting = longest_first(prompts, range(len(prompts)))
        prefix: CachedRows | None = None
        started = False
        while waiting or self._texts:
            try:
                with self.thread_tuner.apply(), torch.inference_mode():
                    if not started:
                        prefix = prefill_shared_prefix(self.model, self.device, prompts, self.edited)
                        started = True
                    entering = self._entering(waiting)
                    if entering is not None:
                        with phase("move rows"):
                            self._refill(prompts, entering, prefix)
                        waiting = waiting[len(entering) :]
                    with phase("check for ends"):
                        ended = self._advance()
            except RuntimeError as error:
                if not should_reduce_batch_size(error) or not self.batch_sizer.halve():
                    raise
                waiting = longest_first(prompts, {*waiting, *self._texts})
                self._clear()
                warnings.warn(f"out of memory: continuing with {self.batch_sizer.rows} prompts at once", stacklevel=2)
                continue
            yield from ended

    def _clear(self) -> None:
        """Empty all slots and release their memory."""
        self._slots, self._texts = [], {}
        self._cache = None
        release_memory(self.device)

    def _entering(self, waiting: Sequence[int]) -> Sequence[int] | None:
        """Return those of `waiting` that enter now, perhaps none; None where the rows stay as they are."""
        staying = len(self._texts)
        if self._slots:
            if self.batch_sizer.growing:
                self.batch_sizer.review(self._row_bytes)
            layer = self._cache.layers[0]
            full = layer.keys.shape[2] == layer.length
            many_ended = staying <= len(self._slots) * (1 - self._refill_share)
            room = bool(waiting) and self.batch_sizer.rows - staying >= self.batch_sizer.rows * self._refill_share
            if not (full or many_ended or room):
                return None
        return waiting[: max(0, self.batch_sizer.rows - staying)]

    def _advance(self) -> list[tuple[int, GeneratedTokens]]:
        """Take one step. Return the texts that end with it."""
        self.thread_tuner.choose_next()
        torch.set_num_threads(self.thread_tuner.chosen)
        start = synchronized_clock(self.device)
        with phase("decode"):
            self._inputs = self._next_tokens(self._inputs)
        new_tokens = self._inputs.tolist()
        self._inputs = self._inputs.clamp(min=0)
        seconds = synchronized_clock(self.device) - start
        self.thread_tuner.record(seconds)
        if self.thread_tuner.settled:
            self.batch_sizer.record(len(new_tokens), seconds)
        finished = []
        for row, (index, token) in enumerate(zip(self._slots, new_tokens, strict=True)):
            if index == ENDED:
                continue
            text = self._texts[index]
            ended, finite = token in self.end_tokens, token != NOT_FINITE
            if not ended and finite:
                text.append(token)
                ended = self.is_complete(text)
            if ended or not finite or len(text) >= self.limit:
                self._slots[row] = ENDED
                finished.append((index, GeneratedTokens(self._texts.pop(index), ended, finite)))
        return finished

    def _next_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the token that follows each row's, or NOT_FINITE, (rows,)."""
        length = self._cache.layers[0].get_seq_length()
        self._mask[:, length] = 1
        output = self.model(
            input_ids=tokens[:, None],
            attention_mask=self._mask[:, : length + 1],
            # an ended row may be beyond the last position
            position_ids=(self._lengths + self._shifts).clamp(max=self._last_position)[:, None],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._lengths = self._lengths + 1
        best = output.logits[:, -1].float().max(-1)  # compared in float32, as `generate` does
        return best.indices.where(best.values.isfinite(), NOT_FINITE)

    def _refill(self, prompts: Sequence[Sequence[int]], entering: Sequence[int], prefix: CachedRows | None) -> None:
        """Build the cache of the rows that stay and of those that enter, all ending in one column, and the next input
        of each."""
        staying = [row for row, index in enumerate(self._slots) if index != ENDED]
        edited = None if self.edited is None else self.edited.of(entering)
        parts = prefill(self.model, self.device, [prompts[index] for index in entering], prefix, edited)
        known = self._lengths.cpu()[staying] if staying else torch.zeros(0, dtype=torch.long)
        lengths = torch.cat([known, *(part.lengths for part in parts)])
        end = int(lengths.max())
        columns = end + min(FREE_COLUMNS, self.limit)
        old_layers = self._cache.layers if staying else []
        begin = old_layers[0].length - int(known.max()) if staying else 0
        layers: list[Any] = []
        for number in range(len(old_layers) or len(parts[0].layers)):
            # Layer by layer, and each is released once copied: the old and the new cache are never both complete.
            cached = [part.layers.pop(0) for part in parts]
            if staying:
                old = old_layers[number]
                cached.insert(0, tuple(states[staying, :, begin : old.length] for states in (old.keys, old.values)))
                old.keys = old.values = None
            keys, values = (stack_rows(states, end, columns) for states in zip(*cached, strict=True))
            layers.append(SlotCache(keys, values, end, self._value_type))
            del cached
        self._cache = Cache(layers=layers)
        self._lengths = lengths.to(self.device)
        column = torch.arange(columns)[None]
        self._mask = ((column >= end - lengths[:, None]) & (column < end)).long().to(self.device)
        self._slots = [self._slots[row] for row in staying] + list(entering)
        self._shifts = torch.zeros_like(self._lengths)
        if self.edited is not None:
            rows = self.edited.of(self._slots)
            self._shifts = torch.tensor([prompt.shift for prompt in rows.prompts], device=self.device)
            rows.cut_steps(lengths, end, columns, self.device)
        self._texts.update((index, []) for index in entering)
        inputs = [self._texts[index][-1] if self._texts[index] else prompts[index][-1] for index in self._slots]
        self._inputs = torch.tensor(inputs, device=self.device)

    @property
    def _row_bytes(self) -> int:
        """Bytes that a row takes at its longest: its keys and values twice, as those that enter are copied."""
        layers = self._cache.layers
        column = sum(states[0, :, 0].nbytes for layer in layers for states in (layer.keys, layer.values))
        return int(2 * column * (self._lengths.max() + self.limit))
