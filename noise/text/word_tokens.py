"""Context-free word tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from noise.text.noun_lexicon import LEXICON, NounEntry, meaning
from noise.text.word_lists import (
    FUNCTION_WORDS,
    NUMBER_WORDS,
    PART_NUMBERS,
    QUANTITY_KINDS,
    SMALL_WORDS,
    UNITS,
    VERBS_IN_S,
)

_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_TOKEN = re.compile(rf"{_DIGITS}|[^\W\d_]+(?:[-'’.][^\W\d_]+)*|[$€£¢%.,;:?!()=×÷]")
_NUMBER = re.compile(_DIGITS)
KINDS_OF_WORD: dict[str, tuple[str, ...]] = {
    word: tuple(kind for kind, words in QUANTITY_KINDS.items() if word in words)
    for words in QUANTITY_KINDS.values()
    for word in words
}
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_MOST_PIECES = 32768
#: The text of the word before the first of a sentence.
SENTENCE_ENDS = ("", ".", "?", "!")


@dataclass(frozen=True, slots=True)
class WordToken:
    """A word, number or punctuation mark of a text.

    - `raw`: as written. `text`: lower case, with straight apostrophes. `bare`: `text` without the ending `'s`.
    - `number`: its value as text, of digits and number words alike; empty for anything else. It `counts` before a noun
      unless it is a word such as "one's".
    - `stated`: the numbers that it may be read to state; `four-week` states 4, and `third` 3. `number_words`: those of
      its words that can be part of a longer number, as "two" and "hundred" can.
    - `small`: whether it is one of the most frequent words of English.
    - `content`: whether it is a content word: no punctuation, number or function word. Only content words have
      `meanings` (their lemma and those of a compound's parts) and may have an `entry` in the lexicon.
    - `kinds`: the kinds of quantity that it may speak of.
    - `verb`: whether it is a word in -s that is known only as a verb.
    """

    raw: str
    text: str
    bare: str
    capital: bool
    letters: bool
    digits: bool
    content: bool
    number: str
    counts: bool
    stated: tuple[str, ...]
    number_words: tuple[str, ...]
    small: bool
    meanings: tuple[str, ...]
    entry: NounEntry | None
    kinds: tuple[str, ...]
    unit: bool
    plural: bool
    verb: bool


def tokenize(text: str) -> list[WordToken]:
    """Return the words of a text in order."""
    return [*chain.from_iterable(map(_PIECES.__getitem__, text.split()))]


def numbers_in_digits(text: str) -> list[str]:
    """Return the numbers of a text that are written in digits, in the form of `number_text`."""
    return [*map(number_text, _NUMBER.findall(text))]


@lru_cache(maxsize=16384)
def number_text(token: str) -> str:
    """Return the canonical text of a number in digits of any script: `1200` for `1,200` and for `1200.00`."""
    plain = token.replace(",", "")
    if not plain.isascii():
        plain = "".join(str(unicodedata.decimal(character, character)) for character in plain)
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"


class _Pieces(dict[str, tuple[WordToken, ...]]):
    """The words of each piece of text between white space that was seen, as pieces recur; emptied when it is full.

    A plain dictionary touches less memory than `lru_cache`, and that is most of what it takes to tokenize a text.
    """

    def __missing__(self, piece: str) -> tuple[WordToken, ...]:
        if len(self) >= _MOST_PIECES:
            self.clear()
        self[piece] = words = tuple(map(_word_token, _TOKEN.findall(piece)))
        return words


_PIECES = _Pieces()


@lru_cache(maxsize=32768)
def _word_token(token: str) -> WordToken:
    text = token.lower().replace("’", "'")
    letters = text[0].isalpha()
    bare = text.removesuffix("'s") if letters else text
    content = letters and bare not in FUNCTION_WORDS
    entry = LEXICON.get(bare) if content else None
    capital = token[0].isupper()
    number = ""
    kinds = KINDS_OF_WORD.get(bare, ())
    if text[0].isdecimal():
        number = number_text(text)
        kinds = ("time",) if _YEAR.fullmatch(text) else ()
    elif bare in NUMBER_WORDS:
        number = str(NUMBER_WORDS[bare])
    number_words: tuple[str, ...] = (text,) if number else ()
    stated: tuple[str, ...] = (number,) if number else ()
    if letters:
        parts = bare.split("-")
        number_words = tuple(part for part in parts if part in NUMBER_WORDS)
        stated = tuple(str(NUMBER_WORDS[part]) for part in number_words)
        stated += tuple(PART_NUMBERS[part] for part in parts if part in PART_NUMBERS)
        if len(parts) == len(number_words) == 2 and NUMBER_WORDS[parts[0]] > 9 > NUMBER_WORDS[parts[1]] - 1:
            number = str(NUMBER_WORDS[parts[0]] + NUMBER_WORDS[parts[1]])  # "twenty-five"
            stated += (number,)
    return WordToken(
        raw=token,
        text=text,
        bare=bare,
        capital=capital,
        letters=letters,
        digits=text[0].isdecimal(),
        content=content,
        number=number,
        counts=bool(number) and bare == text,
        stated=stated,
        number_words=number_words,
        small=bare in SMALL_WORDS,
        meanings=tuple(meaning(part) for part in {bare, *bare.split("-")} if part) if content else (),
        entry=entry,
        kinds=kinds,
        unit=bare in UNITS,
        plural=_is_plural(bare, entry),
        verb=entry is None and bare in VERBS_IN_S,
    )


def _is_plural(bare: str, entry: NounEntry | None) -> bool:
    if entry is not None:
        return not entry.mass and bare == entry.plural
    return (
        bare.endswith("s")
        and not bare.endswith(("ss", "us", "is", "'s"))
        and bare not in UNITS
        and bare not in VERBS_IN_S
    )
