"""The rule that a distractor must pass before it goes into a question. `docs/noise.md` gives it in words.

The rule works on the two texts alone, so it can be run on any pair, whoever wrote the distractor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from noise.text.distractor_features import Told, tell
from noise.text.equations import in_digits, sums_in
from noise.text.noun_lexicon import HYPERNYMS, LEXICON, lemma, meaning
from noise.text.question_features import Scene, read
from noise.text.word_lists import CHANGE_WORDS, PRONOUNS, QUANTITY_WORDS, RATE_WORDS, SCOPE_WORDS, UNITS, bank
from noise.text.word_tokens import KIND_OF_WORD, number_text, numbers_in_digits

Carries = Literal["numbers", "sums", "nothing"]
"""What a noise's sentences hold: numbers of their own, sums with their result, or no quantity at all."""

_FORM = re.compile(r"[A-Z][^\n\r?!]*[\w)”\"]\.")
_INNER_STOP = re.compile(r"[.…](?=\s)")
_ELSEWHERE = re.compile(r"\b(?:far away|faraway|distant|abroad|overseas|elsewhere|in another country|long ago)\b", re.I)
_ANYTHING = frozenset(bank("item thing object product good piece unit stuff supply gift present souvenir"))

_OPEN = {"person": "he or she", "plural": "they, or a bare 'how many',", "thing": "it"}
_REACHING = SCOPE_WORDS | RATE_WORDS
_QUANTITIES = QUANTITY_WORDS | {"$", "€", "£", "¢", "%", "="}
_MEASURES = UNITS.intersection(KIND_OF_WORD)
_LOOKED_AT = RATE_WORDS | CHANGE_WORDS | _MEASURES | {"a", "an"}


def _first(words: Sequence[str], of: frozenset[str]) -> str:
    """The first of the words that is one `of` these; an empty text where none is."""
    return "" if of.isdisjoint(words) else next(word for word in words if word in of)


def _covers(general: str, word: str) -> bool:
    """Whether the noun `general` is a wider word for `word`: "animals" for a cow. Unknown nouns count as things."""
    kinds = HYPERNYMS.get(general)
    if kinds is None:
        return False
    entry = LEXICON.get(word)
    return (entry.kind if entry is not None else "thing") in kinds


def _form(distractor: str) -> str | None:
    if not _FORM.fullmatch(distractor):
        return "it is not one plain sentence that opens with a capital and closes with a full stop"
    if _INNER_STOP.search(distractor) or "  " in distractor:
        return "it is more than one sentence, or badly spaced"
    return None


def _references(scene: Scene, told: Told, counts: bool = True) -> str | None:
    """What would tie the sentence to the question's people, or a later pronoun to the sentence."""
    its_own = bool(told.names) and scene.proper.issuperset(told.names)  # the question's only person stays the owner
    pronoun = _first(told.words, PRONOUNS)
    if pronoun:
        return f"the pronoun {pronoun!r} can be read as someone or something of the question"
    for what in _OPEN if scene.open else ():
        if what in scene.open and what in told.could_be and not (what == "person" and its_own):
            return f"what follows says {_OPEN[what]} without saying who, and could mean what this sentence is about"
    if counts and scene.crowd and "person" in told.could_be:
        return "the question speaks of a group, and a newcomer could be counted in"
    return None


def _own_world(scene: Scene, told: Told, pure_sum: bool, distractor: str) -> str | None:
    """Whether a sentence with a quantity keeps to owners, places and things that the question does not have."""
    name = _first((*told.names, *told.places, told.words[0]), scene.proper)
    if name:
        return f"{name.title()} is somebody or something of the question"
    word = _first(told.words, _REACHING)
    if word in SCOPE_WORDS:
        return f"{word!r} reaches for the question's own things"
    if word:
        return f"{word!r} is a rate that the question's own amounts could fall under"
    for noun in told.nouns:
        if meaning(noun) in scene.meanings:
            return f"{noun!r} is in the question, so its quantity could be meant"
    wide = [asked for asked in scene.asked_nouns if asked in HYPERNYMS]
    for noun in told.nouns:
        for asked in wide:
            if (noun in told.counted or asked not in _ANYTHING) and _covers(asked, noun):
                return f"the question asks about {asked!r}, and {noun!r} is of that kind"
        for asked in scene.asked_nouns if lemma(noun) in HYPERNYMS else ():
            if _covers(lemma(noun), asked) and asked in LEXICON:
                return f"{noun!r} is a general word for {asked!r}, which the question asks about"
    if told.names and any(_covers(asked, "person") for asked in wide):
        return "the question asks about people, and this sentence brings one more"
    if not (told.names or told.places or pure_sum or _ELSEWHERE.search(distractor)):
        return "its quantity has no owner or place of its own"
    return None


