"""The words of a text, each with what is known about it wherever it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from noise.text.noun_lexicon import LEXICON, Entry, meaning
from noise.text.word_lists import FUNCTION_WORDS, KINDS, NUMBER_WORDS, UNITS, VERBS_IN_S

_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_TOKEN = re.compile(rf"{_DIGITS}|[^\W\d_]+(?:[-'’.][^\W\d_]+)*|[$€£¢%.,;:?!()=×÷]")
_NUMBER = re.compile(_DIGITS)
KIND_OF_WORD: dict[str, tuple[str, ...]] = {
    word: tuple(kind for kind, words in KINDS.items() if word in words) for words in KINDS.values() for word in words
}
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number or mark of a text.

    `raw` is as it stands, `text` lower case with straight apostrophes, `bare` the same without the ending `'s`.
    `number` is its value as text, of digits and of number words alike, empty for all else; it `counts` in front of a
    noun unless it is a word such as "one's". Words that say something by themselves are `content`: no marks, no
    numbers, no small words. They alone have `meanings`, their dictionary forms and those of the parts of a compound,
    and may have an `entry` in the dictionary. `kinds` are the kinds of quantity that it may speak of, and `verb` is for
    one in -s that is known as nothing else.
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
    meanings: tuple[str, ...]
    entry: Entry | None
    kinds: tuple[str, ...]
    unit: bool
    plural: bool
    verb: bool


def words_in(text: str) -> list[Word]:
    """The words of a text in order."""
    return [*chain.from_iterable(map(_words, text.split()))]


def numbers_in_digits(text: str) -> list[str]:
    """The numbers of a text that are written in digits, as `number_text` gives them."""
    return [*map(number_text, _NUMBER.findall(text))]


@lru_cache(maxsize=16384)
def number_text(token: str) -> str:
    """A digit token as the text that numbers are compared by: `1,200` and `1200.00` both give `1200`."""
    plain = token.replace(",", "")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"


@lru_cache(maxsize=32768)
def _words(piece: str) -> tuple[Word, ...]:
    """The words of a text without white space, which no word holds."""
    return tuple(map(_word, _TOKEN.findall(piece)))


@lru_cache(maxsize=32768)
def _word(token: str) -> Word:
    text = token.lower().replace("’", "'")
    letters = text[0].isalpha()
    bare = text.removesuffix("'s") if letters else text
    content = letters and bare not in FUNCTION_WORDS
    entry = LEXICON.get(bare) if content else None
    number = ""
    kinds = KIND_OF_WORD.get(bare, ())
    if text[0].isdecimal():
        number = number_text(text)
        kinds = ("time",) if _YEAR.fullmatch(text) else ()
    elif bare in NUMBER_WORDS:
        number = str(NUMBER_WORDS[bare])
    return Word(
        raw=token,
        text=text,
        bare=bare,
        capital=token[0].isupper(),
        letters=letters,
        digits=text[0].isdecimal(),
        content=content,
        number=number,
        counts=bool(number) and bare == text,
        meanings=tuple(meaning(part) for part in {bare, *bare.split("-")} if part) if content else (),
        entry=entry,
        kinds=kinds,
        unit=bare in UNITS,
        plural=_is_plural(bare, entry),
        verb=entry is None and bare in VERBS_IN_S,
    )


def _is_plural(bare: str, entry: Entry | None) -> bool:
    if entry is not None:
        return not entry.mass and bare == entry.plural
    return (
        bare.endswith("s")
        and not bare.endswith(("ss", "us", "is", "'s"))
        and bare not in UNITS
        and bare not in VERBS_IN_S
    )
