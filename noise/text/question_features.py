"""What a question says about its own world: who and what is in it, what it asks for, and what it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from noise.text.back_references import back_references
from noise.text.english import is_english
from noise.text.noun_lexicon import LEXICON, NounEntry
from noise.text.noun_lists import AMBIGUOUS_NOUNS, DESCRIPTIVE_NOUNS
from noise.text.noun_sense import is_its_thing, is_of_another_thing
from noise.text.question_numbers import stated_numbers
from noise.text.question_target import question_target
from noise.text.sentence_splitting import insertion_point
from noise.text.word_lists import (
    ADJECTIVES,
    DETERMINERS,
    MONTHS_AND_DAYS,
    NAMES_IN_S,
    NUMBER_WORDS,
    SUBJECT_VERBS,
    word_list,
)
from noise.text.word_tokens import WordToken, tokenize

_BEFORE_TOWNS = frozenset(word_list("in at near through into across around"))
#: Countries and peoples act like persons: "Russia has", "Dutch Americans want".
NATIONS = frozenset(
    word_list(
        """
        africa america asia australia brazil canada china egypt europe france germany greece india ireland italy japan
        korea mexico norway poland portugal russia scotland spain sweden switzerland turkey england california texas
        african asian australian brazilian british canadian chinese dutch european german greek indian irish italian
        japanese korean mexican norwegian polish portuguese russian scottish swedish swiss turkish
        """
    )
)
_EVERYONE = frozenset(word_list("everyone everybody"))


class NounUse(NamedTuple):
    """A noun of the lexicon as the question uses it: as a plural, as a singular, or both."""

    entry: NounEntry
    plural: bool
    singular: bool


class QuestionFeatures(NamedTuple):
    """What noises and the certification rule read from a question.

    - `insertion_point`: character offset where distractors go: that of the asking sentence, unless this goes on with a
      number of the text. What is said below of the asking sentence is then said of all that follows.
    - `meanings`: every content word as its lemma, with synonyms folded.
    - `proper_names`: capitalised names, in lower case. `people`: those that act as people, as written.
    - `nouns`: the nouns of the lexicon that stand for their thing. `other_nouns`: those in a compound or in a sense
      that is not sure, as the "mouse" of a computer.
    - `of_other_things`: nouns, in the singular, that are only parts of another thing's name, as in "basketball court".
    - `numbers`: its numbers as text without commas, those in words included (`noise.text.question_numbers`).
    - `asked_kinds`: the kinds of quantity that the asking sentence speaks of (`money`, `time`, …).
    - `asked_nouns`: the meanings of the nouns in the asking sentence.
    - `open_references`: what the asking sentence refers back to without naming it: `person`, `plural`, `thing`,
      `number`; `label` where a number such as that of a bus may be meant, `numbers` where any number of the text may,
      `text` where any of its sentences may. `there` is somewhere, and `who` asks for somebody.
    - `mentions_group`: whether the question speaks of a group that a newcomer might join.
    - `english`: whether the question is in English, or too short to tell.
    - `asking`: the words of the asking sentence, in lower case.
    """

    insertion_point: int
    meanings: frozenset[str]
    proper_names: frozenset[str]
    people: tuple[str, ...]
    nouns: tuple[NounUse, ...]
    other_nouns: tuple[NounUse, ...]
    of_other_things: frozenset[str]
    numbers: frozenset[str]
    asked_kinds: frozenset[str]
    asked_nouns: frozenset[str]
    open_references: frozenset[str]
    mentions_group: bool
    english: bool
    asking: tuple[str, ...]


def _is_noun(entry: NounEntry, lower: str, before: str, after: str) -> bool:
    """Return whether a word of the lexicon is used as a noun, judging by its neighbours."""
    if lower in DESCRIPTIVE_NOUNS and after in LEXICON:
        return False
    if lower not in AMBIGUOUS_NOUNS and entry.singular not in AMBIGUOUS_NOUNS:
        return True
    if before in ("a", "an", "the", "his", "her", "their", "its", "my", "your", "our"):
        return after not in LEXICON or after in AMBIGUOUS_NOUNS
    return before in DETERMINERS or before in NUMBER_WORDS or before[:1].isdecimal() or before in ("many", "of")


def _is_a_town(words: Sequence[WordToken], i: int) -> bool:
    """Return whether the name at index `i` is one of a place, as in "through Moreland" and "the town of Belize"."""
    before = words[i - 1] if i else None
    if before is None or words[i].bare != words[i].text:  # "in Ann's garden"
        return False
    if before.text in _BEFORE_TOWNS:
        return True
    if before.text == "of" and i > 1:
        before = words[i - 2]
    elif not before.capital:  # "Lake View"
        return False
    return before.entry is not None and before.entry.kind == "place"


def _uses(forms: dict[NounEntry, list[bool]]) -> tuple[NounUse, ...]:
    return tuple(NounUse(entry, plural, singular) for entry, (plural, singular) in forms.items())


def question_features(question: str, at: int | None = None) -> QuestionFeatures:
    """Return the features of any text; those of an empty one are empty.

    `at` is the offset of a distractor in front of the usual place: all that follows it is then read as the asking
    sentence is, as it could go on with what the distractor says.
    """
    offset, back = back_references(question, insertion_point(question))
    offset = offset if at is None else min(at, offset)
    asking = tokenize(question[offset:])
    glued = offset and not question[offset - 1].isspace()  # "apples.How" is read as one word
    words = tokenize(question) if glued else tokenize(question[:offset]) + asking
    proper_names: set[str] = set()
    people: dict[str, None] = {}
    towns: set[str] = set()
    nouns: dict[NounEntry, list[bool]] = {}
    other_nouns: dict[NounEntry, list[bool]] = {}
    of_other_things: set[str] = set()
    for i in [i for i, word in enumerate(words) if word.noun_or_name]:  # most words are neither
        word = words[i]
        entry, bare = word.entry, word.bare
        before = words[i - 1].text if i else ""
        after = words[i + 1].text if i + 1 < len(words) else ""
        if word.capital:
            sentence_start = before in ("", ".", "?", "!")
            if not sentence_start or (entry is None and bare not in ADJECTIVES):
                proper_names.add(bare)
            if _is_a_town(words, i):
                towns.add(bare)
            acts = after in SUBJECT_VERBS or bare != word.text or (after.endswith("ed") and len(after) > 4)
            plural = after == "have" or (word.plural and bare == word.text and bare not in NAMES_IN_S)
            never = plural or bare in MONTHS_AND_DAYS or bare in NATIONS or word.stated or len(bare) == 1
            if acts and entry is None and not never and before != "the":
                people[word.raw.removesuffix("'s").removesuffix("’s")] = None
            if not sentence_start or (entry is not None and not entry.mass and bare != entry.plural):
                continue  # a name: "Rose", or "Daisy" at the start, where a thing would have its article
        if entry is not None and not word.unit:
            sure = is_its_thing(words, i)
            if sure or _is_noun(entry, bare, before, after):
                forms = (nouns if sure else other_nouns).setdefault(entry, [False, False])
                forms[bare != entry.plural] = True
            if not sure and is_of_another_thing(words, i):
                of_other_things.add(entry.singular)
    asking_words = [word.text for word in asking]
    target = question_target(asking_words)
    return QuestionFeatures(
        insertion_point=offset,
        meanings=frozenset(chain.from_iterable([word.meanings for word in words])),
        proper_names=frozenset(proper_names),
        people=tuple([name for name in people if name.lower() not in towns]) if towns else tuple(people),
        nouns=_uses(nouns),
        other_nouns=_uses(other_nouns),
        of_other_things=frozenset(of_other_things).difference([entry.singular for entry in nouns]),
        numbers=stated_numbers(question, words),
        asked_kinds=target.kinds,
        asked_nouns=target.nouns,
        open_references=target.open_references | back,
        mentions_group=target.mentions_group or not _EVERYONE.isdisjoint([word.bare for word in words]),
        english=is_english(question, words),
        asking=tuple(asking_words),
    )
