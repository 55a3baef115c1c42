"""Whether a word of the lexicon stands for its thing: as a noun of its own, not in a compound or in another sense."""

from __future__ import annotations

from collections.abc import Sequence

from noise.text.noun_lists import AMBIGUOUS_NOUNS
from noise.text.word_lists import ADJECTIVES, DETERMINERS, SUBJECT_VERBS, VERBS_IN_S, word_list
from noise.text.word_tokens import WordToken

# Before a noun they make another thing of it: a stuffed animal is no animal, and a hot dog no dog.
_CHANGES_SENSE = frozenset(
    word_list(
        """
        stuffed toy pet hot gummy guinea teddy fake prime electric plastic rubber paper chocolate candy ice model video
        board credit gift card business round school home computer square cubic piggy fire jelly sea per each every
        another half quarter root ginger glass butter cotton math science english spanish french history reading
        """
    )
)
# Nouns whose sense the words next to them do not tell: a mouse of a desk, a story of a house, a bar of soap.
_MANY_SENSES = frozenset(
    word_list(
        """
        mouse bat bug crane seal swallow mole tart story case pack yard bar sheet bulb club court block chip roll slice
        board piece foot second point column row stand spring fall match cover turn draw press mine crow hawk yarn
        lap run record subject order bill interest state iron date ram pound square pitcher bass jam cap tie
        chick drill nail saw coach tank trunk pool letter page chapter report card chain bank crew cell minute mouse
        change time way show present play train band lead kid turkey port shore novel iris feather swift lark
        butterfly
        """
    )
)
# A cup of flour is a measure.
_MEASURES = frozenset(word_list("cup glass bowl spoon sheet can barrel tank head"))
# Words that are no nouns of the lexicon, and of which the noun before them is a part.
_HEADS = frozenset(word_list("court return slot holder cover section department size sale maker factory shop lover"))
_VERB_ENDINGS = ("ed", "ing", "ly")


def is_its_thing(words: Sequence[WordToken], i: int) -> bool:
    """Return whether word `i`, a noun of the lexicon, is the head of its phrase and has the lexicon's sense."""
    word = words[i]
    entry = word.entry
    if entry is None or word.unit or entry.singular in _MANY_SENSES:
        return False
    after = words[i + 1] if i + 1 < len(words) else None
    if entry.singular in _MEASURES and after is not None and after.bare == "of":
        return False
    if after is not None and word.bare == word.text and not _ends_phrase(word, after):
        return False
    j = i - 1
    while j >= 0 and words[j].bare in ADJECTIVES and words[j].entry is None and words[j].bare not in _CHANGES_SENSE:
        j -= 1
    before = words[j] if j >= 0 else None
    if _acts(word, before, after):
        return False
    if before is None or not before.letters:
        return word.plural or entry.mass or (before is not None and before.digits)
    if before.bare in _CHANGES_SENSE:
        return False
    if before.bare in DETERMINERS or before.bare != before.text or before.number:
        return True
    if not (word.plural or entry.mass):
        return False
    ambiguous = word.bare in AMBIGUOUS_NOUNS or entry.singular in AMBIGUOUS_NOUNS
    if not before.content:
        return not ambiguous or before.bare in ("many", "of", "and", "with", "or", "for")
    return not ambiguous and before.entry is None and _is_verb(before)


def _acts(word: WordToken, before: WordToken | None, after: WordToken | None) -> bool:
    """Return whether a word in -s is a verb of a list: ", leaves only 3 footprints", "and watches her son"."""
    ambiguous = word.entry is not None and word.entry.singular in AMBIGUOUS_NOUNS
    if not (word.plural and ambiguous and before is not None and before.text in (",", "and") and after is not None):
        return False
    return bool(after.number) or after.bare in DETERMINERS or after.bare == "only"


def is_of_another_thing(words: Sequence[WordToken], i: int) -> bool:
    """Return whether word `i`, a noun of the lexicon, is only a part of another thing's name, or no noun at all: the
    mouse of a computer, a basketball court, and what is "too tart"."""
    word, after = words[i], words[i + 1] if i + 1 < len(words) else None
    if after is not None and word.bare == word.text and not _ends_phrase(word, after):
        known = after.entry is not None and after.bare not in AMBIGUOUS_NOUNS and after.bare != "cost"
        if known or after.bare in _HEADS:  # any other word may be a verb
            return True
    j = i - 1
    while j >= 0 and words[j].bare in ADJECTIVES and words[j].entry is None and words[j].bare not in _CHANGES_SENSE:
        j -= 1
    before = words[j] if j >= 0 else None
    if before is not None and before.bare in _CHANGES_SENSE:
        return True
    countable = word.entry is not None and not word.entry.mass and not word.plural
    has_article = before is None or before.bare in DETERMINERS or before.bare != before.text or bool(before.number)
    return countable and j == i - 1 and not has_article


def _ends_phrase(word: WordToken, after: WordToken) -> bool:
    """Return whether the word after a noun goes on with the sentence, rather than with a compound."""
    if not after.letters or not after.content or _is_verb(after):
        return True
    return word.plural and (after.entry is None or after.bare in AMBIGUOUS_NOUNS)


def _is_verb(word: WordToken) -> bool:
    if word.bare in SUBJECT_VERBS or word.bare in VERBS_IN_S:
        return True
    return word.entry is None and word.bare.endswith(_VERB_ENDINGS)
