"""The names of a question: of people, who have and do something, and of anything else."""

from __future__ import annotations

from collections.abc import Sequence

from noise.text.word_lists import ADJECTIVES, MONTHS_AND_DAYS, NAMES_IN_S, SUBJECT_VERBS, word_list
from noise.text.word_tokens import SENTENCE_ENDS, WordToken

_BEFORE_TOWNS = frozenset(word_list("in at near through into across around"))
#: Countries and peoples act like persons: "Russia has", "Dutch Americans want".
NATIONS = frozenset(
    word_list(
        """
        africa america asia australia brazil canada china egypt europe france germany greece india ireland italy japan
        korea mexico norway poland portugal russia scotland spain sweden switzerland turkey england california texas
        african asian australian brazilian british canadian chinese dutch european french german greek indian irish
        italian japanese korean mexican norwegian polish portuguese russian scottish swedish swiss turkish
        """
    )
)
_TITLES = frozenset(word_list("mr mrs ms miss mister dr doctor prof professor sir madam lady coach principal captain"))


def names_of(words: Sequence[WordToken]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names among the words of a question, in lower case, and those of people, as written."""
    proper_names: set[str] = set()
    people: dict[str, None] = {}
    towns: set[str] = set()
    for i in [i for i, word in enumerate(words) if word.capital and word.content]:
        word = words[i]
        entry, bare = word.entry, word.bare
        before = words[i - 1].text if i else ""
        if before not in SENTENCE_ENDS or (entry is None and bare not in ADJECTIVES):
            proper_names.add(bare)
        if _is_a_town(words, i):
            towns.add(bare)
        if entry is not None or before == "the":
            continue
        after = words[i + 1].text if i + 1 < len(words) else ""
        if after in SUBJECT_VERBS or bare != word.text or (after.endswith("ed") and len(after) > 4):
            plural = after == "have" or (word.plural and bare == word.text and bare not in NAMES_IN_S)
            if not (plural or bare in MONTHS_AND_DAYS or bare in NATIONS or word.stated or len(bare) == 1):
                people[word.raw.removesuffix("'s").removesuffix("’s")] = None
    persons = tuple([name for name in people if name.lower() not in towns]) if towns else tuple(people)
    return frozenset(proper_names), persons


def titled_names(words: Sequence[WordToken]) -> frozenset[str]:
    """Return the names behind a title, in lower case."""
    return frozenset([word.bare for i, word in enumerate(words) if word.capital and _has_a_title(words, i)])


def _has_a_title(words: Sequence[WordToken], i: int) -> bool:
    """Return whether the word at index `i` is behind a title, as in "Mr. Lee" and "Miss Lee"."""
    before = i - 2 if i > 1 and words[i - 1].text == "." else i - 1
    return before >= 0 and words[before].capital and words[before].bare in _TITLES


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
