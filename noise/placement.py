"""Where in a question a distractor goes, and whether the question has to be in English."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from noise.problems.problem import Problem
from noise.text.question_features import QuestionFeatures, question_features
from noise.text.sentence_splitting import sentence_starts
from noise.unknown_name import unknown_name

#: `last` is before the asking sentence, `first` before all, `middle` between, and `random` any of these.
POSITIONS = ("last", "first", "middle", "random")


@dataclass(frozen=True)
class Placement:
    """A position, one of `POSITIONS`, and whether a question in another language than English is taken, too.

    Raises `ValueError` for an unknown position, with the nearest one.
    """

    position: str = "last"
    any_language: bool = False

    def __post_init__(self) -> None:
        """Check the position."""
        if self.position not in POSITIONS:
            raise ValueError(unknown_name("position", self.position, POSITIONS))

    def features(self, problem: Problem, seed: int, known: QuestionFeatures | None = None) -> QuestionFeatures:
        """Return the features of a question for a distractor in this position; `known` are those for `last`.

        All that follows the position is read as the asking sentence is. A random position depends on `seed` and
        `problem.id`, so that every noise of a problem takes the same.
        """
        features = question_features(problem.question) if known is None else known
        if self.position != "last":
            features = question_features(problem.question, self._offset(problem, seed, features.insertion_point))
        return replace(features, english=True) if self.any_language else features

    def _offset(self, problem: Problem, seed: int, last: int) -> int:
        offsets = [start for start in sentence_starts(problem.question) if start < last] + [last]
        if self.position == "first":
            return offsets[0]
        if self.position == "middle":
            return offsets[len(offsets) // 2]
        key = f"{seed}/position/{problem.id}".encode("utf-8", "surrogatepass")
        return offsets[int(random.Random(key).random() * len(offsets))]


#: Before the asking sentence, in English.
LAST = Placement()
