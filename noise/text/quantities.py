"""The quantities of a text: its numbers, in digits and in words, each with what it counts.

There is no parser. A quantity extends over the words after its number that look like its object, by closed lists and
plural endings, and never over punctuation. `Bob gave 5 ripe apples to 3 of the girls, who ate 2` has the quantities
`5 ripe apples`, `3 of the girls` and `2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from noise.text.noun_lexicon import LEXICON
from noise.text.number_parsing import numbers_in
from noise.text.word_lists import (
    ADJECTIVES,
    CHANGE_WORDS,
    DETERMINERS,
    FUNCTION_WORDS,
    NUMBER_WORDS,
    SUBJECT_VERBS,
    UNITS,
    VERBS_IN_S,
    word_list,
)

MAX_OBJECT_WORDS = 3
"""The longest object: "5 ripe red apples"."""

# Words for a part or a multiple of something: "half his eggs".
_MULTIPLIERS = frozenset(
    word_list("half twice thrice double doubles doubled triple triples tripled quadruple quadrupled times")
)
# Words that are a quantity in any context.
_QUANTITIES = (
    frozenset(NUMBER_WORDS)
    | (_MULTIPLIERS - {"times"})
    | frozenset(word_list("halves quarter quarters pair pairs dozens twofold threefold"))
)
# An ordinal that may be a fraction: "two thirds" and "a third of" are, "the third day" is not.
_ORDINALS = frozenset(word_list("third fourth fifth sixth seventh eighth ninth tenth"))
# Words that are part of a number when they follow one.
_JOINING = _QUANTITIES | _ORDINALS | {f"{word}s" for word in _ORDINALS} | {"times", "percent"}
_COMPARING = frozenset(word_list("more fewer less"))
_SCALES = frozenset(word_list("many much old long tall fast big large heavy far high wide deep often expensive"))
_UNITS = UNITS | frozenset(word_list("am pm a.m p.m sq ft oz lb lbs"))
# Words that no number counts: in "5 left", the object was named before.
_NOT_COUNTED = (
    CHANGE_WORDS
    | SUBJECT_VERBS
    | VERBS_IN_S
    | frozenset(word_list("came went said told saw felt held cost away back right"))
)
# What may be attached to a number: "50%", "12-foot", "5kg", "20th", "$5/hour"; and "50 %".
_ATTACHED = re.compile(r"[ ]?%|[‰°¢€£]|\$(?!\d)|['’]?[^\W\d_]+(?:[-'’][^\W\d_]+)*|(?:[-–/][^\W\d_]+)+")
_LINK = re.compile(r"[-–:/.,'’]")
# A word, or a punctuation mark or line end, which no object crosses.
_TOKEN = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]\b|[^\W\d_]+(?:[-'’][^\W\d_]+)*|[^\w\s]|[_\n\r\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class _Token:
    """A number in digits (`word` is "#"), a word in lower case, or a punctuation mark (`word` is empty)."""

    word: str
    start: int
    stop: int
    capital: bool = False

    def has_any(self, words: frozenset[str]) -> bool:
        """Return whether a part of the word is in `words`: `twenty-five` and `half-full` are numbers."""
        return not words.isdisjoint(self.word.split("-"))


_END = _Token("", 0, 0)


def quantity_spans(text: str) -> list[tuple[int, int]]:
    """Return the half-open character ranges of the quantities of any text, sorted and not touching.

    Every digit of the text is in one of them.
    """
    return merge_ranges(_quantities(text))


def merge_ranges(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of half-open ranges, sorted; ranges that overlap or touch become one."""
    union: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(stop, union[-1][1]))
        else:
            union.append((start, stop))
    return union


def _quantities(text: str) -> Iterator[tuple[int, int]]:
    """Yield the range of every number with what it counts."""
    tokens = [*_tokens(text), *[_END] * (MAX_OBJECT_WORDS + 3)]  # padding, so that lookahead needs no bounds check
    index = 0
    while index < len(tokens):
        if not _is_number(tokens, index):
            index += 1
            continue
        first = tokens[index]
        index += 1
        while tokens[index].word == "#" or tokens[index].has_any(_JOINING):
            index += 1
        index = _end_of_rate(tokens, _end_of_object(tokens, index))
        yield first.start, tokens[index - 1].stop


def _tokens(text: str) -> Iterator[_Token]:
    done = 0
    for start, stop in [*_in_digits(text), (len(text), len(text))]:
        for match in _TOKEN.finditer(text, done, start):
            written = match[0]
            word = written.lower().replace("’", "'") if written[0].isalpha() else ""
            yield _Token(word, *match.span(), capital=written[0].isupper())
        if stop > start:
            yield _Token("#", start, stop)
        done = stop


