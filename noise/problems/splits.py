"""Training and evaluation problems of one source, disjoint.

The functions take a source and, where its problems are in memory already, `loaded`, so that a file is read once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from noise.problems.bad_lines import BadLine
from noise.problems.problem import Problem, normalised
from noise.problems.problem_sources import is_file_source, load_problems, split_source
from noise.problems.remote_files import is_file, sibling, source_name

#: The training split of each evaluation split of the named sources.
_TRAINING = {
    "mini:test": "mini:train",
    "mini:new-names": "mini:train",
    "mini:new-templates": "mini:new-templates-train",
    "gsm8k:test": "gsm8k:train",
}
#: A word in a file's name that marks it as an evaluation split, as in `mine_test` or `Mine-Dev.2`.
_EVALUATION_WORD = re.compile(r"(?<![^\W_])(test|validation|valid|val|dev|eval)(?![^\W_])", re.IGNORECASE)


def training_source(source: str | Path) -> str | Path | None:
    """Return the source of the training problems for `source`; None where `source` itself is to be split in two.

    A named source has a training split; `mine_test.jsonl` has `mine_train.jsonl` next to it; any other file, and a
    training split itself, is split in two. Raises `ValueError` for a test file without a training file, as no model is
    trained on a test file.
    """
    if not is_file_source(source):
        return _TRAINING.get(":".join(split_source(str(source))))
    name = Path(source_name(source))
    word = _EVALUATION_WORD.search(name.stem)
    if word is None:
        return None
    training_name = name.stem[: word.start()] + "train" + name.stem[word.end() :] + name.suffix
    training = sibling(source, training_name)
    if not is_file(training):
        raise ValueError(
            f"{source} is a {word[0]} split and has no training split: expected {training_name} next to it"
        )
    return training


def split_in_two(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """Return two halves of `problems` by a hash of their ids: to train on, and to measure with.

    The half of a problem depends on its id alone, so appending problems never moves existing ones. A problem
    that is in both halves under different ids is left out of the training half.
    """
    evaluation = [problem for problem in problems if not _in_training_half(problem)]
    keys = dedup_keys_of(evaluation)
    return [p for p in problems if _in_training_half(p) and not p.dedup_keys & keys], evaluation


def problems_to_measure_with(source: str | Path, loaded: Sequence[Problem] | None = None) -> list[Problem]:
    """Return the problems of `source` that are not in its training split.

    `loaded` are the problems of `source`; without them it is read. Raises what `training_source` and `load_problems`
    raise.
    """
    problems = load_problems(source) if loaded is None else list(loaded)
    return split_in_two(problems)[1] if training_source(source) is None else problems


def problems_to_train_on(
    source: str | Path, loaded: Sequence[Problem] | None = None, bad_lines: list[BadLine] | None = None
) -> list[Problem]:
    """Return the training split of `source`, in order.

    `loaded` are the problems of `source`; where the training split is half of them, `source` is not read again.
    `bad_lines` is that of `load_problems`. Raises what `training_source` and `load_problems` raise.
    """
    training = training_source(source)
    if training is not None:
        return load_problems(training, bad_lines=bad_lines)
    return split_in_two(load_problems(source, bad_lines=bad_lines) if loaded is None else loaded)[0]


def shared_problems(training: Sequence[Problem], evaluation: Sequence[Problem]) -> list[Problem]:
    """Return those of `training` that are in `evaluation` too, whatever their id, noise or wording."""
    keys = dedup_keys_of(evaluation)
    return [problem for problem in training if problem.dedup_keys & keys]


def not_shown(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Return those of `problems` that `text`, a prompt, does not show as examples."""
    shown = normalised(text)
    return [problem for problem in problems if not problem.is_shown_in(shown)]


def dedup_keys_of(problems: Iterable[Problem]) -> frozenset[str]:
    """Return the union of the problems' `dedup_keys`."""
    return frozenset[str]().union(*(problem.dedup_keys for problem in problems))


def _in_training_half(problem: Problem) -> bool:
    return hashlib.sha256(problem.id.encode("utf-8", "surrogatepass")).digest()[0] % 2 == 0
