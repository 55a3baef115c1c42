"""The factors of a designed noise, as records carry them: `topic=in role=own range=out fixed=role`.

`fixed` names the factors that a problem leaves no choice of. Its level of these says what the sentence is, and counts
for no comparison: problems with a choice and problems without one are other problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

#: The factors of `ic`, with the two levels that are compared: what is costlier is expected first.
COMPARED = {"topic": ("in", "off"), "role": ("own", "other"), "range": ("in", "out")}


def chosen_levels(factors: Sequence[str]) -> Iterator[str]:
    """Yield the levels that a draw was given, as `topic=in`: those that all of its distractors have and that none of
    them has fixed. A kind that is no such list, as "asked" of `near`, gives none."""
    per_span = []
    for text in factors:
        levels = dict(part.split("=", 1) for part in text.split() if "=" in part)
        fixed = levels.pop("fixed", "").split("+")
        per_span.append({f"{name}={level}" for name, level in levels.items() if name not in fixed})
    yield from sorted(set.intersection(*per_span)) if per_span else ()


class LevelScores:
    """The scores of draws by level, to be averaged in each problem."""

    def __init__(self) -> None:
        self._scores: dict[str, dict[str, list[float]]] = {}

    def add(self, problem: str, factors: Sequence[str], score: float) -> None:
        """Add the score of a draw."""
        for level in chosen_levels(factors):
            self._scores.setdefault(level, {}).setdefault(problem, []).append(score)

    def means(self, problems: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return by level the mean of each problem, NaN where it has no draw of the level."""
        return {
            level: numpy.array([numpy.mean(by_problem.get(problem, [numpy.nan])) for problem in problems])
            for level, by_problem in sorted(self._scores.items())
        }
