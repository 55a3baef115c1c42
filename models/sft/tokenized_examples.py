"""Problems as what a fine-tuning reads: the tokens that evaluation asks with, then the worked answer."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from models.loading.load_model import LoadedModel
from noise.problems.problem import Problem

if TYPE_CHECKING:
    from datasets import Dataset

IGNORED = -100  # PyTorch's and transformers' label of a token without a loss


def training_rows(loaded: LoadedModel, problems: Sequence[Problem], loss: str = "answer") -> Dataset:
    """A table with a row a problem: `input_ids`, `labels` of the same length, and `length` in tokens.

    The tokens of the prompt are those that `generate` would be given; the answer's follow, and end of text. A label is
    its token, or −100 where there is no loss: in the prompt, or with `loss` `all` in its first token. Nothing is cut:
    raises `ValueError` for a text longer than the model's positions.
    """
    from datasets import Dataset  # 1.7 s to import, and nothing else here needs it

    end = loaded.tokenizer.eos_token_id
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    rows = []
    for problem, (prompt, answer) in zip(problems, encoded(loaded, problems), strict=True):
        ids = [*prompt, *answer, *([] if end is None else [end])]
        if positions is not None and len(ids) > positions:
            raise ValueError(
                f"problem {problem.id!r} to tune on has {len(ids)} tokens with its worked answer, and"
                f" {loaded.spec.name!r} has {positions} positions; nothing is cut, so leave it out (--sft-problems)"
            )
        silent = 1 if loss == "all" else len(prompt)  # nothing stands before the first token to predict it from
        rows.append({"input_ids": ids, "labels": [IGNORED] * silent + ids[silent:], "length": len(ids)})
    return Dataset.from_list(rows)


def encoded(loaded: LoadedModel, problems: Sequence[Problem]) -> list[tuple[list[int], list[int]]]:
    """The tokens of each prompt, as `generate` would be given them, and those of the worked answer behind it, without
    an end of text."""
    prompts = loaded.prompts([problem.question for problem in problems])
    answers = [loaded.prompt.completion(problem.answer) for problem in problems]
    texts = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    asked, whole = loaded.encode(prompts)["input_ids"], loaded.encode(texts)["input_ids"]
    found = []
    for completion, prompt, text in zip(answers, asked, whole, strict=True):
        if text[: len(prompt)] == prompt:
            answer = text[len(prompt) :]
        else:  # a token across the border would be one that evaluation never asks with
            answer = loaded.encode([completion], add_special_tokens=False)["input_ids"][0]
        ended = answer and answer[-1] == loaded.tokenizer.eos_token_id  # as some tokenizers end every text
        found.append((list(prompt), list(answer[:-1] if ended else answer)))
    return found


def padded(rows: Sequence[dict[str, Any]], filler: int) -> dict[str, torch.Tensor]:
    """Rows as one batch, (row, token), padded on the left as `generate` pads: so all answers end in the last column."""
    longest = max(len(row["input_ids"]) for row in rows)

    def column(name: str, value: int) -> torch.Tensor:
        return torch.tensor([[value] * (longest - len(row[name])) + list(row[name]) for row in rows])

    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    mask = (torch.arange(longest) >= longest - lengths[:, None]).long()
    return {
        "input_ids": column("input_ids", filler),
        "labels": column("labels", IGNORED),
        "attention_mask": mask,
        "position_ids": (mask.cumsum(-1) - 1).clamp(min=0),
    }


def taken(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `inputs` that a model takes by name: not every architecture has positions."""
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model  # peft's own names are fewer
    names = inspect.signature(type(plain).forward).parameters
    return {name: value for name, value in inputs.items() if name in names}
