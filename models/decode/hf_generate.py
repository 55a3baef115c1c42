"""Greedy decoding by transformers' own `generate`, for models that continuous batching does not support."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from models.decode.batch_sizing import ThreadTuner, is_small, release_memory
from models.decode.greedy_decoder import GeneratedTokens, GreedyDecoder, longest_first
from models.decode.phase_timer import phase


class _TextComplete(StoppingCriteria):
    """Ends a row when `is_complete` says so of its tokens from column `begin` on."""

    def __init__(self, is_complete: Callable[[list[int]], bool], begin: int):
        self.is_complete, self.begin = is_complete, begin

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        done = [self.is_complete(row) for row in input_ids[:, self.begin :].tolist()]
        return torch.tensor(done, device=input_ids.device)


class _FiniteScores(LogitsProcessor):
    """Counts the tokens of each row before the first whose scores are not finite."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._finite: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        finite = scores.max(-1).values.isfinite()
        self._finite = finite if self._finite is None else self._finite & finite
        self.counts = [
            count + still for count, still in zip(self.counts or [0] * len(finite), self._finite.tolist(), strict=True)
        ]
        return scores


@dataclass(eq=False, repr=False)
class HfGenerateDecoder(GreedyDecoder):
    """Decodes batches of `rows` prompts, padded with the token `pad` (0 if None)."""

    rows: int
    pad: int | None

    def run(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, GeneratedTokens]]:
        waiting = longest_first(prompts, range(len(prompts)))
        while waiting:
            batch = waiting[: self.rows]
            try:
                generated = self._generate([prompts[index] for index in batch])
            except RuntimeError as error:
                if not should_reduce_batch_size(error) or self.rows == 1:
                    raise
                self.rows //= 2
                release_memory(self.device)
                warnings.warn(f"out of memory: continuing with {self.rows} prompts at once", stacklevel=2)
                continue
            waiting = waiting[self.rows :]
            yield from zip(batch, generated, strict=True)

    @torch.inference_mode()
    def _generate(self, prompts: Sequence[Sequence[int]]) -> list[GeneratedTokens]:
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
            eos_token_id=sorted(self.end_tokens) or None,
            pad_token_id=self.pad,
            use_cache=True,
        )
        finite = _FiniteScores()
        criteria = StoppingCriteriaList([_TextComplete(self.is_complete, width)])
        with ThreadTuner(is_small(self.model, self.device)).apply(), phase("generate"):
            rows = self.model.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                generation_config=config,
                stopping_criteria=criteria,
                logits_processor=LogitsProcessorList([finite]),
            )[:, width:].tolist()
        return [self._cut_at_end(*row) for row in zip(rows, finite.counts, strict=True)]

    def _cut_at_end(self, row: list[int], finite: int) -> GeneratedTokens:
        """Return the tokens up to the row's own end, of which the first `finite` came from finite scores.

        Padding follows, perhaps with the end-of-text token itself.
        """
        for position, token in enumerate(row):
            if position == finite:
                return GeneratedTokens(row[:position], False, finite=False)
            if token in self.end_tokens:
                return GeneratedTokens(row[:position], True)
            if self.is_complete(row[: position + 1]):
                return GeneratedTokens(row[: position + 1], True)
        return GeneratedTokens(row, False)
