"""Is a question in English? An English sentence distracts nobody from a question in another language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from noise.text.word_tokens import WordToken

_LEAST_SHARE = 0.1
#: With fewer words, only the script can tell.
_LEAST_WORDS = 8
_LEAST_LETTERS = 6
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


def is_english(text: str, words: Sequence[WordToken]) -> bool:
    """Return whether a text is in English, or too short to tell; `words` are its tokens."""
    if not text.isascii() and 4 * len(text.encode("ascii", "ignore")) < 3 * len(text):
        letters = [character for character in text if character.isalpha()]
        latin = sum(_LATIN.match(letter) is not None for letter in letters)
        if len(letters) >= _LEAST_LETTERS and 2 * latin < len(letters):
            return False
    small = sum([word.small for word in words])
    if small > _LEAST_SHARE * len(words):
        return True
    lettered = [word for word in words if word.letters and len(word.text) > 1]
    return len(lettered) < _LEAST_WORDS or small >= _LEAST_SHARE * len(lettered)
