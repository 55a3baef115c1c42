"""The embedded problems: synthetic grade-school word problems, generated here without a download.

The miniature models are trained on the training stream; the test splits show how far what they learned generalises.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

from noise.mini.problem_generator import (
    DISTRACTOR_SHARE,
    new_names,
    new_numbers,
    new_templates,
    new_templates_train,
    training_stream,
)
from noise.problems.problem import Problem

#: The seeds of the test splits and of the problems to fine-tune on. The shipped pair was trained with seed 0.
TEST_SEED = 20_000
TRAIN_SEED = 10_000

#: The number of training problems in `problems("train")`: enough to fine-tune on.
TRAIN_SIZE = 8_000

_SPLITS: dict[str, Callable[[], list[Problem]]] = {
    "test": lambda: new_numbers(1_000, TEST_SEED),
    "new-names": lambda: new_names(500, TEST_SEED),
    "new-templates": lambda: new_templates(500, TEST_SEED),
    "train": lambda: training(TRAIN_SEED, TRAIN_SIZE),
    "new-templates-train": lambda: new_templates_train(2_000, TRAIN_SEED),
}
SPLITS = tuple(_SPLITS)


def training(seed: int, n: int, distractor_share: float = DISTRACTOR_SHARE) -> list[Problem]:
    """Return the first `n` problems of the training stream of `seed`. No seed has a worked answer of a test split.

    `distractor_share` is the share of stories with a distractor: all else is the same for each share.
    """
    return list(itertools.islice(training_stream(seed, distractor_share), n))


def problems(split: str) -> list[Problem]:
    """Return the problems of one of `SPLITS`, the same each time.

    - `test`: the templates, names and things of training with new numbers. Training has none of its worked answers, but
      may have one of its sums, as a step of another answer or in a drill.
    - `new-names`: new numbers, and names and things that training never has.
    - `new-templates`: kinds of problem that training never has.
    - `train`: problems to fine-tune on, made as the miniatures' training text was, with another seed.
    - `new-templates-train`: the same for the kinds of `new-templates`, with none of its worked answers.

    Raises `KeyError` for another name.
    """
    return list(_problems(split))


@functools.cache
def _problems(split: str) -> tuple[Problem, ...]:
    return tuple(_SPLITS[split]())
