"""Sums told in words, "76 minus 34 gives 42", and what they may stand for in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from noise.text.word_lists import NUMBER_WORDS, PRONOUNS

# "76 minus 34 gives 42", and what may stand before and behind it.
_TOLD_SUM = re.compile(
    r"\d[\d,.]*(?: (?:plus|minus|times|over|(?:multiplied|divided) by|added to|less))(?: \d[\d,.]*)"
    r" (?:is|makes?|equals?|gives?|comes? to) \d[\d,]*(?:\.\d+)?"
)
_BEFORE_CLAUSE = re.compile(r"(?:^|[,:;(\"“‘'—–]|\b(?:that|so|and|because|why|or|as|since|how|where|when|while|if)) ?$")
_BEHIND_CLAUSE = re.compile(r"$|[.,;:!)\"”’'—–]")


def is_a_clause_as_a_noun(plain: str) -> bool:
    """Return whether a sum in words stands for a noun: "teaches 4 times 2 is 8", and not "teaches that 4 times …"."""
    return any(
        not (_BEFORE_CLAUSE.search(plain[: match.start()]) and _BEHIND_CLAUSE.match(plain, match.end()))
        for match in _TOLD_SUM.finditer(plain)
    )


def opens_a_sum(words: Sequence[str]) -> bool:
    """Return whether every "that" stands before a number, as in "teaches that 4 times 2 is 8", and is no pronoun."""
    return all(
        following[0].isdecimal() or following in NUMBER_WORDS or following.partition("-")[0] in NUMBER_WORDS
        for word, following in pairwise((*words, "."))
        if word == "that"
    ) and PRONOUNS.isdisjoint(word for word in words if word != "that")
