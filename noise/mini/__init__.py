"""The embedded problems: synthetic grade-school word problems, generated here, so that nothing has to be downloaded.

The miniature models are trained on the `train` stream; the other splits say how far what they learned carries.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from noise.mini.problem_generator import familiar, new_names, new_templates, new_templates_to_train_on, training_stream
from noise.problems.problem import Problem

#: The seeds of the test splits, and of the problems to fine-tune on. The shipped pair was trained with another, 0.
TEST_SEED = 20_000
TRAIN_SEED = 10_000

#: How many training problems `problems("train")` gives: enough to fine-tune on.
TRAIN_SIZE = 8_000

_SPLITS: dict[str, Callable[[], list[Problem]]] = {
    "test": lambda: familiar(1_000, TEST_SEED),
    "new-names": lambda: new_names(500, TEST_SEED),
    "new-templates": lambda: new_templates(500, TEST_SEED),
    "train": lambda: training(TRAIN_SEED, TRAIN_SIZE),
    "new-templates-train": lambda: new_templates_to_train_on(2_000, TRAIN_SEED),
}
SPLITS = tuple(_SPLITS)


def training(seed: int, n: int) -> list[Problem]:
    """The first `n` problems of the training stream of `seed`; whatever the seed, no worked answer of a test split."""
    return list(itertools.islice(training_stream(seed), n))


def problems(split: str) -> list[Problem]:
    """The problems of one of `SPLITS`, the same ones each time.

    `test`: the trained templates, names and things with new numbers: no worked answer of it stands in training, while
    one of its sums may, as a step of another answer or in a drill. `new-names`: new numbers, and names and things that
    training never holds. `new-templates`: kinds of problem that it never holds. `train`: problems to fine-tune on, made
    as the miniatures' training text was, with another seed. `new-templates-train`: the same for the kinds of
    `new-templates`, with no worked answer of them. Raises `KeyError` for another name.
    """
    return _SPLITS[split]()
