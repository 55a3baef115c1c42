"""Greedy answers to questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from models.decode.batch_size_option import BatchSize, rows_of
from models.decode.batch_sizing import Threads, is_small
from models.decode.continuous_batching import Decoder, can_decode
from models.decode.hf_generate import BatchDecoder
from models.decode.onednn_linear import quick_products
from models.loading.load_model import LoadedModel
from models.prompt import is_complete, truncate_at_stop

#: Part of every prediction's key: raise it when a change here can change what a model is found to say.
GENERATION_VERSION = "4"


class PromptTooLongError(ValueError):
    """A prompt and its answer do not fit into the model's positions. Nothing is ever cut silently."""


@dataclass(frozen=True)
class Generation:
    """`text` is what was written after the prompt, `tokens` how many tokens that took, `finished` false where the
    limit came first."""

    text: str
    tokens: int
    finished: bool


class _AnswerLine:
    """Whether the tokens so far are a complete answer. A text is decoded only where a line has just ended."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self.tokenizer, self.line_ends = tokenizer, _line_ends(tokenizer)

    def __call__(self, tokens: list[int]) -> bool:
        return tokens[-1] in self.line_ends and is_complete(_text(self.tokenizer, tokens))


@lru_cache(maxsize=8)
def _line_ends(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The ids of tokens that can complete a stop text: those that hold a line end or a colon."""
    texts = [_text(tokenizer, [token]) for token in range(len(tokenizer))]
    return frozenset(token for token, text in enumerate(texts) if "\n" in text or ":" in text)


def _text(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, skip_special_tokens=True))


def batches(loaded: LoadedModel, questions: Sequence[str], batch_size: int) -> list[list[int]]:
    """`questions` by index, in batches of like length, the longest first: one that does not fit fails early."""
    if not questions:
        return []
    prompts = [loaded.prompt.format(question) for question in questions]
    lengths = [len(ids) for ids in loaded.encode(prompts)["input_ids"]]
    order = sorted(range(len(questions)), key=lambda index: -lengths[index])
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def answers(
    loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int = 256, batch_size: BatchSize = 64
) -> Iterator[tuple[int, Generation]]:
    """Greedy answers to `questions`, each with its index, as they end; questions that read the same are asked once.

    `batch_size` of them are asked at once, or with `auto` as many as are answered fastest in half of the memory that is
    free. There is no repetition penalty: answers copy digits. Between two answers the model is still set up for
    decoding: whoever stops early closes the iterator before the model is used for something else. Raises
    `PromptTooLongError` where a prompt does not fit, before anything is asked, and what `LoadedModel.prompts` raises.
    """
    if not questions:
        return
    alike: dict[tuple[int, ...], list[int]] = {}
    for index, ids in enumerate(loaded.encode(loaded.prompts(questions))["input_ids"]):
        alike.setdefault(tuple(ids), []).append(index)
    prompts = list(alike)
    _refuse_too_long(loaded, max(map(len, prompts)), max_new_tokens)
    decoder: Decoder | BatchDecoder
    given = (loaded.model, loaded.device, max_new_tokens, _end_tokens(loaded), _AnswerLine(loaded.tokenizer))
    if can_decode(loaded.model):
        decoder = Decoder(*given, batch_size)
    else:
        decoder = BatchDecoder(*given, rows_of(batch_size), loaded.tokenizer.pad_token_id)
    with quick_products(loaded.model):
        for number, written in decoder.run(prompts):
            text = _text(loaded.tokenizer, written.tokens)
            generation = Generation(truncate_at_stop(text), len(written.tokens), written.finished)
            yield from ((index, generation) for index in alike[prompts[number]])


def generate(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int = 256) -> list[Generation]:
    """The same answers, all asked at once, in the order of `questions`."""
    found = dict(answers(loaded, questions, max_new_tokens, max(1, len(questions))))
    return [found[index] for index in range(len(questions))]


def threads_for(loaded: LoadedModel) -> AbstractContextManager[None]:
    """Inside, one thread for a small model on a CPU, where nothing is timed to find out whether more would help."""
    return Threads(is_small(loaded.model, loaded.device)).set()


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
