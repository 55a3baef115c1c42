"""How likely a model holds the worked answers of problems to be: what still tells models apart that get none right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from models.decode.generation import threads_for
from models.decode.onednn_linear import onednn_matmul
from models.loading.load_model import LoadedModel
from models.sft.tokenized_examples import IGNORED, encoded, padded, taken
from noise.problems.problem import Problem


@torch.inference_mode()
def answer_likelihoods(loaded: LoadedModel, problems: Sequence[Problem]) -> list[tuple[float, int]]:
    """The log-likelihood of each worked answer behind its prompt, in nats (a sum, at most 0), and its tokens.

    One forward pass; the tokens are those that a fine-tuning has a loss over, end of text left out. Logarithms are
    taken in float32 whatever the model runs in. Raises `ValueError` for a text that does not fit into the model's
    positions, an answer without a token, and a figure that is not finite.
    """
    rows = [{"input_ids": prompt + answer, "labels": [IGNORED] * len(prompt) + answer}
            for prompt, answer in encoded(loaded, problems)]  # fmt: skip
    _check(loaded, problems, rows)
    batch = {
        name: values.to(loaded.device) for name, values in padded(rows, loaded.tokenizer.pad_token_id or 0).items()
    }
    labels = batch.pop("labels")
    longest = int((labels != IGNORED).sum(dim=1).max())
    model: Any = loaded.model
    inputs = taken(model, {**batch, "use_cache": False, "logits_to_keep": longest + 1})  # answers end the rows
    with threads_for(loaded), onednn_matmul(loaded.model):
        logits = model(**inputs).logits[:, -longest - 1 : -1]
    found = []
    for row, (predicted, expected) in enumerate(zip(logits, labels[:, -longest:], strict=True)):
        nats = -float(cross_entropy(predicted.float(), expected, ignore_index=IGNORED, reduction="sum"))
        if not abs(nats) < float("inf"):
            raise ValueError(
                f"problem {problems[row].id!r}: the likelihood of its answer in {loaded.precision} is not finite; try"
                " --dtype float32"
            )
        found.append((nats, int((expected != IGNORED).sum())))
    return found


def _check(loaded: LoadedModel, problems: Sequence[Problem], rows: Sequence[dict[str, list[int]]]) -> None:
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    for problem, row in zip(problems, rows, strict=True):
        if row["labels"][-1:] in ([], [IGNORED]):
            raise ValueError(f"problem {problem.id!r}: its worked answer {problem.answer!r} has no token")
        if positions is not None and len(row["input_ids"]) > positions:
            raise ValueError(
                f"problem {problem.id!r} has {len(row['input_ids'])} tokens with its worked answer, which do not fit"
                f" into the {positions} positions of {loaded.spec.name!r}"
            )
