"""The rule that a distractor must pass before it goes into a question. `docs/noise.md` gives it in words.

The rule works on the two texts alone, so it can be run on any pair, whoever wrote the distractor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from noise.elsewhere import NAMES, PLACES
from noise.lexicon import HYPERNYMS, LEXICON, lemma, meaning
from noise.scene import KIND_OF_WORD, TOKEN, Scene, number_text, read
from noise.sums import in_digits, sums_in
from noise.words import (
    CHANGE_WORDS,
    DETERMINERS,
    FUNCTION_WORDS,
    MONTHS_AND_DAYS,
    NUMBER_WORDS,
    OPERATOR_WORDS,
    PRONOUNS,
    QUANTITY_WORDS,
    RATE_WORDS,
    SCOPE_WORDS,
    SUBJECT_VERBS,
    UNITS,
    VERBS_IN_S,
    bank,
)

Carries = Literal["numbers", "sums", "nothing"]
"""What a noise's sentences hold: numbers of their own, sums with their result, or no quantity at all."""

_FORM = re.compile(r"[A-Z][^\n\r?!]*[\w)”\"]\.")
_INNER_STOP = re.compile(r"[.…](?=\s)")
_ELSEWHERE = re.compile(r"\b(?:far away|faraway|distant|abroad|overseas|elsewhere|in another country|long ago)\b", re.I)
_PREPOSITIONS = frozenset(
    bank("in near from of to at around outside between past beyond toward by over off on above below")
)
_PLACE_WORDS = frozenset(place.lower() for place in PLACES)
_KNOWN_NAMES = _PLACE_WORDS | {name.lower() for name in NAMES}
_ANYTHING = frozenset(bank("item thing object product good piece unit stuff supply gift present souvenir"))
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_OPENERS = frozenset(
    bank(
        """
    in at near on far during after before outside by over beyond along from long inside under for
    """
    )
)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b|\b\d{1,2} ?[ap]\.?m\b")


