"""Greedy decoding with continuous batching: a finished sequence frees its slot for the next prompt at once.

transformers' `generate` (`models.decode.hf_generate`) holds a batch to its last row, copies the whole cache of keys
and values at every token, and reads prompts through a mask, as it pads them on the left. Here prompts are read padded
on the right, where causal attention needs no mask; their keys and values are moved to the right edge of one cache with
room ahead, of which every step writes one column; and where all prompts begin alike (worked examples), the beginning is
read once. The model's own forward pass does all the rest. `can_decode` says for which models that is the same as
`generate`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers import GenerationMixin
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, DynamicLayer

from models.decode.batch_size_option import BatchSize
from models.decode.batch_sizing import BUDGET, Seats, Threads, clock, free_memory, give_back, is_small
from models.decode.decode_attention import Values, one_token_attention

#: Columns of the cache that are made at once, so that it is copied that much less often.
AHEAD = 64
#: Rows leave and enter when this share of the seats is free: each time, the cache is copied, which weighs more where a
#: step is quick (chosen by timing on two cores: docs/speed.md).
SHARE, SHARE_OF_SMALL = 1 / 8, 1 / 4
#: Tokens of prompts in one forward pass: more would only take more memory.
READ_AT_ONCE = 1024
#: From so many prompts on it is worth while to find out how many threads are faster.
MANY = 32
#: In the place of a prompt's number, for a row whose text has ended.
ENDED = -1
#: Settings of a model's own generation that leave greedy decoding as it is, or that are given anew.
_HARMLESS = frozenset(
    "bos_token_id eos_token_id pad_token_id decoder_start_token_id do_sample temperature top_k top_p min_p typical_p"
    " num_beams repetition_penalty max_length max_new_tokens use_cache output_attentions output_hidden_states"
    " transformers_version _from_model_config".split()
)


@dataclass(frozen=True)
class Written:
    """The tokens after a prompt, without an end of text; `finished` is false where the limit came first."""

    tokens: list[int]
    finished: bool


def can_decode(model: Any) -> bool:
    """Whether `model` is a decoder of transformers' own with nothing but plain full attention, for which every step of
    `generate` is one forward pass and the most likely token."""
    takes = inspect.signature(model.forward).parameters
    rope = str(getattr(model.config, "rope_parameters", None))
    made = model.generation_config.to_diff_dict()
    return (
        type(model).__module__.startswith("transformers.")
        and type(model).generate is GenerationMixin.generate
        and type(model).prepare_inputs_for_generation is GenerationMixin.prepare_inputs_for_generation
        and {"input_ids", "attention_mask", "position_ids", "past_key_values", "logits_to_keep"} <= takes.keys()
        and takes.keys().isdisjoint({"encoder_hidden_states", "cross_attention_states"})
        and not any(kind in rope for kind in ("longrope", "dynamic"))  # what depends on all rows of a batch
        and all(name in _HARMLESS for name, value in made.items() if value is not None)
        and all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)
    )


class _Seats(CacheLayerMixin):
    """One layer's keys and values, (rows, heads, columns, size): `length` columns of them are filled, the rest are for
    the steps to come. A row's own columns are the last of the filled ones."""

    is_sliding = False

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, length: int, kind: type[torch.Tensor]):
        super().__init__()
        self.keys, self.values, self.length, self.kind = keys, values, length, kind
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing: it is made from what was read."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.keys is not None
        assert self.values is not None
        begin, self.length = self.length, self.length + key_states.shape[2]
        self.keys[:, :, begin : self.length] = key_states
        self.values[:, :, begin : self.length] = value_states
        return self.keys[:, :, : self.length], self.values[:, :, : self.length].as_subclass(self.kind)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


