"""The numbers of `ic`: between the smallest and the largest of a question, or above the largest."""

from __future__ import annotations

import random
from math import ceil, floor

from noise.text.question_features import QuestionFeatures

_WIDEST = 2_000  # numbers are drawn from no wider range
_USUAL = (3, 20)  # the range of a question without numbers


def inside(features: QuestionFeatures) -> tuple[int, int] | None:
    """Return the ends of a range within the question's own, where it has a whole number that is none of its own.

    It is the upper part if there is room, so that numbers of both kinds are of one size.
    """
    if not features.values:
        return None
    least, most = max(2, ceil(min(features.values))), floor(max(features.values))
    for low in (max(least, ceil(max(features.values) / 4)), least):
        high = min(most, low + _WIDEST)
        taken = sum(low <= value <= high and value.denominator == 1 for value in features.values)
        if high - low + 1 > taken:
            return low, high
    return None


def outside(features: QuestionFeatures) -> tuple[int, int]:
    """Return the ends of a range above the question's own: from two to three times its largest number."""
    most = ceil(max(features.values, default=_USUAL[1]))
    return 2 * most + 1, 3 * most + 10


def sizes(features: QuestionFeatures) -> tuple[int, int]:
    """Return the smallest and the largest number that a fact beside a question may have, whatever its cell."""
    within, beyond = inside(features), outside(features)
    return (beyond if within is None else within)[0], beyond[1]


def number_at(where: str, features: QuestionFeatures, rng: random.Random) -> str | None:
    """Return a number of the level `in` or `out` as text; None where the question has no room for it."""
    ends = inside(features) if where == "in" else outside(features)
    return None if ends is None else f"{ends[0] + int(rng.random() * (ends[1] - ends[0] + 1)):,}"