@dataclass(frozen=True, slots=True)
class Told:
    """A distractor as the rule sees it: its words, names, nouns and numbers, and what a later pronoun could mean."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    places: tuple[str, ...]
    nouns: tuple[str, ...]
    counted: tuple[str, ...]
    numbers: tuple[str, ...]
    kinds: frozenset[str]
    persons: tuple[str, ...]
    could_be: frozenset[str]


def _is_plural(word: str) -> bool:
    entry = LEXICON.get(word)
    if entry is not None:
        return not entry.mass and word == entry.plural
    return (
        word.endswith("s")
        and not word.endswith(("ss", "us", "is", "'s"))
        and word not in UNITS
        and word not in VERBS_IN_S
    )


def _opens_with_name(bare: str, words: list[str]) -> bool:
    """Whether the first word, which has its capital anyway, is a name: a known one, or one that acts like one."""
    if bare in _KNOWN_NAMES:
        return True
    return (
        bare not in LEXICON
        and not _is_plural(bare)
        and (bare != words[0] or (len(words) > 1 and (words[1] in SUBJECT_VERBS or words[1] in (",", "and"))))
    )


def tell(distractor: str) -> Told:
    """What a sentence tells, read from its text alone."""
    raws = TOKEN.findall(distractor)
    words = [raw.lower().replace("’", "'") for raw in raws]
    names: list[str] = []
    places: list[str] = []
    nouns: list[str] = []
    counted: list[str] = []
    numbers: list[str] = []
    persons: list[str] = []
    kinds: set[str] = set()
    could_be: set[str] = set()
    subject = 0
    if words and words[0] in _OPENERS and "," in words:
        subject = words.index(",") + 1
    for i, word in enumerate(words):
        if not word[0].isalpha():
            if word[0].isdigit():
                numbers.append(number_text(word))
                if "," not in word and _YEAR.fullmatch(word):
                    kinds.add("time")
            elif word in KIND_OF_WORD:
                kinds.update(KIND_OF_WORD[word])
            continue
        previous = words[i - 1] if i else ""
        before_that = words[i - 2] if i > 1 else ""
        bare = word[:-2] if word.endswith("'s") else word
        if word in NUMBER_WORDS:
            numbers.append(str(NUMBER_WORDS[word]))
        if bare in FUNCTION_WORDS:
            continue
        entry = LEXICON.get(bare)
        if raws[i][0].isupper() and (i or _opens_with_name(bare, words)):
            if bare in MONTHS_AND_DAYS:
                kinds.add("time")
            elif bare in _PLACE_WORDS or previous in _PREPOSITIONS:
                places.append(bare)
            else:
                names.append(bare)
                could_be.add("person")
            continue
        behind_number = previous[:1].isdigit() or previous in NUMBER_WORDS
        if bare in KIND_OF_WORD and (bare in UNITS or behind_number):
            kinds.update(KIND_OF_WORD[bare])
        if bare in UNITS:
            continue
        if bare in VERBS_IN_S and entry is None:
            continue
        plural = _is_plural(bare)
        if (behind_number and bare not in OPERATOR_WORDS) or (before_that[:1].isdigit() and plural):
            counted.append(bare)
        if entry is not None or plural or previous in DETERMINERS or behind_number:
            nouns.append(bare)
        if entry is not None and entry.kind == "person":
            persons.append(bare)
            if not plural:
                could_be.add("person")
        if plural:
            could_be.add("plural")
    if _CLOCK.search(distractor):
        kinds.add("time")
    head = words[subject : subject + 5]
    if (
        head
        and head[0] in ("a", "an", "the")
        and "person" not in could_be
        and not (len(head) > 1 and head[1] in persons)
    ):
        could_be.add("thing")
    return Told(
        tuple(words), tuple(names), tuple(places), tuple(nouns), tuple(counted), tuple(numbers), frozenset(kinds),
        tuple(persons), frozenset(could_be),
    )  # fmt: skip


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
    for word in told.words:
        if word in PRONOUNS:
            return f"the pronoun {word!r} can be read as someone or something of the question"
    for what, pronouns in (("person", "he or she"), ("plural", "they, or a bare 'how many',"), ("thing", "it")):
        if what in scene.open and what in told.could_be and not (what == "person" and its_own):
            return f"what follows says {pronouns} without saying who, and could mean what this sentence is about"
    if counts and scene.crowd and "person" in told.could_be:
        return "the question speaks of a group, and a newcomer could be counted in"
    return None


def _own_world(scene: Scene, told: Told, pure_sum: bool, elsewhere: bool) -> str | None:
    """Whether a sentence with a quantity keeps to owners, places and things that the question does not have."""
    for name in (*told.names, *told.places, told.words[0]):
        if name in scene.proper:
            return f"{name.title()} is somebody or something of the question"
    for word in told.words:
        if word in SCOPE_WORDS:
            return f"{word!r} reaches for the question's own things"
        if word in RATE_WORDS:
            return f"{word!r} is a rate that the question's own amounts could fall under"
    for noun in told.nouns:
        if meaning(noun) in scene.meanings:
            return f"{noun!r} is in the question, so its quantity could be meant"
    for noun in told.nouns:
        for asked in scene.asked_nouns:
            if (noun in told.counted or asked not in _ANYTHING) and _covers(asked, noun):
                return f"the question asks about {asked!r}, and {noun!r} is of that kind"
            if _covers(lemma(noun), asked) and asked in LEXICON:
                return f"{noun!r} is a general word for {asked!r}, which the question asks about"
    if told.names and any(_covers(asked, "person") for asked in scene.asked_nouns):
        return "the question asks about people, and this sentence brings one more"
    if not (told.names or told.places or elsewhere or pure_sum):
        return "its quantity has no owner or place of its own"
    return None


def _quantities(scene: Scene, told: Told, target: Fraction | None) -> str | None:
    shared = told.kinds & scene.asked
    if shared:
        return f"it tells of {min(shared)}, and so does the question's last sentence"
    whole = str(target) if target is not None and target.denominator == 1 else None
    for number in told.numbers:
        if number in scene.numbers:
            return f"its number {number} is in the question"
        if number == whole:
            return f"its number {number} is the answer"
    if target is not None and whole is None:
        for number in told.numbers:
            if Fraction(number) == target:
                return f"its number {number} is the answer"
    return None


def _no_quantity(scene: Scene, told: Told) -> str | None:
    """The rule for a sentence that is to carry nothing to count with."""
    for i, word in enumerate(told.words):
        if word[0].isdigit() or word in QUANTITY_WORDS or word in ("$", "€", "£", "¢", "%", "="):
            return f"{word!r} is a quantity"
        if word in RATE_WORDS or word in CHANGE_WORDS:
            return f"{word!r} may change how much there is"
        if word in KIND_OF_WORD and word in UNITS:
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
    pure_sum = False
    if carries == "sums" or "=" in told.words:
        sums = sums_in(distractor)
        if not sums:
            return "no calculation with a result can be read in it"
        if not all(found.holds for found in sums):
            return "its calculation is false"
        inside = {number_text(number) for found in sums for number in found.numbers}
        spelled = [number_text(token) for token in TOKEN.findall(in_digits(distractor)) if token[0].isdigit()]
        if not inside.issuperset(spelled):
            return "it holds a number that its calculation does not use"
        pure_sum = not told.counted
        if "number" in scene.open and pure_sum and not told.places:
            return "the question speaks of numbers as such, and a bare sum could be meant"
        told = replace(told, numbers=tuple(spelled))
    if not told.numbers:
        return "it carries no number"
    return (
        _references(scene, told)
        or _own_world(scene, told, pure_sum, bool(_ELSEWHERE.search(distractor)))
        or _quantities(scene, told, target)
    )
