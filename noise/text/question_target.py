"""What the sentence that asks asks for, and what it leaves to be looked up in what stands before it."""

from __future__ import annotations

from noise.text.noun_lexicon import LEXICON, meaning
from noise.text.word_lists import DETERMINERS, FUNCTION_WORDS, QUANTITY_WORDS, bank
from noise.text.word_tokens import KIND_OF_WORD

_AUXILIARIES = frozenset(
    bank(
        """
        does do did is are was were will would can could should has have had must may might in left remain remained
        to for from than there ? . , )
        """
    )
)
_GROUP_WORDS = frozenset(
    bank("everyone everybody people person each every all they them together anyone anybody nobody others else group")
)
_BARE = frozenset(bank("total sum difference average product result answer number ratio mean rest remainder"))
_FEMALE = frozenset(bank("she her hers herself"))
_MALE = frozenset(bank("he him his himself"))
_PLURAL = frozenset(bank("they them their theirs themselves these those both"))
# Small words that say nothing here, and marks.
_SILENT = (FUNCTION_WORDS | {".", ",", "?", "!"}).difference(
    KIND_OF_WORD, LEXICON, _FEMALE, _MALE, _PLURAL, _GROUP_WORDS, _BARE,
    bank("and it its this that many much rest remaining others number numbers digit integer equation"),
)  # fmt: skip
_BEHIND_THAT = frozenset(bank("of after is in at from with to by than was does did ?"))


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


def asking(words: list[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str], bool]:
    """The kinds asked for, the nouns named, what is left open, and whether a crowd is meant."""
    kinds: set[str] = set()
    named: set[str] = set()
    open_: set[str] = set()
    crowd = False
    people = plurals = things = False
    last = len(words) - 1
    for i, word in enumerate(words):
        if word in _SILENT:
            continue
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
