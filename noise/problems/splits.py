"""Which problems a model may be fine-tuned on, when others are to measure it: never the same problem twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from noise.problems.problem import Problem
from noise.problems.problem_sources import is_file_source, load_problems, split_source

#: The training split of each named source's other splits.
_TRAINING = {
    "mini:test": "mini:train",
    "mini:new-names": "mini:train",
    "mini:new-templates": "mini:new-templates-train",
    "gsm8k:test": "gsm8k:train",
}
#: A word in a file's name that says it is there to measure with, as in `mine_test` or `Mine-Dev.2`.
_MEASURING = re.compile(r"(?<![^\W_])(test|validation|valid|val|dev|eval)(?![^\W_])", re.IGNORECASE)


def training_source(source: str | Path) -> str | Path | None:
    """Where the problems to train on are for those of `source`; None where `source` itself has to be divided.

    A named source has a training split; a file called `mine_test.jsonl` has `mine_train.jsonl` beside it; any other
    file, and a training split itself, is divided. Raises `ValueError` for a test file without a training file: what
    is named to measure with is not trained on.
    """
    if not is_file_source(source):
        return _TRAINING.get(":".join(split_source(str(source))))
    path = Path(source)
    word = _MEASURING.search(path.stem)
    if word is None:
        return None
    beside = path.with_name(path.stem[: word.start()] + "train" + path.stem[word.end() :] + path.suffix)
    if not beside.is_file():
        raise ValueError(f"{path} is a {word[0]} split and has no training split: expected {beside.name} beside it")
    return beside


def divide(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """`problems` in two halves by a hash of their ids: to train on, and to measure with.

    The side of a problem depends on its id alone, so a longer file moves none. What stands on both sides with another
    id is left out of the training half.
    """
    measuring = [problem for problem in problems if not _to_train_on(problem)]
    asked = marks_of(measuring)
    return [p for p in problems if _to_train_on(p) and not p.marks & asked], measuring


def problems_to_measure_with(source: str | Path) -> list[Problem]:
    """The problems of `source` that no model of a run that tunes on its training split is trained on."""
    problems = load_problems(source)
    return divide(problems)[1] if training_source(source) is None else problems


def problems_to_train_on(source: str | Path) -> list[Problem]:
    """The training split that belongs to `source`, in order. Raises what `training_source` and `load_problems` do."""
    training = training_source(source)
    return divide(load_problems(source))[0] if training is None else load_problems(training)


def shared_problems(training: Sequence[Problem], measuring: Sequence[Problem]) -> list[Problem]:
    """Those of `training` that are asked in `measuring` too, if under another id, with noise or in other words."""
    asked = marks_of(measuring)
    return [problem for problem in training if problem.marks & asked]


def marks_of(problems: Iterable[Problem]) -> frozenset[str]:
    """The marks of all of them."""
    return frozenset[str]().union(*(problem.marks for problem in problems))


def _to_train_on(problem: Problem) -> bool:
    return hashlib.sha256(problem.id.encode("utf-8", "surrogatepass")).digest()[0] % 2 == 0