def _quantities(scene: Scene, told: Told, numbers: Sequence[str], target: Fraction | None) -> str | None:
    shared = told.kinds & scene.asked
    if shared:
        return f"it tells of {min(shared)}, and so does the question's last sentence"
    whole = str(target) if target is not None and target.denominator == 1 else None
    for number in numbers:
        if number in scene.numbers:
            return f"its number {number} is in the question"
        if number == whole:
            return f"its number {number} is the answer"
    if target is not None and whole is None:
        for number in numbers:
            if Fraction(number) == target:
                return f"its number {number} is the answer"
    return None


def _no_quantity(scene: Scene, told: Told) -> str | None:
    """The rule for a sentence that is to carry nothing to count with."""
    for i, word in enumerate(told.words):
        if word in _QUANTITIES or word[0].isdecimal():
            return f"{word!r} is a quantity"
        if "-" in word and not QUANTITY_WORDS.isdisjoint(word.split("-")):
            return f"{word!r} is a quantity"
        if word not in _LOOKED_AT:
            continue
        if word in RATE_WORDS or word in CHANGE_WORDS:
            return f"{word!r} may change how much there is"
        if word in _MEASURES:
            return f"{word!r} is a unit of measurement"
        if word in ("a", "an") and i + 1 < len(told.words) and meaning(told.words[i + 1]) in scene.asked_nouns:
            return f"'{word} {told.words[i + 1]}' would be one to count"
    for name in (*told.names, *told.places):
        if scene.proper != {name}:
            return f"{name.title()} is not the only name of the question, so a later pronoun could change its owner"
    newcomers = [person for person in told.persons if meaning(person) not in scene.meanings]
    if newcomers and any(_covers(asked, "person") for asked in scene.asked_nouns):
        return f"the question asks about people, and {newcomers[0]!r} are not among them"
    return None


def refusal(question: str, distractor: str, carries: Carries = "numbers", target: Fraction | None = None) -> str | None:
    """Why `distractor` may not stand in front of the sentence that asks in `question`, in words; None if it may.

    `carries` is what the sentence is meant to hold, `target` the answer of the question, where it is known: no
    distractor may state it. Nothing is raised, whatever the texts.
    """
    wrong = _form(distractor)
    if wrong:
        return wrong
    scene = read(question)
    told = tell(distractor)
    if carries == "nothing":
        return _no_quantity(scene, told) or _references(scene, told, counts=False)
    has_sum = carries == "sums" or "=" in told.words
    pure_sum = has_sum and not told.counted
    wrong = _references(scene, told) or _own_world(scene, told, pure_sum, distractor)
    if wrong:
        return wrong
    numbers: Sequence[str] = told.numbers
    if has_sum:
        sums = sums_in(distractor)
        if not sums:
            return "no calculation with a result can be read in it"
        if not all(found.holds for found in sums):
            return "its calculation is false"
        inside = {number_text(number) for found in sums for number in found.numbers}
        spelled = numbers_in_digits(in_digits(distractor))
        if not inside.issuperset(spelled):
            return "it holds a number that its calculation does not use"
        if "number" in scene.open and pure_sum and not told.places:
            return "the question speaks of numbers as such, and a bare sum could be meant"
        numbers = spelled
    if not numbers:
        return "it carries no number"
    return _quantities(scene, told, numbers, target)
