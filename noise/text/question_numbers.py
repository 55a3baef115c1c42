"""Every number that a text may be read to state: `three dozen` states 3, 12 and 36, and `¾` states 3 and 4."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction

from noise.text.number_parsing import MAX_DIGITS
from noise.text.word_lists import NUMBER_WORDS
from noise.text.word_tokens import WordToken, number_text

_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_VULGAR = re.compile("[¼½¾⅐-⅞]")
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")


def stated_numbers(text: str, words: Sequence[WordToken]) -> frozenset[str]:
    """Return the numbers of a text in the form of `number_text`; `words` are its tokens.

    A number of several words is there whole and in parts, as nobody knows which of them is meant.
    """
    numbers: set[str] = set()
    run: list[str] = []  # the words of one number
    end = -1  # the index after them
    for i in [i for i, word in enumerate(words) if word.stated]:
        word = words[i]
        numbers.update(word.stated)
        if word.text in _SCALES and "half" in [before.text for before in words[max(0, i - 2) : i]]:
            numbers.add(str(_SCALES[word.text] // 2))  # "half a dozen"
        # as "two hundred and five" does
        goes_on = i == end or (i == end + 1 and words[end].text == "and" and run and run[-1] in _SCALES)
        if goes_on:
            run += word.number_words
        else:
            if len(run) > 1:
                numbers.update(_value(run))
            run = [*word.number_words]
        end = i + 1
    if len(run) > 1:
        numbers.update(_value(run))
    if not text.isascii():
        for fraction in _VULGAR.findall(text):
            numbers.update(filter(None, unicodedata.normalize("NFKC", fraction).split("⁄")))
    return frozenset(numbers)


def has_value(number: str, value: Fraction | None) -> bool:
    """Return whether a number in the form of `number_text` has a value; that of a whole one is told by its text."""
    if value is None:
        return False
    return number == str(value.numerator) if value.denominator == 1 else Fraction(number) == value


def _value(run: Sequence[str]) -> tuple[str, ...]:
    """Return the value of a number of several words, as "two hundred five" is 205; nothing where it is not whole."""
    total, current = Fraction(0), Fraction(0)
    for word in run:
        scale = _SCALES.get(word)
        if scale is None:
            text = str(NUMBER_WORDS[word]) if word in NUMBER_WORDS else number_text(word)
            if len(text) > MAX_DIGITS or not _PLAIN.fullmatch(text):
                return ()
            current += Fraction(text)
        elif scale >= 1000:
            total, current = total + max(current, Fraction(1)) * scale, Fraction(0)
        else:
            current = max(current, Fraction(1)) * scale
    value = total + current
    return (str(value),) if value.denominator == 1 else ()
