"""The numbers of a text: those that it may be read to state, and the values that it has.

`three dozen` states 3, 12 and 36, and `¾` states 3 and 4; their values are 36 and 3/4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction

from noise.text.number_parsing import MAX_DIGITS, numbers_in
from noise.text.word_lists import NUMBER_WORDS, PART_NUMBERS
from noise.text.word_tokens import WordToken, number_text

_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_PARTS = frozenset(PART_NUMBERS) - {"pair", "pairs", "couple", "couples", "trio"}
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


def number_values(text: str, words: Sequence[WordToken]) -> frozenset[Fraction]:
    """Return the values of the numbers of a text, in digits and in words; `words` are its tokens.

    A fraction has its own value, not those of its parts. What is only a part or a multiple in words has none: "two
    thirds of the eggs", "twice as many".
    """
    values = {number.value for number in numbers_in(text)}
    i = 0
    while i < len(words):
        start, run = i, [*words[i].number_words]
        i += 1
        while run and i < len(words) and words[i].letters:
            if words[i].number_words:
                run += words[i].number_words
            elif not (words[i].text == "and" and run[-1] in _SCALES and i + 1 < len(words) and words[i + 1].number):
                break
            i += 1
        if not run or (len(run) == 1 and words[start].digits):
            continue
        following = words[i].text if i < len(words) else ""
        if not _PARTS.isdisjoint((following, *words[i - 1].text.split("-"))):
            continue
        if words[start].digits:  # "3 dozen"
            values.discard(Fraction(words[start].number))
        values.update(map(Fraction, _value(run)))
    return frozenset(values)


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
