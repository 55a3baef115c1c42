"""Greedy answers, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase, StoppingCriteria, StoppingCriteriaList

from models.loading import LoadedModel
from models.prompt import cut, is_complete

#: Part of every prediction's key: raise it when a change here can change what a model is found to say.
GENERATION_VERSION = "2"


class PromptTooLongError(ValueError):
    """A prompt and its answer do not fit into the model's positions. Nothing is ever cut silently."""


@dataclass(frozen=True)
class Generation:
    """`text` is what was written after the prompt, `tokens` how many tokens that took, `finished` false where the
    limit came first."""

    text: str
    tokens: int
    finished: bool


class _AnswerLine(StoppingCriteria):
    """Ends a row when its text is complete. Only a row that has just begun a new line is decoded."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, prompt_length: int):
        self.tokenizer, self.start = tokenizer, prompt_length
        self.line_ends = _line_ends(tokenizer)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        done = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        new = input_ids[:, self.start :]
        suspects = torch.isin(new[:, -1], self.line_ends.to(new.device)).nonzero().flatten().tolist()
        for row in suspects:
            done[row] = is_complete(_text(self.tokenizer, new[row].tolist()))
        return done


@lru_cache(maxsize=8)
def _line_ends(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    """The ids of tokens that can complete a stop text: those that hold a line end or a colon."""
    texts = [_text(tokenizer, [token]) for token in range(len(tokenizer))]
    return torch.tensor([token for token, text in enumerate(texts) if "\n" in text or ":" in text])


def _text(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, skip_special_tokens=True))


def batches(loaded: LoadedModel, questions: Sequence[str], batch_size: int) -> list[list[int]]:
    """`questions` by index, in batches of like length, the longest first: one that does not fit fails early."""
    if not questions:
        return []
    lengths = [len(ids) for ids in loaded.encode([loaded.prompt.of(question) for question in questions])["input_ids"]]
    order = sorted(range(len(questions)), key=lambda index: -lengths[index])
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


@torch.inference_mode()
def generate(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int = 256) -> list[Generation]:
    """Greedy answers to `questions`, asked as one batch, in their order.

    There is no repetition penalty: answers copy digits. Raises `PromptTooLongError` where a prompt does not fit, and
    what `LoadedModel.prompts` raises.
    """
    if not questions:
        return []
    tokenizer = loaded.tokenizer
    inputs = loaded.encode(loaded.prompts(questions), return_tensors="pt", padding=True).to(loaded.device)
    length = inputs["input_ids"].shape[1]
    _refuse_too_long(loaded, length, max_new_tokens)
    ends = _end_tokens(loaded)
    config = GenerationConfig(
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(ends) or None,
        pad_token_id=tokenizer.pad_token_id,
        use_cache=True,
    )
    criteria = StoppingCriteriaList([_AnswerLine(tokenizer, length)])
    model: Any = loaded.model
    with threads_for(loaded):
        written = model.generate(**inputs, generation_config=config, stopping_criteria=criteria)[:, length:].tolist()
    return [_read(tokenizer, row, ends) for row in written]


#: Below this, in parameters, the threads of a CPU wait for each other longer than they work.
SMALL = 20_000_000


@contextmanager
def threads_for(loaded: LoadedModel) -> Iterator[None]:
    """One thread for a small model on a CPU. Two are faster only while nobody else uses the machine; beside a busy
    neighbour each tiny product waits for a thread that is not running."""
    before = torch.get_num_threads()
    small = loaded.device.type == "cpu" and loaded.model.num_parameters() < SMALL
    torch.set_num_threads(1 if small else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _end_tokens(loaded: LoadedModel) -> set[int]:
    """Every token that ends a text: the generation config and the tokenizer may each know another one."""
    configured = loaded.model.generation_config.eos_token_id
    known = configured if isinstance(configured, list) else [configured]
    return {token for token in [*known, loaded.tokenizer.eos_token_id] if token is not None}


def _refuse_too_long(loaded: LoadedModel, prompt_tokens: int, max_new_tokens: int) -> None:
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    if positions is not None and prompt_tokens + max_new_tokens > positions:
        raise PromptTooLongError(
            f"a prompt of {prompt_tokens} tokens and an answer of up to {max_new_tokens} (--max-new-tokens)"
            f" do not fit into the {positions} positions of {loaded.spec.name!r}"
        )


def _read(tokenizer: PreTrainedTokenizerBase, row: list[int], stops: set[int]) -> Generation:
    """One row's text up to its own end. After that a batch pads, perhaps with the end-of-text token itself."""
    end = next((i for i, token in enumerate(row) if token in stops), None)
    ids = row if end is None else row[:end]
    text = _text(tokenizer, ids)
    complete = is_complete(text)
    if complete and tokenizer.pad_token_id is not None:
        while ids and ids[-1] == tokenizer.pad_token_id:
            ids = ids[:-1]
    finished = end is not None or complete
    return Generation(cut(text), len(ids), finished)
