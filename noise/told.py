"""What a distractor tells, read from its text alone: its words, names, nouns and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from noise.asking import KIND_OF_WORD
from noise.elsewhere import NAMES, PLACES
from noise.lexicon import LEXICON
from noise.scene import TOKEN, number_text
from noise.words import (
    ADJECTIVES,
    DETERMINERS,
    FUNCTION_WORDS,
    MONTHS_AND_DAYS,
    NUMBER_WORDS,
    OPERATOR_WORDS,
    SUBJECT_VERBS,
    UNITS,
    VERBS_IN_S,
    bank,
)

_PREPOSITIONS = frozenset(
    bank("in near from of to at around outside between past beyond toward by over off on above below")
)
_PLACE_WORDS = frozenset(place.lower() for place in PLACES)
_KNOWN_NAMES = _PLACE_WORDS | {name.lower() for name in NAMES}
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_OPENERS = frozenset(
    bank("in at near on far during after before outside by over beyond along from long inside under for")
)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b|\b\d{1,2} ?[ap]\.?m\b")


@dataclass(frozen=True, slots=True)
class Told:
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


def _is_plural(word: str) -> bool:
    entry = LEXICON.get(word)
    if entry is not None:
        return not entry.mass and word == entry.plural
    return (
        word.endswith("s")
        and not word.endswith(("ss", "us", "is", "'s"))
        and word not in UNITS
        and word not in VERBS_IN_S
    )


def _opens_with_name(bare: str, words: list[str]) -> bool:
    """Whether the first word, which has its capital anyway, is a name: a known one, or one that acts like one."""
    if bare in _KNOWN_NAMES:
        return True
    return (
        bare not in LEXICON
        and not _is_plural(bare)
        and (bare != words[0] or (len(words) > 1 and (words[1] in SUBJECT_VERBS or words[1] in (",", "and"))))
    )


def tell(distractor: str) -> Told:
    """What a sentence tells, read from its text alone."""
    raws = TOKEN.findall(distractor)
    words = [raw.lower().replace("’", "'") for raw in raws]
    names: list[str] = []
    places: list[str] = []
    nouns: list[str] = []
    counted: list[str] = []
    numbers: list[str] = []
    persons: list[str] = []
    kinds: set[str] = set()
    could_be: set[str] = set()
    subject = 0
    if words and words[0] in _OPENERS and "," in words:
        subject = words.index(",") + 1
    for i, word in enumerate(words):
        if not word[0].isalpha():
            if word[0].isdecimal():
                numbers.append(number_text(word))
                if "," not in word and _YEAR.fullmatch(word):
                    kinds.add("time")
            elif word in KIND_OF_WORD:
                kinds.update(KIND_OF_WORD[word])
            continue
        bare = word[:-2] if word.endswith("'s") else word
        if word in NUMBER_WORDS:
            numbers.append(str(NUMBER_WORDS[word]))
        if bare in FUNCTION_WORDS:
            continue
        previous = words[i - 1] if i else ""
        before_that = words[i - 2] if i > 1 else ""
        entry = LEXICON.get(bare)
        if raws[i][0].isupper() and (i or _opens_with_name(bare, words)):
            if bare in MONTHS_AND_DAYS:
                kinds.add("time")
            elif bare in _PLACE_WORDS or previous in _PREPOSITIONS:
                places.append(bare)
            else:
                names.append(bare)
                could_be.add("person")
            continue
        behind_number = previous[:1].isdecimal() or previous in NUMBER_WORDS
        if bare in KIND_OF_WORD and (bare in UNITS or (behind_number and bare not in ADJECTIVES)):
            kinds.update(KIND_OF_WORD[bare])
        if bare in UNITS:
            continue
        if bare in VERBS_IN_S and entry is None:
            continue
        plural = _is_plural(bare)
        if (behind_number and bare not in OPERATOR_WORDS) or (before_that[:1].isdecimal() and plural):
            counted.append(bare)
        if entry is not None or plural or previous in DETERMINERS or behind_number:
            nouns.append(bare)
        if entry is not None and entry.kind == "person":
            persons.append(bare)
            if not plural:
                could_be.add("person")
        if plural:
            could_be.add("plural")
    if _CLOCK.search(distractor):
        kinds.add("time")
    head = words[subject : subject + 5]
    if (
        head
        and head[0] in ("a", "an", "the")
        and "person" not in could_be
        and not (len(head) > 1 and head[1] in persons)
    ):
        could_be.add("thing")
    return Told(
        tuple(words), tuple(names), tuple(places), tuple(nouns), tuple(counted), tuple(numbers), frozenset(kinds),
        tuple(persons), frozenset(could_be),
    )  # fmt: skip
