"""The quantities of a text: its numbers, in digits and in words, each with what it counts.

Nothing is parsed. A number reaches over the words behind it that look like its object, by closed lists and the look of
a plural, and never over a mark: of `Bob gave 5 ripe apples to 3 of the girls, who ate 2` there are `5 ripe apples`,
`3 of the girls` and `2`.
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
    bank,
)

MOST_WORDS = 3
"""No object is longer: "5 ripe red apples"."""

# What takes a part or a multiple of something: "half his eggs".
_MULTIPLIERS = frozenset(
    bank("half twice thrice double doubles doubled triple triples tripled quadruple quadrupled times")
)
# What is a quantity without digits, wherever it stands.
_QUANTITIES = (
    frozenset(NUMBER_WORDS)
    | (_MULTIPLIERS - {"times"})
    | frozenset(bank("halves quarter quarters pair pairs dozens twofold threefold"))
)
# An ordinal that may be a fraction: "two thirds" and "a third of" are, "the third day" is not.
_ORDINALS = frozenset(bank("third fourth fifth sixth seventh eighth ninth tenth"))
# Behind a number these are part of it.
_JOINING = _QUANTITIES | _ORDINALS | {f"{word}s" for word in _ORDINALS} | {"times", "percent"}
_COMPARING = frozenset(bank("more fewer less"))
_SCALES = frozenset(bank("many much old long tall fast big large heavy far high wide deep often expensive"))
_UNITS = UNITS | frozenset(bank("am pm a.m p.m sq ft oz lb lbs"))
# What a number that one of these follows counts has been named before: "5 left".
_NOT_COUNTED = (
    CHANGE_WORDS
    | SUBJECT_VERBS
    | VERBS_IN_S
    | frozenset(bank("came went said told saw felt held cost away back right"))
)
# What is written to a number without a space: "50%", "12-foot", "5kg", "20th", "$5/hour"; and "50 %".
_ATTACHED = re.compile(r"[ ]?%|[‰°¢€£]|\$(?!\d)|['’]?[^\W\d_]+(?:[-'’][^\W\d_]+)*|(?:[-–/][^\W\d_]+)+")
_LINK = re.compile(r"[-–:/.,'’]")
# A word, or a mark (the end of a line is one too) that no object reaches across. Spaces are neither.
_TOKEN = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]\b|[^\W\d_]+(?:[-'’][^\W\d_]+)*|[^\w\s]|[_\n\r\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class _Token:
    """A number in digits (`word` is "#"), a word (lower case) or a mark (the empty word)."""

    word: str
    start: int
    stop: int
    capital: bool = False

    def has_any(self, words: frozenset[str]) -> bool:
        """`twenty-five` and `half-full` are numbers by one of their parts."""
        return not words.isdisjoint(self.word.split("-"))


_END = _Token("", 0, 0)


def quantities(text: str) -> list[tuple[int, int]]:
    """The half-open character ranges of the quantities of any text, sorted, disjoint and not touching.

    Every digit of the text is inside one.
    """
    return merged(_counts(text))


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The union of half-open ranges as the fewest ranges, sorted: those that overlap or touch are one."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


def _counts(text: str) -> Iterator[tuple[int, int]]:
    """Every number with what it counts."""
    tokens = [*_tokens(text), *[_END] * (MOST_WORDS + 3)]  # so that looking ahead needs no check
    at = 0
    while at < len(tokens):
        if not _is_number(tokens, at):
            at += 1
            continue
        first = tokens[at]
        at += 1
        while tokens[at].word == "#" or tokens[at].has_any(_JOINING):
            at += 1
        at = _behind_rate(tokens, _behind_object(tokens, at))
        yield first.start, tokens[at - 1].stop


def _tokens(text: str) -> Iterator[_Token]:
    done = 0
    for start, stop in [*_in_digits(text), (len(text), len(text))]:
        for found in _TOKEN.finditer(text, done, start):
            written = found[0]
            word = written.lower().replace("’", "'") if written[0].isalpha() else ""
            yield _Token(word, *found.span(), capital=written[0].isupper())
        if stop > start:
            yield _Token("#", start, stop)
        done = stop


def _in_digits(text: str) -> list[tuple[int, int]]:
    """What is written in digits, with sign, currency and what is attached; `5:30` and `10-15` are one each."""
    found = [(number.start, number.stop) for number in numbers_in(text)]
    found += [digits.span() for digits in re.finditer(r"\d+", text)]  # also those of B12, 1st and other scripts
    linked: list[tuple[int, int]] = []
    for start, stop in merged(found):
        attached = _ATTACHED.match(text, stop)
        stop = attached.end() if attached else stop
        if linked and (start <= linked[-1][1] or _LINK.fullmatch(text, linked[-1][1], start)):
            linked[-1] = (linked[-1][0], max(stop, linked[-1][1]))
        else:
            linked.append((start, stop))
    return linked


def _is_number(tokens: list[_Token], at: int) -> bool:
    word = tokens[at].word
    if word == "one" and (tokens[at - 1].word == "no" or tokens[at + 1].word == "another"):
        return False
    if word in _ORDINALS:
        return tokens[at + 1].word in ("of", "as")
    return word == "#" or tokens[at].has_any(_QUANTITIES)


def _behind_object(tokens: list[_Token], at: int) -> int:
    """The index behind what the number that ends before `at` counts; `at` itself where it counts nothing."""
    here, next_to_it = tokens[at].word, tokens[at + 1].word
    if here == "as" and next_to_it in _SCALES:  # twice as many apples; twice as old
        return _behind_noun(tokens, at + 2) if next_to_it in ("many", "much") else at + 2
    if here in _COMPARING:  # 5 more apples; 5 more than
        return _behind_noun(tokens, at + 1)
    skipped = at
    if here == "of":  # 3 of the red apples
        skipped += 2 if next_to_it in DETERMINERS else 1
    elif here in DETERMINERS and tokens[at - 1].word in _MULTIPLIERS:  # half the apples
        skipped += 1
    end = _behind_noun(tokens, skipped)
    if end > skipped == at and tokens[end].word == "of":  # 2 cups of flour
        stuff = _behind_noun(tokens, end + 1)
        return stuff if stuff > end + 1 else end
    return end if end > skipped else at


def _behind_noun(tokens: list[_Token], at: int) -> int:
    """The index behind the noun that ends at `at` or up to two words later; `at` itself where there is none."""
    end = at
    for index in range(at, at + MOST_WORDS):
        token, word = tokens[index], tokens[index].word
        noun = word in LEXICON and (word not in FUNCTION_WORDS or tokens[index + 1].word == "of")  # 5 can; 1 can of
        known = noun or word in _UNITS
        if word in ("", "#") or (word in FUNCTION_WORDS and not known and word != "other"):
            break
        if token.has_any(_QUANTITIES) or (index > at and not known and _ends_object(tokens, index, end > at)):
            break
        if _is_plural(word) and not (word in VERBS_IN_S and tokens[index - 1].word == "one"):
            return index + 1
        if known or (_may_be_object(token) if index == at else tokens[index - 1].word in ADJECTIVES):
            end = index + 1
    return end


def _may_be_object(token: _Token) -> bool:
    """Whether an unknown word directly behind a number is taken for what it counts, if nothing better follows."""
    acts = token.capital or token.word in _NOT_COUNTED or token.word.endswith(("ly", "ed"))
    return token.word in ADJECTIVES or not acts  # of "5 red and 3 blue marbles" both colours are


def _ends_object(tokens: list[_Token], index: int, found: bool) -> bool:
    """Whether an unknown word further behind a number can be no part of its object; `found` says it has one."""
    token, word = tokens[index], tokens[index].word
    if word in ADJECTIVES or tokens[index - 1].word in ADJECTIVES:
        return False
    return word in _NOT_COUNTED or (found and (token.capital or word.endswith("ing")))


def _is_plural(word: str) -> bool:
    entry = LEXICON.get(word)
    if entry is not None:
        return word == entry.plural != entry.singular
    return word == "feet" or (word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")))


def _behind_rate(tokens: list[_Token], at: int) -> int:
    """The index behind `per mile` or `a day`, where that is what follows."""
    here, unit = tokens[at].word, tokens[at + 1].word
    if here == "per":
        end = _behind_noun(tokens, at + 1)
        return end if end > at + 1 else at
    return at + 2 if here in ("a", "an", "each", "every") and (unit in LEXICON or unit in UNITS) else at
