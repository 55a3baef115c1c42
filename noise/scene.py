"""What a question says about its own world: who and what is in it, what it asks for, and what it leaves open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from noise.lexicon import AMBIGUOUS, DESCRIBING, LEXICON, Entry, meaning
from noise.sentences import place
from noise.words import (
    ADJECTIVES,
    DETERMINERS,
    FUNCTION_WORDS,
    KINDS,
    MONTHS_AND_DAYS,
    NUMBER_WORDS,
    QUANTITY_WORDS,
    SUBJECT_VERBS,
    UNITS,
    bank,
)

TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_]+(?:[-'’.][^\W\d_]+)*|[$€£¢%.,;:?!()=×÷]")
KIND_OF_WORD: dict[str, tuple[str, ...]] = {
    word: tuple(kind for kind, words in KINDS.items() if word in words) for words in KINDS.values() for word in words
}
_AUXILIARIES = frozenset(
    bank(
        """
        does do did is are was were will would can could should has have had must may might in left remain remained
        to for from than there ? . , )
        """
    )
)
_GROUP_WORDS = frozenset(
    bank(
        """
        everyone everybody people person each every all they them together anyone anybody nobody others else group
        """
    )
)
_BARE = frozenset(bank("total sum difference average product result answer number ratio mean rest remainder"))
_FEMALE = frozenset(bank("she her hers herself"))
_MALE = frozenset(bank("he him his himself"))
_PLURAL = frozenset(bank("they them their theirs themselves these those both"))
_BEHIND_THAT = frozenset(bank("of after is in at from with to by than was does did ?"))


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
    return before in DETERMINERS or before in NUMBER_WORDS or before[:1].isdigit() or before in ("many", "of")


def _is_bare(words: list[str], i: int) -> bool:
    """Whether "how many", with `i` the index behind it, leaves out what is counted: "how many more does he need"."""
    while i < len(words) and words[i] in QUANTITY_WORDS:
        i += 1
    if i + 1 < len(words) and words[i] == "of":
        return words[i + 1] in _PLURAL
    return i >= len(words) or words[i] in _AUXILIARIES


def _names_something(word: str) -> bool:
    """Whether the word behind "this" or "those" says what is meant: "this month", but not "this rate" or "this is"."""
    return word.isalpha() and word not in FUNCTION_WORDS and word not in ("rate", "pace", "speed", "amount", "happens")


def _asking(words: list[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str], bool]:
    """The kinds asked for, the nouns named, what is left open, and whether a crowd is meant."""
    kinds: set[str] = set()
    named: set[str] = set()
    open_: set[str] = set()
    crowd = False
    people = plurals = things = False
    last = len(words) - 1
    for i, word in enumerate(words):
        if word in KIND_OF_WORD:
            kinds.update(KIND_OF_WORD[word])
        following = words[i + 1] if i < last else "?"
        previous = words[i - 1] if i else ""
        entry = LEXICON.get(word)
        if entry is not None or (word not in FUNCTION_WORDS and word.isalpha()):
            named.add(meaning(word))
        if entry is not None:
            if entry.kind == "person":
                people = True
            if entry.mass or word == entry.singular:
                things = things or previous in DETERMINERS
            if not entry.mass and word == entry.plural:
                plurals = True
        elif word == "and":
            plurals = True
        elif word in _PLURAL:
            bare = word not in ("these", "those", "both") or not _names_something(following)
            if bare and not plurals:
                open_.add("plural")
            if word != "both":
                crowd = True
        elif word in ("it", "its"):
            if not things and following not in ("take", "takes", "took"):
                open_.add("thing")
        elif word == "this" or (word == "that" and (previous in _BEHIND_THAT or following in ("?", "much", "many"))):
            if not _names_something(following):
                open_.update(("thing", "plural", "number"))
        elif word == "many" or (word == "much" and previous == "how"):
            if word == "much" and following in _AUXILIARIES:
                kinds.update(("money", "weight", "volume"))
                if following in ("more", "less"):
                    kinds.update(("length", "time"))
            if word == "many" and not plurals and _is_bare(words, i + 1):
                open_.add("plural")
        elif word in ("rest", "remaining", "others"):
            open_.add("plural")
        if word in _MALE or word in _FEMALE:
            if not people:
                open_.add("person")
        elif word in _GROUP_WORDS:
            crowd = True
        if (
            word in _BARE
            and previous in ("the", "what's", "overall", "final")
            and following in ("?", ".", "in", "if", ",")
        ):
            open_.update(("plural", "number"))
        elif word in ("number", "numbers", "digit", "integer", "equation") and following != "of":
            open_.add("number")
    return frozenset(kinds), frozenset(named), frozenset(open_), crowd


@lru_cache(maxsize=8192)
def read(question: str) -> Scene:
    """The scene of a question. Any text has one; an empty one has nothing in it."""
    at = place(question)
    raws = TOKEN.findall(question)
    words = [raw.lower().replace("’", "'") for raw in raws]
    asking = [raw.lower().replace("’", "'") for raw in TOKEN.findall(question[at:])]
    meanings: set[str] = set()
    proper: set[str] = set()
    people: dict[str, None] = {}
    nouns: dict[Entry, list[bool]] = {}
    numbers: set[str] = set()
    last = len(words) - 1
    for i, word in enumerate(words):
        first = word[0]
        if not first.isalpha():
            if first.isdigit():
                numbers.add(number_text(word))
            continue
        if word.endswith("'s"):
            word = word[:-2]
        if word in NUMBER_WORDS:
            numbers.add(str(NUMBER_WORDS[word]))
        if word in FUNCTION_WORDS:
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
            if not sentence_start:
                continue
        if entry is not None and word not in UNITS and _is_noun(entry, word, before, words[i + 1] if i < last else ""):
            forms = nouns.setdefault(entry, [False, False])
            forms[word != entry.plural] = True
    kinds, named, open_, crowd = _asking(asking)
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
        crowd=crowd,
    )
