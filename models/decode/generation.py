"""Greedy answers to questions, by the decoder that suits the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.attention.attention_edits import AttentionEdit, is_edited
from models.attention.attention_errors import AttentionUnavailable
from models.attention.cut_attention import edit_of
from models.attention.edited_implementations import edited_name
from models.decode.batch_size_option import BatchSize, fixed_batch_size
from models.decode.batch_sizing import ThreadTuner, is_small
from models.decode.continuous_batching import ContinuousBatchingDecoder
from models.decode.edited_prompt import EditedBatch, EditedPrompt
from models.decode.greedy_decoder import GreedyDecoder
from models.decode.hf_generate import HfGenerateDecoder
from models.decode.onednn_linear import onednn_matmul
from models.decode.phase_timer import phase
from models.decode.supported_models import supports_continuous_batching
from models.loading.load_model import LoadedModel
from models.stop_rule import THOUGHT, THOUGHT_END, StopRule
from models.upstream_transformers import current_attention

#: Part of every prediction's key. Raise it when a change here can change generated text.
GENERATION_VERSION = "5"


class PromptTooLongError(ValueError):
    """A prompt and its answer do not fit into the model's positions. No prompt is ever truncated."""


@dataclass(frozen=True)
class Generation:
    """The `text` after a prompt, and how many `tokens` it took. `finished` is False where the token limit came
    first, `finite` where the model's scores became NaN or infinite."""

    text: str
    tokens: int
    finished: bool
    finite: bool = True


