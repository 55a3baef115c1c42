"""What a distractor tells, read from its text alone: its words, names, nouns and numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from noise.text.filler_vocabulary import NAMES, PLACES
from noise.text.word_lists import ADJECTIVES, DETERMINERS, MONTHS_AND_DAYS, OPERATOR_WORDS, SUBJECT_VERBS, bank
from noise.text.word_tokens import Word, words_in

_PREPOSITIONS = frozenset(
    bank("in near from of to at around outside between past beyond toward by over off on above below")
)
_PLACE_WORDS = frozenset(place.lower() for place in PLACES)
_KNOWN_NAMES = _PLACE_WORDS | {name.lower() for name in NAMES}
_OPENERS = frozenset(
    bank("in at near on far during after before outside by over beyond along from long inside under for")
)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b|\b\d{1,2} ?[ap]\.?m\b")


class Told(NamedTuple):
    """A distractor as the rule sees it: its words, names, nouns and numbers, and what a later pronoun could mean."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    places: tuple[str, ...]
    nouns: tuple[str, ...]
    counted: tuple[str, ...]
    numbers: tuple[str, ...]
    kinds: frozenset[str]
    persons: tuple[str, ...]
    could_be: frozenset[str]


def _opens_with_name(words: list[Word]) -> bool:
    """Whether the first word, which has its capital anyway, is a name: a known one, or one that acts like one."""
    first = words[0]
    if first.bare in _KNOWN_NAMES:
        return True
    following = words[1].text if len(words) > 1 else ""
    return (
        first.entry is None
        and not first.plural
        and (first.bare != first.text or following in SUBJECT_VERBS or following in (",", "and"))
    )


def tell(distractor: str) -> Told:
    """What a sentence tells, read from its text alone."""
    words = words_in(distractor)
    texts = [word.text for word in words]
    names: list[str] = []
    places: list[str] = []
    nouns: list[str] = []
    counted: list[str] = []
    numbers: list[str] = []
    persons: list[str] = []
    kinds: set[str] = set()
    could_be: set[str] = set()
    for i, word in enumerate(words):
        if word.counts:
            numbers.append(word.number)
        if not word.content:
            if word.kinds and not word.letters:
                kinds.update(word.kinds)
            continue
        bare = word.bare
        if word.capital and (i or _opens_with_name(words)):
            if bare in MONTHS_AND_DAYS:
                kinds.add("time")
            elif bare in _PLACE_WORDS or (i and texts[i - 1] in _PREPOSITIONS):
                places.append(bare)
            else:
                names.append(bare)
                could_be.add("person")
            continue
        behind_number = i > 0 and words[i - 1].counts
        if word.kinds and (word.unit or (behind_number and bare not in ADJECTIVES)):
            kinds.update(word.kinds)
        if word.unit or word.verb:
            continue
        if (behind_number and bare not in OPERATOR_WORDS) or (word.plural and i > 1 and words[i - 2].digits):
            counted.append(bare)
        if word.entry is not None or word.plural or behind_number or (i and texts[i - 1] in DETERMINERS):
            nouns.append(bare)
        if word.entry is not None and word.entry.kind == "person":
            persons.append(bare)
            if not word.plural:
                could_be.add("person")
        if word.plural:
            could_be.add("plural")
    if _CLOCK.search(distractor):
        kinds.add("time")
    subject = texts.index(",") + 1 if texts and texts[0] in _OPENERS and "," in texts else 0
    head = texts[subject : subject + 2]
    if head and head[0] in ("a", "an", "the") and "person" not in could_be and head[-1] not in persons:
        could_be.add("thing")
    return Told(
        tuple(texts), tuple(names), tuple(places), tuple(nouns), tuple(counted), tuple(numbers), frozenset(kinds),
        tuple(persons), frozenset(could_be),
    )  # fmt: skip
