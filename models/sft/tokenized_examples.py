"""Problems as token rows for fine-tuning: the prompt of the evaluation, then the worked answer."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from models.loading.load_model import LoadedModel
from models.sft.tuning_errors import ExampleTooLong
from noise.problems.problem import Problem

if TYPE_CHECKING:
    from datasets import Dataset

IGNORED = -100  # PyTorch's and transformers' label of a token without a loss


def training_rows(loaded: LoadedModel, problems: Sequence[Problem], loss: str = "answer") -> Dataset:
    """Return a table with one row per problem: `input_ids`, `labels` of the same length, and `length` in tokens.

    A row holds the tokens of the prompt that `generate` would be given, those of the worked answer, and end of text. A
    label is its token, or −100 where there is no loss: in the prompt, or for `loss="all"` in the first token. Nothing
    is truncated: raises `ExampleTooLong` for a text longer than the model's positions.
    """
    from datasets import Dataset  # 1.7 s to import, and nothing else here needs it

    end = loaded.tokenizer.eos_token_id
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    rows = []
    for problem, (prompt, answer) in zip(problems, tokenize_examples(loaded, problems), strict=True):
        ids = [*prompt, *answer, *([] if end is None else [end])]
        if positions is not None and len(ids) > positions:
            raise ExampleTooLong(
                f"problem {problem.id!r} has {len(ids)} tokens with its worked answer, and {loaded.spec.name!r} has"
                f" {positions} positions; nothing is truncated, so leave it out of the problems to tune on"
            )
        without_loss = 1 if loss == "all" else len(prompt)  # nothing precedes the first token to predict it from
        labels = [IGNORED] * without_loss + ids[without_loss:]
        rows.append({"input_ids": ids, "labels": labels, "length": len(ids)})
    return Dataset.from_list(rows)


def tokenize_examples(loaded: LoadedModel, problems: Sequence[Problem]) -> list[tuple[list[int], list[int]]]:
    """Return the tokens of each prompt, as `generate` would be given them, and those of its worked answer.

    The answer has no end of text.
    """
    prompts = loaded.prompts([problem.question for problem in problems])
    answers = [loaded.prompt.completion(problem.answer) for problem in problems]
    texts = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    prompt_ids, text_ids = loaded.encode(prompts)["input_ids"], loaded.encode(texts)["input_ids"]
    examples = []
    for completion, prompt, text in zip(answers, prompt_ids, text_ids, strict=True):
        if text[: len(prompt)] == prompt:
            answer = text[len(prompt) :]
        else:  # a token spans the border of prompt and answer; the evaluation's prompt never contains it
            answer = loaded.encode([completion], add_special_tokens=False)["input_ids"][0]
        has_end = answer and answer[-1] == loaded.tokenizer.eos_token_id  # some tokenizers end every text
        examples.append((list(prompt), list(answer[:-1] if has_end else answer)))
    return examples


def pad_left(rows: Sequence[dict[str, Any]], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Return rows as one batch, (row, token), padded on the left as by `generate`: all answers end in the last column.

    The batch has `input_ids`, `labels`, `attention_mask` and `position_ids`.
    """
    longest = max(len(row["input_ids"]) for row in rows)

    def column(name: str, fill: int) -> torch.Tensor:
        return torch.tensor([[fill] * (longest - len(row[name])) + list(row[name]) for row in rows])

    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    mask = (torch.arange(longest) >= longest - lengths[:, None]).long()
    return {
        "input_ids": column("input_ids", pad_token_id),
        "labels": column("labels", IGNORED),
        "attention_mask": mask,
        "position_ids": (mask.cumsum(-1) - 1).clamp(min=0),
    }


def accepted_inputs(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `inputs` that the model's `forward` takes by name: not every architecture has positions."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model  # peft's own `forward` names fewer
    names = inspect.signature(type(base).forward).parameters
    return {name: value for name, value in inputs.items() if name in names}
