"""Greedy decoding by transformers' own `generate`, for models that continuous batching does not support."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from models.decode.batch_sizing import Threads, give_back, is_small
from models.decode.continuous_batching import Decoding, Written


class _Complete(StoppingCriteria):
    """Ends a row when its text is complete."""

    def __init__(self, complete: Callable[[list[int]], bool], begin: int):
        self.complete, self.begin = complete, begin

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        done = [self.complete(row) for row in input_ids[:, self.begin :].tolist()]
        return torch.tensor(done, device=input_ids.device)


@dataclass(eq=False, repr=False)
class BatchDecoder(Decoding):
    """The same, `rows` prompts a batch, padded with `pad`."""

    rows: int
    pad: int | None

    def run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Written]]:
        """What is written after each of `prompts`, with its index, as its batch ends; the longest prompts begin."""
        waiting = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
        while waiting:
            some = waiting[: self.rows]
            try:
                written = self._batch([prompts[index] for index in some])
            except RuntimeError as error:
                if not should_reduce_batch_size(error) or self.rows == 1:
                    raise
                self.rows //= 2
                give_back(self.device)
                warnings.warn(f"not enough memory: going on with {self.rows} problems at once", stacklevel=2)
                continue
            waiting = waiting[self.rows :]
            yield from zip(some, written, strict=True)

    @torch.inference_mode()
    def _batch(self, prompts: Sequence[Sequence[int]]) -> list[Written]:
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self.pad or 0)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        config = GenerationConfig(
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            max_new_tokens=self.limit,
            eos_token_id=sorted(self.ends) or None,
            pad_token_id=self.pad,
            use_cache=True,
        )
        criteria = StoppingCriteriaList([_Complete(self.complete, width)])
        with Threads(is_small(self.model, self.device)).set():
            rows = self.model.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                generation_config=config,
                stopping_criteria=criteria,
            )[:, width:].tolist()
        return [self._read(row) for row in rows]

    def _read(self, row: list[int]) -> Written:
        """One row up to its own end. After that a batch pads, perhaps with the end-of-text token itself."""
        for place, token in enumerate(row):
            if token in self.ends:
                return Written(row[:place], True)
            if self.complete(row[: place + 1]):
                return Written(row[: place + 1], True)
        return Written(row, False)