class _AnswerComplete:
    """Whether the tokens so far are a complete answer. Text is decoded only after a token that can complete one."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, rule: StopRule):
        self.tokenizer, self.rule = tokenizer, rule
        self.last_tokens = _tokens_with(tokenizer, rule.last_characters)

    def __call__(self, tokens: list[int]) -> bool:
        return tokens[-1] in self.last_tokens and self.rule.is_complete(_detokenize(self.tokenizer, tokens))


@lru_cache(maxsize=8)
def _tokens_with(tokenizer: PreTrainedTokenizerBase, characters: frozenset[str]) -> frozenset[int]:
    """Return the ids of the tokens that contain one of `characters`."""
    texts = [_detokenize(tokenizer, [token]) for token in range(len(tokenizer))]
    return frozenset(token for token, text in enumerate(texts) if not characters.isdisjoint(text))


def _detokenize(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """Return the text of tokens without special ones, but for those that begin and end a thought."""
    with phase("detokenize"):
        thoughts = _thought_tokens(tokenizer)
        text, part = "", list[int]()
        for token in ids if thoughts else ():
            if token in thoughts:
                text += str(tokenizer.decode(part, skip_special_tokens=True)) + thoughts[token]
                part = []
            else:
                part.append(token)
        return text + str(tokenizer.decode(part if thoughts else ids, skip_special_tokens=True))


@lru_cache(maxsize=8)
def _thought_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """Return the special tokens that begin and end a thought, by their ids."""
    added = tokenizer.get_added_vocab()
    specials = set(tokenizer.all_special_tokens)
    return {added[mark]: mark for mark in (THOUGHT, THOUGHT_END) if mark in added and mark in specials}


def batches(loaded: LoadedModel, questions: Sequence[str], batch_size: int) -> list[list[int]]:
    """Return the indices of `questions` in batches of similar length. The longest come first, so that one that does not
    fit fails early."""
    if not questions:
        return []
    prompts = [loaded.prompt.format(question) for question in questions]
    lengths = [len(ids) for ids in loaded.encode(prompts)["input_ids"]]
    order = sorted(range(len(questions)), key=lambda index: -lengths[index])
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def answers(
    loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int = 256, batch_size: BatchSize = 64
) -> Iterator[tuple[int, Generation]]:
    """Yield greedy answers to `questions`, each with its index, as they end. Identical prompts are decoded once.

    `batch_size` prompts are decoded at once; `auto` takes the number that decodes fastest in half of the free memory.
    There is no repetition penalty: answers copy digits. Between two answers the model is still set up for decoding:
    close the iterator before using the model for anything else. Raises `PromptTooLongError` before any decoding where a
    prompt does not fit, and what `LoadedModel.prompts` raises.
    """
    if not questions:
        return
    texts = loaded.prompts(questions)
    with phase("tokenize"):
        encoded = loaded.encode(texts)["input_ids"]
    indices_by_prompt: dict[tuple[int, ...], list[int]] = {}
    for index, ids in enumerate(encoded):
        indices_by_prompt.setdefault(tuple(ids), []).append(index)
    prompts = list(indices_by_prompt)
    _check_length(loaded, max(map(len, prompts)), max_new_tokens)
    for number, generation in _decoded(loaded, prompts, max_new_tokens, batch_size):
        yield from ((index, generation) for index in indices_by_prompt[prompts[number]])


def edited_answers(
    loaded: LoadedModel,
    prompts: Sequence[EditedPrompt],
    edit: AttentionEdit,
    max_new_tokens: int = 256,
    batch_size: BatchSize = 64,
) -> Iterator[tuple[int, Generation]]:
    """Yield greedy answers to `prompts`, each with its index, as they end: `answers` with an edited attention.

    Each prompt is read with its own positions and cut, which `edit` makes in its layers, heads and part
    (`models.attention.cut_attention.edit_of`). Raises what `answers` and `check_editable` raise.
    """
    check_editable(loaded.model)
    if not prompts:
        return
    longest = max(len(prompt.ids) + max(0, prompt.shift) for prompt in prompts)
    _check_length(loaded, longest, max_new_tokens)
    batch = EditedBatch(prompts, edit)
    yield from _decoded(loaded, [prompt.ids for prompt in prompts], max_new_tokens, batch_size, batch)


def check_editable(model: PreTrainedModel) -> None:
    """Raise `AttentionUnavailable` for a model that `edited_answers` cannot ask."""
    if not supports_continuous_batching(model):
        raise AttentionUnavailable(
            f"{type(model).__name__}: answers with an edited attention need one of transformers' own decoders with"
            " plain full attention, such as Llama and DiffLlama"
        )
    edited_name(current_attention(model))
    edit_of(model)


def _decoded(
    loaded: LoadedModel,
    prompts: Sequence[tuple[int, ...]],
    max_new_tokens: int,
    batch_size: BatchSize,
    edited: EditedBatch | None = None,
) -> Iterator[tuple[int, Generation]]:
    """Yield what is written after each of `prompts`, with its index, as it ends."""
    if is_edited(loaded.model):
        raise ValueError(
            "answers: the model is inside cut_attention or scaled_lambda, whose rows are those of one batch, and this"
            " decodes in batches of its own; use edited_answers"
        )
    rule = loaded.prompt.stop
    decoder_arguments = (
        loaded.model,
        loaded.device,
        max_new_tokens,
        _end_tokens(loaded),
        _AnswerComplete(loaded.tokenizer, rule),
    )
    decoder: GreedyDecoder
    if supports_continuous_batching(loaded.model):
        decoder = ContinuousBatchingDecoder(*decoder_arguments, batch_size, edited)
    else:
        decoder = HfGenerateDecoder(*decoder_arguments, fixed_batch_size(batch_size), loaded.tokenizer.pad_token_id)
    with onednn_matmul(loaded.model):
        for number, generated in decoder.run(prompts):
            text = _detokenize(loaded.tokenizer, generated.tokens)
            yield (
                number,
                Generation(rule.truncate(text), len(generated.tokens), generated.finished, generated.finite),
            )


def generate(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int = 256) -> list[Generation]:
    """Return the answers of `answers`, in the order of `questions`, all decoded at once."""
    generations = dict(answers(loaded, questions, max_new_tokens, max(1, len(questions))))
    return [generations[index] for index in range(len(questions))]


def threads_for(loaded: LoadedModel) -> AbstractContextManager[None]:
    """Inside, a small model on a CPU runs on one thread: for code that does not time which number is faster."""
    return ThreadTuner(is_small(loaded.model, loaded.device)).apply()


def _end_tokens(loaded: LoadedModel) -> set[int]:
    """Return every token that ends a text.

    The generation configuration, the tokenizer and the chat template may name different ones.
    """
    configured = loaded.model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    end_of_turn = loaded.tokenizer.get_added_vocab().get(loaded.prompt.end_of_turn)
    return {token for token in [*ids, loaded.tokenizer.eos_token_id, end_of_turn] if token is not None}


def _check_length(loaded: LoadedModel, prompt_tokens: int, max_new_tokens: int) -> None:
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    if positions is not None and prompt_tokens + max_new_tokens > positions:
        raise PromptTooLongError(
            f"a prompt of {prompt_tokens} tokens and an answer of up to {max_new_tokens} (max_new_tokens)"
            f" do not fit into the {positions} positions of {loaded.spec.name!r}"
        )
