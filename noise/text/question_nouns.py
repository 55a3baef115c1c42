"""The nouns of a question: those that stand for their thing, and those that only may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from noise.text.noun_lexicon import LEXICON, NounEntry
from noise.text.noun_lists import AMBIGUOUS_NOUNS, DESCRIPTIVE_NOUNS
from noise.text.noun_sense import is_its_thing, is_of_another_thing
from noise.text.word_lists import DETERMINERS, NUMBER_WORDS
from noise.text.word_tokens import SENTENCE_ENDS, WordToken


class NounUse(NamedTuple):
    """A noun of the lexicon as the question uses it: as a plural, as a singular, or both."""

    entry: NounEntry
    plural: bool
    singular: bool


class NounUses(NamedTuple):
    """The nouns of a question; `QuestionFeatures` explains the fields."""

    nouns: tuple[NounUse, ...]
    other_nouns: tuple[NounUse, ...]
    of_other_things: frozenset[str]


def noun_uses(words: Sequence[WordToken]) -> NounUses:
    """Return the nouns of the lexicon among the words of a question."""
    nouns: dict[NounEntry, list[bool]] = {}
    other_nouns: dict[NounEntry, list[bool]] = {}
    of_other_things: set[str] = set()
    for i in [i for i, word in enumerate(words) if word.entry is not None and not word.unit]:
        word = words[i]
        entry, bare = word.entry, word.bare
        assert entry is not None
        before = words[i - 1].text if i else ""
        if word.capital and (before not in SENTENCE_ENDS or (not entry.mass and bare != entry.plural)):
            continue  # a name: "Rose", or "Daisy" at the start, where a thing would have its article
        sure = is_its_thing(words, i)
        if sure or _is_noun(entry, bare, before, words[i + 1].text if i + 1 < len(words) else ""):
            forms = (nouns if sure else other_nouns).setdefault(entry, [False, False])
            forms[bare != entry.plural] = True
        if not sure and is_of_another_thing(words, i):
            of_other_things.add(entry.singular)
    parts_only = of_other_things.difference([entry.singular for entry in nouns])
    return NounUses(_uses(nouns), _uses(other_nouns), frozenset(parts_only))


def _is_noun(entry: NounEntry, lower: str, before: str, after: str) -> bool:
    """Return whether a word of the lexicon is used as a noun, judging by its neighbours."""
    if lower in DESCRIPTIVE_NOUNS and after in LEXICON:
        return False
    if lower not in AMBIGUOUS_NOUNS and entry.singular not in AMBIGUOUS_NOUNS:
        return True
    if before in ("a", "an", "the", "his", "her", "their", "its", "my", "your", "our"):
        return after not in LEXICON or after in AMBIGUOUS_NOUNS
    return before in DETERMINERS or before in NUMBER_WORDS or before[:1].isdecimal() or before in ("many", "of")


def _uses(forms: dict[NounEntry, list[bool]]) -> tuple[NounUse, ...]:
    return tuple([NounUse(entry, plural, singular) for entry, (plural, singular) in forms.items()])
