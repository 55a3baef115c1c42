"""Which problems a model may be fine-tuned on, when others are to measure it: never the same text twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from noise.problems import Problem
from noise.sources import is_file_source, load_problems, split_source

#: The training split of each named source's other splits.
_TRAINING = {
    "mini:test": "mini:train",
    "mini:new-names": "mini:train",
    "mini:new-templates": "mini:new-templates-train",
    "gsm8k:test": "gsm8k:train",
}
#: The last word of a file's name that says it is there to measure with.
_MEASURING = ("test", "validation", "valid", "val", "dev", "eval")


def training_source(source: str | Path) -> str | Path | None:
    """Where the problems to train on are for those of `source`; None where `source` itself has to be divided.

    A named source has a training split; a file called `mine_test.jsonl` has `mine_train.jsonl` beside it; any other
    file, and a training split itself, is divided. Raises `ValueError` for a test file without a training file: what
    is named to measure with is not trained on.
    """
    if not is_file_source(source):
        return _TRAINING.get(":".join(split_source(str(source))))
    path = Path(source)
    stem, _, last = path.stem.rpartition("_")
    if last not in _MEASURING:
        return None
    beside = path.with_name("_".join(filter(None, (stem, "train"))) + path.suffix)
    if not beside.is_file():
        raise ValueError(f"{path} is a {last} split and has no training split: expected {beside.name} beside it")
    return beside


def divide(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """`problems` in two halves by a hash of their ids: to train on, and to measure with.

    The side of a problem depends on its id alone, so a longer file moves none. What stands on both sides with another
    id is left out of the training half.
    """
    measuring = [problem for problem in problems if not _to_train_on(problem)]
    texts = {_normal(problem.question) for problem in measuring}
    training = [p for p in problems if _to_train_on(p) and _normal(p.question) not in texts]
    return training, measuring


def problems_to_measure_with(source: str | Path) -> list[Problem]:
    """The problems of `source` that no model of a run that tunes on its training split is trained on."""
    problems = load_problems(source)
    return divide(problems)[1] if training_source(source) is None else problems


def problems_to_train_on(source: str | Path) -> list[Problem]:
    """The training split that belongs to `source`, in order. Raises what `training_source` and `load_problems` do."""
    training = training_source(source)
    return divide(load_problems(source))[0] if training is None else load_problems(training)


def shared_problems(training: Sequence[Problem], measuring: Sequence[Problem]) -> list[Problem]:
    """Those of `training` whose question, but for case and white space, is asked in `measuring` too."""
    texts = {_normal(problem.question) for problem in measuring}
    return [problem for problem in training if _normal(problem.question) in texts]


def _to_train_on(problem: Problem) -> bool:
    return hashlib.sha256(problem.id.encode("utf-8", "surrogatepass")).digest()[0] % 2 == 0


def _normal(question: str) -> str:
    return " ".join(question.casefold().split())
