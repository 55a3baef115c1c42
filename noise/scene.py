"""What a question says about its own world: who and what is in it, what it asks for, and what it leaves open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from noise.asking import asking
from noise.lexicon import AMBIGUOUS, DESCRIBING, LEXICON, Entry, meaning
from noise.sentences import place
from noise.words import (
    ADJECTIVES,
    DETERMINERS,
    FUNCTION_WORDS,
    MONTHS_AND_DAYS,
    NUMBER_WORDS,
    SUBJECT_VERBS,
    UNITS,
)

TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_]+(?:[-'’.][^\W\d_]+)*|[$€£¢%.,;:?!()=×÷]")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A noun of the dictionary as the question uses it: as a plural, as a singular, or both."""

    entry: Entry
    plural: bool
    singular: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """A question as the noises see it.

    `at` is the offset of the sentence that asks (characters). `meanings` holds every content word in its dictionary
    form, synonyms folded. `proper` holds the capitalised names, lower case, and `people` those that act as people.
    `nouns` are the nouns of the dictionary that the question uses as nouns. `numbers` are its numbers as text without
    commas, number words included (`two` as `2`). `asked` holds the kinds of quantity that the asking sentence speaks
    of (`money`, `time`, …) and `asked_nouns` the meanings of its nouns. `open` tells what the asking sentence leaves
    to be looked up in what stands before it: `person`, `plural`, `thing`, `number`. `crowd` says whether it speaks
    of a group that a newcomer might join.
    """

    at: int
    meanings: frozenset[str]
    proper: frozenset[str]
    people: tuple[str, ...]
    nouns: tuple[Spoken, ...]
    numbers: frozenset[str]
    asked: frozenset[str]
    asked_nouns: frozenset[str]
    open: frozenset[str]
    crowd: bool


def number_text(token: str) -> str:
    """A digit token as the text that numbers are compared by: `1,200` and `1200.00` both give `1200`."""
    plain = token.replace(",", "")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"


def _is_noun(entry: Entry, lower: str, before: str, after: str) -> bool:
    """Whether a word of the dictionary is used as a noun, judged by its neighbours."""
    if lower in DESCRIBING and after in LEXICON:
        return False
    if lower not in AMBIGUOUS and entry.singular not in AMBIGUOUS:
        return True
    if before in ("a", "an", "the", "his", "her", "their", "its", "my", "your", "our"):
        return after not in LEXICON or after in AMBIGUOUS
    return before in DETERMINERS or before in NUMBER_WORDS or before[:1].isdecimal() or before in ("many", "of")


@lru_cache(maxsize=8192)
def read(question: str) -> Scene:
    """The scene of a question. Any text has one; an empty one has nothing in it."""
    at = place(question)
    raws = TOKEN.findall(question)
    words = [raw.lower().replace("’", "'") for raw in raws]
    asked_words = [raw.lower().replace("’", "'") for raw in TOKEN.findall(question[at:])]
    meanings: set[str] = set()
    proper: set[str] = set()
    people: dict[str, None] = {}
    nouns: dict[Entry, list[bool]] = {}
    numbers: set[str] = set()
    everyone = False
    last = len(words) - 1
    for i, word in enumerate(words):
        first = word[0]
        if not first.isalpha():
            if first.isdecimal():
                numbers.add(number_text(word))
            continue
        if word.endswith("'s"):
            word = word[:-2]
        if word in NUMBER_WORDS:
            numbers.add(str(NUMBER_WORDS[word]))
        if word in FUNCTION_WORDS:
            everyone = everyone or word in ("everyone", "everybody")
            continue
        meanings.add(meaning(word))
        if "-" in word:
            meanings.update(meaning(part) for part in word.split("-") if part)
        before = words[i - 1] if i else ""
        entry = LEXICON.get(word)
        if raws[i][0].isupper():
            sentence_start = before in ("", ".", "?", "!")
            if not sentence_start or (entry is None and word not in ADJECTIVES):
                proper.add(word)
            if entry is None and word not in MONTHS_AND_DAYS and before != "the":
                following = words[i + 1] if i < last else ""
                if following in SUBJECT_VERBS or words[i].endswith("'s"):
                    people[raws[i].removesuffix("'s").removesuffix("’s")] = None
            if not sentence_start or (entry is not None and not entry.mass and word != entry.plural):
                continue  # a name: "Rose", or "Daisy" at the start, where a thing would have its article
        if entry is not None and word not in UNITS and _is_noun(entry, word, before, words[i + 1] if i < last else ""):
            forms = nouns.setdefault(entry, [False, False])
            forms[word != entry.plural] = True
    kinds, named, open_, crowd = asking(asked_words)
    return Scene(
        at=at,
        meanings=frozenset(meanings),
        proper=frozenset(proper),
        people=tuple(people),
        nouns=tuple(Spoken(entry, plural, singular) for entry, (plural, singular) in nouns.items()),
        numbers=frozenset(numbers),
        asked=kinds,
        asked_nouns=named,
        open=open_,
        crowd=crowd or everyone,
    )
