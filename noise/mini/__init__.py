"""The embedded problems: synthetic grade-school word problems, generated here, so that nothing has to be downloaded.

The miniature models are trained on the `train` stream; the other splits say how far what they learned carries.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from noise.mini.generate import familiar, new_names, new_templates, training_stream
from noise.problems import Problem

#: The seed of the test splits. Training takes another, and never a question that stands in a test split.
TEST_SEED = 20_000

_TEST_SPLITS: dict[str, Callable[[], list[Problem]]] = {
    "test": lambda: familiar(1_000, TEST_SEED),
    "new-names": lambda: new_names(500, TEST_SEED),
    "new-templates": lambda: new_templates(240, TEST_SEED),
}
SPLITS = (*_TEST_SPLITS, "train")

#: How many training problems `problems("train")` gives: enough to fine-tune on. Training itself takes the stream.
TRAIN_SIZE = 8_000


def questions_of_the_tests() -> frozenset[str]:
    """Every question of every test split, clean."""
    return frozenset(problem.question for make in _TEST_SPLITS.values() for problem in make())


def training(seed: int, n: int) -> list[Problem]:
    """The first `n` problems of the training stream of `seed`."""
    return list(itertools.islice(training_stream(seed, questions_of_the_tests()), n))


def problems(split: str) -> list[Problem]:
    """The problems of one of `SPLITS`, the same ones each time.

    `test`: new questions of the trained templates, names and things; many of their numbers occur in training too, with
    other words around them, as some templates have few to draw from. `new-names`: names and things that training never
    holds. `new-templates`: kinds of problem that it never holds. Raises `KeyError` for another name.
    """
    return training(0, TRAIN_SIZE) if split == "train" else _TEST_SPLITS[split]()