def _in_digits(text: str) -> list[tuple[int, int]]:
    """Return the ranges of numbers in digits, with sign, currency and attachments; `5:30` and `10-15` are one each."""
    ranges = [(number.start, number.stop) for number in numbers_in(text)]
    ranges += [digits.span() for digits in re.finditer(r"\d+", text)]  # also in B12, 1st and other scripts
    linked: list[tuple[int, int]] = []
    for start, stop in merge_ranges(ranges):
        attached = _ATTACHED.match(text, stop)
        stop = attached.end() if attached else stop
        if linked and (start <= linked[-1][1] or _LINK.fullmatch(text, linked[-1][1], start)):
            linked[-1] = (linked[-1][0], max(stop, linked[-1][1]))
        else:
            linked.append((start, stop))
    return linked


def _is_number(tokens: list[_Token], index: int) -> bool:
    word = tokens[index].word
    if word == "one" and (tokens[index - 1].word == "no" or tokens[index + 1].word == "another"):
        return False
    if word in _ORDINALS:
        return tokens[index + 1].word in ("of", "as")
    return word == "#" or tokens[index].has_any(_QUANTITIES)


def _end_of_object(tokens: list[_Token], index: int) -> int:
    """Return the end index of what the number before `index` counts; `index` itself where it counts nothing."""
    word, following = tokens[index].word, tokens[index + 1].word
    if word == "as" and following in _SCALES:  # twice as many apples; twice as old
        return _end_of_noun(tokens, index + 2) if following in ("many", "much") else index + 2
    if word in _COMPARING:  # 5 more apples; 5 more than
        return _end_of_noun(tokens, index + 1)
    skipped = index
    if word == "of":  # 3 of the red apples
        skipped += 2 if following in DETERMINERS else 1
    elif word in DETERMINERS and tokens[index - 1].word in _MULTIPLIERS:  # half the apples
        skipped += 1
    end = _end_of_noun(tokens, skipped)
    if end > skipped == index and tokens[end].word == "of":  # 2 cups of flour
        stuff = _end_of_noun(tokens, end + 1)
        return stuff if stuff > end + 1 else end
    return end if end > skipped else index


def _end_of_noun(tokens: list[_Token], start: int) -> int:
    """Return the end index of the noun whose last word is at `start` or up to two words later; else `start`."""
    end = start
    for index in range(start, start + MAX_OBJECT_WORDS):
        token, word = tokens[index], tokens[index].word
        noun = word in LEXICON and (word not in FUNCTION_WORDS or tokens[index + 1].word == "of")  # 5 can; 1 can of
        known = noun or word in _UNITS
        if word in ("", "#") or (word in FUNCTION_WORDS and not known and word != "other"):
            break
        if token.has_any(_QUANTITIES) or (index > start and not known and _ends_object(tokens, index, end > start)):
            break
        if _is_plural(word) and not (word in VERBS_IN_S and tokens[index - 1].word == "one"):
            return index + 1
        if known or (_may_be_object(token) if index == start else tokens[index - 1].word in ADJECTIVES):
            end = index + 1
    return end


def _may_be_object(token: _Token) -> bool:
    """Return whether an unknown word directly after a number is taken for its object, if nothing better follows."""
    not_object = token.capital or token.word in _NOT_COUNTED or token.word.endswith(("ly", "ed"))
    return token.word in ADJECTIVES or not not_object  # both colours of "5 red and 3 blue marbles"


def _ends_object(tokens: list[_Token], index: int, has_object: bool) -> bool:
    """Return whether an unknown word after an object can be no part of it; `has_object` says that there is one."""
    token, word = tokens[index], tokens[index].word
    if word in ADJECTIVES or tokens[index - 1].word in ADJECTIVES:
        return False
    return word in _NOT_COUNTED or (has_object and (token.capital or word.endswith("ing")))


def _is_plural(word: str) -> bool:
    entry = LEXICON.get(word)
    if entry is not None:
        return word == entry.plural != entry.singular
    return word == "feet" or (word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")))


def _end_of_rate(tokens: list[_Token], index: int) -> int:
    """Return the end index of a rate at `index`, `per mile` or `a day`; `index` itself if there is none."""
    word, unit = tokens[index].word, tokens[index + 1].word
    if word == "per":
        end = _end_of_noun(tokens, index + 1)
        return end if end > index + 1 else index
    return index + 2 if word in ("a", "an", "each", "every") and (unit in LEXICON or unit in UNITS) else index
