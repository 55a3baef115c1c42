"""What the asking sentence asks for, and what it refers back to without naming it."""

from __future__ import annotations

import re
from typing import NamedTuple

from noise.text.noun_lexicon import LEXICON, meaning
from noise.text.word_lists import DETERMINERS, FUNCTION_WORDS, QUANTITY_WORDS, word_list
from noise.text.word_tokens import KINDS_OF_WORD

_AUXILIARIES = frozenset(
    word_list(
        """
        does do did is are was were will would can could should has have had must may might in left remain remained
        to for from than there ? . , )
        """
    )
)
_GROUP_WORDS = frozenset(
    word_list(
        "everyone everybody people person each every all they them together anyone anybody nobody others else group"
    )
)
_BARE = frozenset(word_list("total sum difference average product result answer number ratio mean rest remainder"))
_FEMALE = frozenset(word_list("she her hers herself"))
_MALE = frozenset(word_list("he him his himself"))
_PLURAL = frozenset(word_list("they them their theirs themselves these those both"))
# Words that refer back, ask for somebody, or speak of a group or of numbers.
_WITH_A_ROLE = frozenset[str]().union(
    _FEMALE, _MALE, _PLURAL, _GROUP_WORDS, _BARE,
    word_list("and it its this that many much rest remaining others number numbers digit integer equation"),
    word_list("who whose whom which there"),
)  # fmt: skip
# Punctuation, and small words without a role in what is asked.
_IGNORED = (FUNCTION_WORDS | {"", ".", ",", "?", "!"}).difference(KINDS_OF_WORD, LEXICON, _WITH_A_ROLE)
# "It's" and "they'll" refer back as "it" and "they" do.
_CONTRACTED = re.compile(r"(he|she|it|they|that|this|those|these|who|there)'(?:s|re|ll|ve|d)")
_EXISTS = frozenset(word_list("is are was were be been will would has have had can could must should remain remains"))
# "When will she be there" asks for no number of things that are there.
_EXISTED = _EXISTS - frozenset(("be", "been"))
_ASKING = frozenset(word_list("how what when where calculate find"))
_SENTENCE_ENDS = ("", ".", "?", "!", ":", ";")
_BEFORE_THAT = frozenset(word_list("of after is in at from with to by than was does did ?"))


class QuestionTarget(NamedTuple):
    """What the asking sentence asks for; `QuestionFeatures` explains the fields."""

    kinds: frozenset[str]
    nouns: frozenset[str]
    open_references: frozenset[str]
    mentions_group: bool


def _is_bare(words: list[str], i: int) -> bool:
    """Return whether "how many" leaves out what is counted: "how many more does he need". `i` is the index after it."""
    while i < len(words) and words[i] in QUANTITY_WORDS:
        i += 1
    if i + 1 < len(words) and words[i] == "of":
        return words[i + 1] in _PLURAL
    return i >= len(words) or words[i] in _AUXILIARIES


def _names_something(word: str) -> bool:
    """Return whether the word after "this" or "those" says what is meant: "this month"; not "this rate", "this is"."""
    return word.isalpha() and word not in FUNCTION_WORDS and word not in ("rate", "pace", "speed", "amount", "happens")


def _uncontracted(word: str) -> str:
    contracted = _CONTRACTED.fullmatch(word) if "'" in word else None
    if contracted is None:
        return word
    return "" if contracted[1] == "there" else contracted[1]  # "there's" says that something exists


def _asks(words: list[str], i: int) -> bool:
    """Return whether the "who" or "which" at index `i` asks: "who has more", and not "Tom, who has 5"."""
    previous = words[i - 1] if i else ""
    if previous in _SENTENCE_ENDS:
        return True
    relative = previous not in FUNCTION_WORDS and previous not in (",", "determine", "find", "decide", "tell", "know")
    return not relative and previous not in ("those", "all", "everyone", "anyone") and _ASKING.isdisjoint(words[:i])


def _is_a_location(words: list[str], i: int) -> bool:
    """Return whether the "there" at index `i` is somewhere: "to get there", and not "how many are there"."""
    previous, following = words[i - 1] if i else "", words[i + 1] if i + 1 < len(words) else "?"
    return previous not in _EXISTED and following not in _EXISTS


def question_target(words: list[str]) -> QuestionTarget:
    """Return what the asking sentence, given as lower-case words, asks for."""
    words = [*map(_uncontracted, words)] if "'" in " ".join(words) else words
    kinds: set[str] = set()
    nouns: set[str] = set()
    open_references: set[str] = set()
    mentions_group = False
    people = plurals = things = False
    last = len(words) - 1
    for i in [i for i, word in enumerate(words) if word not in _IGNORED]:
        word = words[i]
        if word in KINDS_OF_WORD:
            kinds.update(KINDS_OF_WORD[word])
        previous = words[i - 1] if i else ""
        entry = LEXICON.get(word)
        if entry is not None or (word not in FUNCTION_WORDS and word.isalpha()):
            nouns.add(meaning(word))
        if entry is not None:
            if entry.kind == "person":
                people = True
            if entry.mass or word == entry.singular:
                things = things or previous in DETERMINERS
            if not entry.mass and word == entry.plural:
                plurals = True
        if word not in _WITH_A_ROLE:
            continue
        following = words[i + 1] if i < last else "?"
        if word == "and":
            plurals = True
        elif word in _PLURAL:
            bare = word not in ("these", "those", "both") or not _names_something(following)
            if bare and not plurals:
                open_references.add("plural")
            if word != "both":
                mentions_group = True
        elif word in ("it", "its"):
            if not things and following not in ("take", "takes", "took"):
                open_references.add("thing")
        elif word == "this" or (word == "that" and (previous in _BEFORE_THAT or following in ("?", "much", "many"))):
            if not _names_something(following):
                open_references.update(("thing", "plural", "number"))
        elif word == "many" or (word == "much" and previous == "how"):
            if word == "much" and following in _AUXILIARIES:
                kinds.update(("money", "weight", "volume"))
                if following in ("more", "less"):
                    kinds.update(("length", "time"))
            if word == "many" and not plurals and _is_bare(words, i + 1):
                open_references.add("plural")
        elif word in ("rest", "remaining", "others"):
            open_references.add("plural")
        if word in _MALE or word in _FEMALE:
            if not people:
                open_references.add("person")
        elif word in _GROUP_WORDS:
            mentions_group = True
        if (
            word in _BARE
            and previous in ("the", "what's", "overall", "final")
            and following in ("?", ".", "in", "if", ",")
        ):
            open_references.update(("plural", "number"))
            if word == "number":
                open_references.add("label")
        elif word in ("number", "numbers", "digit", "integer", "equation") and following != "of":
            open_references.add("number")
            if word in ("number", "digit", "integer") and previous not in ("whole", "nearest"):
                open_references.add("label")
        elif word in ("who", "whose", "whom"):
            if word == "whose" or _asks(words, i):
                open_references.add("who")
        elif word == "which":
            if not _asks(words, i):
                continue
            asked = LEXICON.get(following)
            if asked is None or asked.kind == "person":
                open_references.add("who")
            if asked is None:
                open_references.update(("thing", "plural"))
        elif word == "there" and _is_a_location(words, i):
            open_references.add("there")
    return QuestionTarget(frozenset(kinds), frozenset(nouns), frozenset(open_references), mentions_group)
