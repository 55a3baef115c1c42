"""The likelihood of worked answers under a model: it separates models even when none solves a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from models.attention.attention_edits import AttentionEdit
from models.attention.cut_attention import edited_attention
from models.decode.edited_prompt import EditedBatch, EditedPrompt, padded_left
from models.decode.generation import threads_for
from models.decode.onednn_linear import onednn_matmul
from models.loading.load_model import LoadedModel
from models.sft.tokenized_examples import IGNORED, accepted_inputs, pad_left, tokenize_examples
from noise.problems.problem import Problem


class LikelihoodNotFinite(ValueError):
    """A log-likelihood is infinite or NaN in the model's precision. `dtype="float32"` may help."""


def answer_likelihoods(loaded: LoadedModel, problems: Sequence[Problem]) -> list[tuple[float, int]]:
    """Return the log-likelihood of each worked answer given its prompt, in nats (a sum, at most 0), and its tokens.

    One forward pass. The tokens are those that a fine-tuning has a loss over, without the end of text. Logarithms are
    taken in float32 whatever the model runs in. Raises `ValueError` for a text that is longer than the model's
    positions and an answer without a token; `LikelihoodNotFinite`.
    """
    examples = tokenize_examples(loaded, problems)
    return _likelihoods(loaded, [problem.id for problem in problems], examples)


def edited_likelihoods(
    loaded: LoadedModel, ids: Sequence[str], examples: Sequence[tuple[EditedPrompt, list[int]]], edit: AttentionEdit
) -> list[tuple[float, int]]:
    """Return what `answer_likelihoods` does, of answers, as tokens, to prompts with positions and cuts of their own.

    `edit` makes the cuts; `ids` name the problems in errors. Raises what `answer_likelihoods` raises.
    """
    plain = [(list(prompt.ids), answer) for prompt, answer in examples]
    return _likelihoods(loaded, ids, plain, EditedBatch([prompt for prompt, _ in examples], edit))


@torch.inference_mode()
def _likelihoods(
    loaded: LoadedModel,
    ids: Sequence[str],
    examples: Sequence[tuple[list[int], list[int]]],
    edited: EditedBatch | None = None,
) -> list[tuple[float, int]]:
    rows = [{"input_ids": prompt + answer, "labels": [IGNORED] * len(prompt) + answer} for prompt, answer in examples]
    shifts = [0] * len(rows) if edited is None else [max(0, prompt.shift) for prompt in edited.prompts]
    _check(loaded, ids, rows, shifts)
    batch = pad_left(rows, loaded.tokenizer.pad_token_id or 0)
    edits = () if edited is None else (edited.edit,)
    if edited is not None:
        lengths = [len(row["input_ids"]) for row in rows]
        batch["position_ids"], cut = padded_left(edited.prompts, lengths, max(lengths))
        edited.edit.cut = cut.to(loaded.device) if bool(cut.any()) else None
    batch = {name: values.to(loaded.device) for name, values in batch.items()}
    labels = batch.pop("labels")
    longest = int((labels != IGNORED).sum(dim=1).max())
    model: Any = loaded.model
    inputs = accepted_inputs(model, {**batch, "use_cache": False, "logits_to_keep": longest + 1})  # answers end rows
    with threads_for(loaded), onednn_matmul(loaded.model), edited_attention(loaded.model, *edits):
        logits = model(**inputs).logits[:, -longest - 1 : -1]
    likelihoods = []
    for id, predicted, expected in zip(ids, logits, labels[:, -longest:], strict=True):
        nats = -float(cross_entropy(predicted.float(), expected, ignore_index=IGNORED, reduction="sum"))
        if not abs(nats) < float("inf"):
            raise LikelihoodNotFinite(
                f'problem {id!r}: the likelihood of its answer in {loaded.precision} is not finite; try dtype="float32"'
            )
        likelihoods.append((nats, int((expected != IGNORED).sum())))
    return likelihoods


def _check(
    loaded: LoadedModel, ids: Sequence[str], rows: Sequence[dict[str, list[int]]], shifts: Sequence[int]
) -> None:
    """Check the answers and the positions of `rows`; `shifts` is how far these are above the number of tokens."""
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    for id, row, shift in zip(ids, rows, shifts, strict=True):
        if row["labels"][-1:] in ([], [IGNORED]):
            raise ValueError(f"problem {id!r}: its worked answer has no token")
        if positions is not None and len(row["input_ids"]) + shift > positions:
            raise ValueError(
                f"problem {id!r} has {len(row['input_ids']) + shift} tokens with its worked answer, and"
                f" {loaded.spec.name!r} has {positions} positions"
            )
