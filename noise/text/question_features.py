"""What a question says about its own world: who and what is in it, what it asks for, and what it leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from noise.text.noun_lexicon import AMBIGUOUS, DESCRIBING, LEXICON, Entry
from noise.text.question_target import asking
from noise.text.sentence_splitting import place
from noise.text.word_lists import ADJECTIVES, DETERMINERS, MONTHS_AND_DAYS, NUMBER_WORDS, SUBJECT_VERBS
from noise.text.word_tokens import words_in


@dataclass(frozen=True, slots=True)
class Spoken:
    """A noun of the dictionary as the question uses it: as a plural, as a singular, or both."""

    entry: Entry
    plural: bool
    singular: bool


class Scene(NamedTuple):
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
    behind = words_in(question[at:])
    glued = at and not question[at - 1].isspace()  # "apples.How" is read as one word
    words = words_in(question) if glued else words_in(question[:at]) + behind
    meanings: set[str] = set()
    proper: set[str] = set()
    people: dict[str, None] = {}
    nouns: dict[Entry, list[bool]] = {}
    numbers: set[str] = set()
    everyone = False
    for i, word in enumerate(words):
        if word.number:
            numbers.add(word.number)
        if not word.content:
            everyone = everyone or word.bare in ("everyone", "everybody")
            continue
        meanings.update(word.meanings)
        entry = word.entry
        if entry is None and not word.capital:
            continue
        before = words[i - 1].text if i else ""
        following = words[i + 1].text if i + 1 < len(words) else ""
        bare = word.bare
        if word.capital:
            sentence_start = before in ("", ".", "?", "!")
            if not sentence_start or (entry is None and bare not in ADJECTIVES):
                proper.add(bare)
            acts = following in SUBJECT_VERBS or bare != word.text
            if acts and entry is None and bare not in MONTHS_AND_DAYS and before != "the":
                people[word.raw.removesuffix("'s").removesuffix("’s")] = None
            if not sentence_start or (entry is not None and not entry.mass and bare != entry.plural):
                continue  # a name: "Rose", or "Daisy" at the start, where a thing would have its article
        if entry is not None and not word.unit and _is_noun(entry, bare, before, following):
            forms = nouns.setdefault(entry, [False, False])
            forms[bare != entry.plural] = True
    kinds, named, open_, crowd = asking([word.text for word in behind])
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
