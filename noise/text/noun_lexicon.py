"""A small lexicon of nouns: their number, their kind, and their synonyms.

A noun that is missing is still counted by the certification, which compares words first and kinds second; templates
cannot mention it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from noise.text.noun_lists import COUNTABLE, HYPERNYMS, IRREGULAR, MASS, SYNONYMS


class NounEntry(NamedTuple):
    """A noun of the lexicon: its singular, its plural (the same word for a mass noun), and its kind."""

    singular: str
    plural: str
    kind: str
    mass: bool


def _plural(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _build() -> dict[str, NounEntry]:
    entries: dict[str, NounEntry] = {}
    for kind, words in COUNTABLE.items():
        for word in words.split():
            entry = NounEntry(word, _plural(word), kind, mass=False)
            entries.setdefault(word, entry)
            entries.setdefault(entry.plural, entry)
    for kind, words in MASS.items():
        for word in words.split():
            entries.setdefault(word, NounEntry(word, word, kind, mass=True))
    return entries


LEXICON: dict[str, NounEntry] = _build()


@lru_cache(maxsize=16384)
def lemma(word: str) -> str:
    """Return the singular of a lower-case English noun: `box` for `boxes`. Unknown words are cut by rule."""
    entry = LEXICON.get(word)
    if entry is not None:
        return entry.singular
    if len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=16384)
def meaning(word: str) -> str:
    """Return one word for all synonyms and forms: `child` for `kids` and for `children`."""
    base = lemma(word)
    return SYNONYMS.get(base, base)


def covers(general: str, word: str) -> bool:
    """Return whether `general` is a hypernym of `word`: "animals" of a cow. Unknown nouns count as things."""
    kinds = HYPERNYMS.get(general)
    if kinds is None:
        return False
    entry = LEXICON.get(word)
    return (entry.kind if entry is not None else "thing") in kinds
