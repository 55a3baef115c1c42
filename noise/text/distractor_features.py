"""The words, names, nouns and numbers of a distractor, read from its text alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from noise.text.filler_vocabulary import FAR_TOWNS, TOWNS
from noise.text.given_names import GIVEN_NAMES
from noise.text.noun_lists import COUNTABLE
from noise.text.word_lists import (
    ADJECTIVES,
    DETERMINERS,
    MONTHS_AND_DAYS,
    NAMES_IN_S,
    OPERATOR_WORDS,
    SUBJECT_VERBS,
    word_list,
)
from noise.text.word_tokens import WordToken, tokenize

_PREPOSITIONS = frozenset(
    word_list("in near from of to at around outside between past beyond toward by over off on above below")
)
_TOWNS = frozenset(town.lower() for town in (*TOWNS, *FAR_TOWNS))
_PEOPLE = frozenset(name.lower() for name in GIVEN_NAMES) - _TOWNS
_BEFORE_PEOPLE = frozenset(word_list("of to by around toward"))
_KNOWN_NAMES = _TOWNS | _PEOPLE
_STREET_WORDS = frozenset(word_list("street avenue road lane drive square"))
# A place of a kind that the question does not have: its noun would be refused otherwise.
_SITES = (*COUNTABLE["place"].split(), "house", "building", "garage", "tower", "bridge", "team", "lot")
#: What says that a quantity is from somewhere else, without a name.
ELSEWHERE = re.compile(
    r"\b(?:far away|faraway|distant|abroad|overseas|elsewhere|long ago|across town|in the next town|in a nearby town"
    rf"|(?:local|nearby) (?:[a-z]+ )?(?:{'|'.join(_SITES)}))\b",
    re.I,
)
_OPENERS = frozenset(
    word_list("in at near on far during after before outside by over beyond along from long inside under for")
)
_AFTER_NAMES = frozenset(
    word_list(", and from sang ran told swam rode wrote sat stood slept threw hid fed flew led met rang")
)
_WEATHER = frozenset(word_list("fog frost hail mist dew thunder lightning sleet drizzle smoke dust"))
_CLOCK = re.compile(r"\b\d{1,2}(?::\d\d| ?[ap]\.?m)\b")


class DistractorFeatures(NamedTuple):
    """A distractor as the certification rule sees it. All words are in lower case.

    `counted_nouns` are those that a number stands before, `kinds` the kinds of quantity it speaks of, and
    `antecedent_of` what a later reference could take it for: `person`, `plural`, `thing`. `has_label` says that one of
    its numbers counts nothing, as that of a bus does; `names_a_place` that it speaks of a place such as a town,
    and `agrees` that a plural at its start has no verb in -s.
    """

    words: tuple[str, ...]
    names: tuple[str, ...]
    place_names: tuple[str, ...]
    nouns: tuple[str, ...]
    counted_nouns: tuple[str, ...]
    person_nouns: tuple[str, ...]
    numbers: tuple[str, ...]
    kinds: frozenset[str]
    antecedent_of: frozenset[str]
    has_label: bool
    names_a_place: bool
    agrees: bool


def _counts_nothing(words: list[WordToken], i: int) -> bool:
    """Return whether the number at index `i` is a label: "bus 12", and not "12 buses" or "12 old buses"."""
    before, following = words[i - 1] if i else None, words[i + 1 : i + 3]
    if before is not None and (before.text in ("$", "€", "£") or before.counts):
        return False
    if before is not None and before.entry is not None and not before.plural and not before.entry.mass:
        return True
    return not any(word.plural or word.unit for word in following)


def _opens_with_name(words: list[WordToken]) -> bool:
    """Return whether the first word, always capitalised, is a name: a known one, or one that acts like one."""
    first = words[0]
    if first.bare in _KNOWN_NAMES:
        return True
    following = words[1].text if len(words) > 1 else "."
    return (
        first.entry is None
        and not first.plural
        and first.bare not in _WEATHER
        and (first.bare != first.text or following in SUBJECT_VERBS or following in _AFTER_NAMES)
    )


def _after_preposition(name: str, before: str) -> bool:
    """Return whether a preposition makes a place of a name: "in Jackson", but not "a friend of Jackson"."""
    return before in _PREPOSITIONS and not (before in _BEFORE_PEOPLE and name in _PEOPLE)


def _of_street(words: list[WordToken], i: int) -> bool:
    """Return whether the capitalised word is a part of a name such as "Elm Street"."""
    if words[i].bare in _STREET_WORDS:
        return i > 0 and words[i - 1].capital
    return i + 1 < len(words) and words[i + 1].capital and words[i + 1].bare in _STREET_WORDS


@lru_cache(maxsize=2)  # `ic` reads a sentence just before it is certified
def distractor_features(sentence: str) -> DistractorFeatures:
    """Return the features of a sentence that holds at least one word or mark."""
    words = tokenize(sentence)
    texts = [word.text for word in words]
    names: list[str] = []
    place_names: list[str] = []
    nouns: list[str] = []
    counted_nouns: list[str] = []
    numbers: list[str] = []
    person_nouns: list[str] = []
    kinds: set[str] = set()
    antecedent_of: set[str] = set()
    has_label = names_a_place = False
    for i, word in enumerate(words):
        if word.counts:
            numbers.append(word.number)
            has_label = has_label or _counts_nothing(words, i)
        if not word.content:
            if word.kinds and not word.letters:
                kinds.update(word.kinds)
            continue
        bare = word.bare
        if word.capital and (i or _opens_with_name(words)):
            if bare in MONTHS_AND_DAYS:
                kinds.add("time")
            elif (
                bare in _TOWNS or _of_street(words, i) or (i and texts[i - 1] in _PREPOSITIONS and bare not in _PEOPLE)
            ):
                place_names.append(bare)
            else:
                names.append(bare)
                antecedent_of.add("person")
            continue
        after_number = i > 0 and words[i - 1].counts
        if word.kinds and (word.unit or (after_number and bare not in ADJECTIVES)):
            kinds.update(word.kinds)
        if word.unit or word.verb:
            continue
        if (after_number and bare not in OPERATOR_WORDS) or (word.plural and i > 1 and words[i - 2].digits):
            counted_nouns.append(bare)
        if word.entry is not None or word.plural or after_number or (i and texts[i - 1] in DETERMINERS):
            nouns.append(bare)
        if word.entry is not None and word.entry.kind == "place":
            names_a_place = True
        if word.entry is not None and word.entry.kind == "person":
            person_nouns.append(bare)
            if not word.plural:
                antecedent_of.add("person")
        if word.plural:
            antecedent_of.add("plural")
    if numbers and _CLOCK.search(sentence):
        kinds.add("time")
    agrees = not (words[0].plural and words[0].bare not in NAMES_IN_S and len(words) > 1 and words[1].verb)
    subject = texts.index(",") + 1 if texts and texts[0] in _OPENERS and "," in texts else 0
    head = texts[subject : subject + 2]
    if head and head[0] in ("a", "an", "the") and "person" not in antecedent_of and head[-1] not in person_nouns:
        antecedent_of.add("thing")
    return DistractorFeatures(
        tuple(texts), tuple(names), tuple(place_names), tuple(nouns), tuple(counted_nouns), tuple(person_nouns),
        tuple(numbers), frozenset(kinds), frozenset(antecedent_of), has_label, names_a_place, agrees,
    )  # fmt: skip
