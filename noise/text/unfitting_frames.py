"""What is said of no such noun: nobody sings hymns about tires, dreams of emails or naps in front of a street."""

from __future__ import annotations

import re

from noise.text.noun_lexicon import LEXICON
from noise.text.word_lists import word_list

_LORE = re.compile(
    r"\b(?:dreams?|hymns?|folk ?tales?|folk ?songs?|folklore|legends?|nursery rhymes?|proverbs?|fairy tales?|poets?"
    r"|poetry|poems?|ballads?|lullab(?:y|ies)|myths?)\b",
    re.I,
)
_ABOUT = re.compile(r"\b(?:about|of|mentions?|praises?|honou?rs?) (?:the |humble |an? )*([\w'-]+)", re.I)
_TOLD_OF_NONE = frozenset(word_list("device message business idea notion work event"))
_PARTS = frozenset(word_list("tire wheel nail screw pipe tile plank bulb wire"))
_A_WORD = re.compile(r"\b(?:poetry|music|songs?|melody) with the word\b", re.I)
_BEFORE = re.compile(r"\b(?:naps?|napped|sits?|sat|sleeps?|slept|rests?|rested) in front of the ([\w'-]+)", re.I)
_WAYS = frozenset(word_list("street streets road roads highway sidewalk sidewalks bridge bridges river"))


def unfitting(sentence: str) -> str | None:
    """Return the word of which no such thing is said, if the sentence has one."""
    if _A_WORD.search(sentence):
        return "word"
    lore = _LORE.search(sentence)
    for match in _ABOUT.finditer(sentence, lore.end()) if lore is not None else ():
        entry = LEXICON.get(match[1].lower())
        if entry is not None and (entry.kind in _TOLD_OF_NONE or entry.singular in _PARTS):
            return match[1]
    before = _BEFORE.search(sentence)
    return before[1] if before is not None and before[1].lower() in _WAYS else None