@dataclass(frozen=True)
class _Part:
    """Rows of a cache: `layers` holds each layer's keys and values, of which the last `lengths[r]` columns are row
    `r`'s own."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    lengths: torch.Tensor

    @property
    def columns(self) -> int:
        return int(self.lengths.max())


@dataclass(eq=False, repr=False)
class Decoding:
    """What decodes, and how far: at most `limit` tokens, up to one of `ends`, the tokens that end a text, or to where
    `complete` says of the tokens so far that they hold all that will be read."""

    model: Any
    device: torch.device
    limit: int
    ends: set[int]
    complete: Callable[[list[int]], bool]


@dataclass(eq=False, repr=False)
class Decoder(Decoding):
    """One model's decoding with `size` seats."""

    size: BatchSize

    def __post_init__(self) -> None:
        self.seats = Seats(self.size, int(free_memory(self.device) * BUDGET))
        self._share = SHARE_OF_SMALL if is_small(self.model, self.device) else SHARE
        self._seated: list[int] = []  # the prompt in each row, ENDED where its text has ended
        self._texts: dict[int, list[int]] = {}  # what is written in the rows that go on, by prompt
        self._cache: Any = None
        self._mask = self._positions = self._tokens = torch.zeros(0)  # of each row: its columns, what it reads next

    def run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Written]]:
        """What is written after each of `prompts`, with its index, as it ends; the longest prompts begin.

        Where memory runs out, the texts that have not ended begin anew with half as many at once.
        """
        with one_token_attention(self.model) as taken:
            self._kind = Values if taken else torch.Tensor
            yield from self._run(prompts)

    def _run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Written]]:
        self.threads = Threads(is_small(self.model, self.device), try_both=len(prompts) >= MANY)
        self._last = max(map(len, prompts), default=0) + self.limit - 2  # where the last token is read, at the most
        waiting = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
        shared: _Part | None = None
        begun = False
        while waiting or self._texts:
            try:
                with self.threads.set(), torch.inference_mode():
                    if not begun:
                        shared, begun = self._read_beginning(prompts), True
                    entering = self._entering(waiting)
                    if entering is not None:
                        self._seat(prompts, entering, shared)
                        waiting = waiting[len(entering) :]
                    ended = self._advance()
            except RuntimeError as error:
                if not should_reduce_batch_size(error) or not self.seats.halve():
                    raise
                waiting = sorted({*waiting, *self._texts}, key=lambda index: -len(prompts[index]))
                self._leave()
                warnings.warn(f"not enough memory: going on with {self.seats.rows} problems at once", stacklevel=2)
                continue
            yield from ended

    def _leave(self) -> None:
        """Give every seat and all memory back."""
        self._seated, self._texts = [], {}
        self._cache = None
        give_back(self.device)

    def _entering(self, waiting: Sequence[int]) -> Sequence[int] | None:
        """Those of `waiting` that are to take a seat now, perhaps nobody; None where the rows are well as they are."""
        stay = len(self._texts)
        if self._seated:
            if self.seats.growing:
                self.seats.review(self._row_bytes)
            layer = self._cache.layers[0]
            full = layer.keys.shape[2] == layer.length
            few = stay <= len(self._seated) * (1 - self._share)
            room = bool(waiting) and self.seats.rows - stay >= self.seats.rows * self._share
            if not (full or few or room):
                return None
        return waiting[: max(0, self.seats.rows - stay)]

    def _advance(self) -> list[tuple[int, Written]]:
        """One step, and the texts that it ends."""
        self.threads.next()
        torch.set_num_threads(self.threads.chosen)
        begin = clock(self.device)
        self._tokens = self._step(self._tokens)
        read = self._tokens.tolist()
        seconds = clock(self.device) - begin
        self.threads.timed(seconds)
        if self.threads.settled:
            self.seats.timed(len(read), seconds)
        found = []
        for row, (index, token) in enumerate(zip(self._seated, read, strict=True)):
            if index == ENDED:
                continue
            text = self._texts[index]
            ended = token in self.ends
            if not ended:
                text.append(token)
                ended = self.complete(text)
            if ended or len(text) >= self.limit:
                self._seated[row] = ENDED
                found.append((index, Written(self._texts.pop(index), ended)))
        return found

    def _step(self, tokens: torch.Tensor) -> torch.Tensor:
        """The token that follows each row's."""
        length = self._cache.layers[0].get_seq_length()
        self._mask[:, length] = 1
        found = self.model(
            input_ids=tokens[:, None],
            attention_mask=self._mask[:, : length + 1],
            position_ids=self._positions.clamp(max=self._last)[:, None],  # a row that has ended may be beyond
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._positions = self._positions + 1
        return found.logits[:, -1].float().argmax(-1)  # compared in float32, as `generate` does

    def _read_beginning(self, prompts: Sequence[Sequence[int]]) -> _Part | None:
        """The keys and values of the tokens that all prompts begin with, where reading them once saves something."""
        first, last = min(map(tuple, prompts)), max(map(tuple, prompts))  # all others lie between them
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
        alike = min(alike, min(map(len, prompts)) - 2)  # each row reads one token of its own, and feeds one
        if len(prompts) == 1 or alike < 16:
            return None
        return self._forward(torch.tensor([list(first[:alike])]), torch.tensor([alike]), None)

    def _read(self, prompts: Sequence[Sequence[int]], shared: _Part | None) -> list[_Part]:
        """Their keys and values, all but the last token's, which the first step is for."""
        skip = shared.columns if shared else 0
        parts, begin = [], 0
        while begin < len(prompts):
            width = max(1, len(prompts[begin]) - 1 - skip)
            some = prompts[begin : begin + max(1, READ_AT_ONCE // width)]
            begin += len(some)
            lengths = torch.tensor([len(prompt) - 1 for prompt in some])
            ids = torch.zeros(len(some), width, dtype=torch.long)
            for row, prompt in enumerate(some):
                own = list(prompt[skip:-1])
                ids[row, : len(own)] = torch.tensor(own, dtype=torch.long)
            parts.append(self._forward(ids, lengths, shared))
        return parts

    def _forward(self, ids: torch.Tensor, lengths: torch.Tensor, shared: _Part | None) -> _Part:
        """One pass over rows that are padded on the right, and what it leaves in the cache, moved to the right."""
        cache: Any = DynamicCache(config=self.model.config)
        if shared is not None:
            for number, (keys, values) in enumerate(shared.layers):
                cache.update(keys.expand(len(ids), -1, -1, -1), values.expand(len(ids), -1, -1, -1), number)
        begin = cache.get_seq_length()
        columns = begin + ids.shape[1]
        self.model(
            input_ids=ids.to(self.device),
            position_ids=torch.arange(begin, columns, device=self.device).expand(len(ids), -1),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        if int(lengths.min()) < columns:
            places = (torch.arange(columns)[None] - (columns - lengths)[:, None]).clamp(min=0)
            layers = [(_gathered(keys, places), _gathered(values, places)) for keys, values in layers]
        return _Part(layers, lengths)

    def _seat(self, prompts: Sequence[Sequence[int]], entering: Sequence[int], shared: _Part | None) -> None:
        """Make the cache of the rows that go on and of those that enter, one below the other, all ending in one
        column; with the token that each of them is to read next."""
        stay = [row for row, index in enumerate(self._seated) if index != ENDED]
        parts = self._read([prompts[index] for index in entering], shared)
        kept = self._positions.cpu()[stay] if stay else torch.zeros(0, dtype=torch.long)
        lengths = torch.cat([kept, *(part.lengths for part in parts)])
        end = int(lengths.max())
        columns = end + min(AHEAD, self.limit)
        old = self._cache.layers if stay else []
        begin = old[0].length - int(kept.max()) if stay else 0
        layers: list[Any] = []
        for number in range(len(old) or len(parts[0].layers)):
            # Layer by layer, and what was copied is let go of: the old cache and the new one are never both whole.
            cached = [part.layers.pop(0) for part in parts]
            if stay:
                own = old[number]
                cached.insert(0, tuple(one[stay, :, begin : own.length] for one in (own.keys, own.values)))
                own.keys = own.values = None
            keys, values = (_stacked(some, end, columns) for some in zip(*cached, strict=True))
            layers.append(_Seats(keys, values, end, self._kind))
            del cached
        self._cache = Cache(layers=layers)
        self._positions = lengths.to(self.device)
        places = torch.arange(columns)[None]
        self._mask = ((places >= end - lengths[:, None]) & (places < end)).long().to(self.device)
        self._seated = [self._seated[row] for row in stay] + list(entering)
        self._texts.update((index, []) for index in entering)
        last = [self._texts[index][-1] if self._texts[index] else prompts[index][-1] for index in self._seated]
        self._tokens = torch.tensor(last, device=self.device)

    @property
    def _row_bytes(self) -> int:
        """What a row takes in the end, at the most: its keys and values twice, as those that enter are copied."""
        layers = self._cache.layers
        column = sum(cached[0, :, 0].nbytes for layer in layers for cached in (layer.keys, layer.values))
        return int(2 * column * (self._positions.max() + self.limit))


def _stacked(some: Sequence[torch.Tensor], end: int, columns: int) -> torch.Tensor:
    """One below the other, their last columns in the column before `end`, zeros in front: behind a mask these count
    nothing, where what happens to lie in memory may be no number. Columns from `end` on are still to be written."""
    first = some[0]
    made = first.new_empty(sum(map(len, some)), first.shape[1], columns, first.shape[3])
    row = 0
    for cached in some:
        below = row + len(cached)
        made[row:below, :, : end - cached.shape[2]] = 0
        made[row:below, :, end - cached.shape[2] : end] = cached
        row = below
    return made


def _gathered(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Row `r`'s columns `places[r]`."""
    index = places.to(values.device)[:, None, :, None].expand(-1, values.shape[1], -1, values.shape[3])
    return values.gather(2, index)
