"""The 2 × 2 × 2 design of GSM-IC (Shi et al. 2023, arXiv 2302.00093): topic, role and range of a distractor.

- `topic`: `in` where it names something of the question, `off` where it names nothing of it;
- `role`: `own` where it is about somebody close to a person of the question, `other` where about somebody with another
  name, `none` where about nobody;
- `range`: `in` where its number lies between the smallest and the largest of the question, `out` where it does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations
from typing import NamedTuple

from noise.text.asked_scene import KIN
from noise.text.distractor_features import distractor_features
from noise.text.noun_lexicon import meaning
from noise.text.question_features import QuestionFeatures

FACTORS = ("topic", "role", "range")


class DesignCell(NamedTuple):
    """A level of each factor."""

    topic: str
    role: str
    range: str

    def text(self, fixed: Iterable[str] = ()) -> str:
        """Return the cell as records have it. `fixed` are the factors that the problem leaves no choice of."""
        levels = [f"{name}={level}" for name, level in zip(FACTORS, self, strict=True)]
        names = "+".join(name for name in FACTORS if name in set(fixed))
        return " ".join([*levels, *([f"fixed={names}"] if names else [])])


#: By number: the bits say which factors have their second level.
CELLS = tuple(
    DesignCell(topic, role, number_range)
    for topic in ("in", "off")
    for role in ("own", "other")
    for number_range in ("in", "out")
)
#: The cells of eight draws of a problem, from its first: in each two, every factor has both levels.
_ORDER = (0b000, 0b111, 0b011, 0b100, 0b101, 0b010, 0b110, 0b001)
_BIT_ORDERS = tuple(permutations(range(3)))


def design_cell(problem: str, seed: int) -> DesignCell:
    """Return the cell that a draw of a problem should have: by a hash of the id, so that no other problem changes it.

    Eight seeds from a multiple of eight have the eight cells, and seeds 2k and 2k + 1 have no level in common.
    """
    block, number = divmod(seed, len(CELLS))
    digest = hashlib.blake2b(f"{block}/{problem}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    first, order = digest[0] % len(CELLS), _BIT_ORDERS[int.from_bytes(digest[1:]) % len(_BIT_ORDERS)]
    bits = sum((_ORDER[number] >> bit & 1) << position for position, bit in enumerate(order))
    return CELLS[first ^ bits]


def cell_of(features: QuestionFeatures, sentence: str) -> DesignCell:
    """Return the cell that a sentence has beside a question, read from its text."""
    distractor = distractor_features(sentence)
    own = any(word in KIN for word in distractor.words) and any(
        word.removesuffix("'s") in features.proper_names for word in distractor.words
    )
    role = "own" if own else "other" if distractor.names else "none"
    shared = any(meaning(noun) in features.meanings for noun in distractor.nouns)
    known = features.values
    inside = bool(known) and all(min(known) <= Fraction(number) <= max(known) for number in distractor.numbers)
    return DesignCell("in" if shared else "off", role, "in" if inside else "out")
