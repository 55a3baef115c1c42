"""The rule for a fact of the problem's own scene, about somebody who is not asked about: `Bob's sister has 9 eggs.`

Such a sentence may name what is counted and what is asked for, which `noise.certify` refuses to all others. Its owner
keeps it irrelevant: someone whom the question does not have, where it asks for somebody else's.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from fractions import Fraction
from itertools import pairwise, takewhile

from noise.text.asked_scene import KIN, alike, asked_scene
from noise.text.distractor_features import DistractorFeatures
from noise.text.noun_lexicon import covers, lemma, meaning
from noise.text.question_features import QuestionFeatures
from noise.text.question_numbers import has_value
from noise.text.word_lists import PRONOUNS, RATE_WORDS, SCOPE_WORDS, first_of

#: What a pronoun of the asking sentence is called in a refusal.
_PRONOUN_NAMES = {"plural": "they, or a bare 'how many',", "thing": "it"}
_PRONOUN_OR_SCOPE = PRONOUNS | SCOPE_WORDS


def scene_refusal(
    features: QuestionFeatures,
    distractor: DistractorFeatures,
    target: Fraction | None,
    worked: Container[str],
) -> str | None:
    """Return why a fact of the scene may not stand before the asking sentence; None if it may."""
    word = first_of(distractor.words, _PRONOUN_OR_SCOPE)
    if word:
        return f"{word!r} can be read as someone or something of the question"
    word = first_of(distractor.words, RATE_WORDS)
    if word:
        return f"{word!r} is a rate that could apply to the question's own amounts"
    for reference, pronouns in _PRONOUN_NAMES.items():
        if reference in features.open_references and reference in distractor.antecedent_of:
            return f"the question goes on with {pronouns!r}, which could then refer to this sentence's subject"
    for that, time in pairwise(features.asking) if "that" in features.asking else ():
        if that == "that" and time in distractor.words:
            return f"the question goes on with 'that {time}', which could then be this sentence's"
    if "there" in features.open_references and (distractor.place_names or distractor.names_a_place):
        return "the question goes on with 'there', which could then be this sentence's place"
    return (
        _owner_refusal(features, distractor)
        or _quantity_refusal(features, distractor)
        or _number_refusal(features, distractor, target, worked)
    )


def _owner_refusal(features: QuestionFeatures, distractor: DistractorFeatures) -> str | None:
    """Check that a person in it is nobody of the question, and none whom it could count in or go on to speak of."""
    words = distractor.words
    scene = asked_scene(features)
    newcomer, strangers = _newcomer(distractor), _strangers(features, distractor)
    for i, word in enumerate(words):
        owner = word.removesuffix("'s")
        if owner in features.proper_names and not _is_whose_kin(words, i):
            return f"{owner.title()} is somebody or something of the question"
        if owner in features.titled and words[i + 1 : i + 2] != ("town",):
            return f"{owner.title()} has a title in the question, and is no given name"
    like = next((known for name in strangers for known in features.proper_names if alike(name, known)), None)
    if like is not None:
        return f"its owner's name is too like {like.title()}, who is in the question"
    if newcomer is None and not strangers:
        persons = [noun for noun in distractor.person_nouns if meaning(noun) not in features.meanings]
        return f"{persons[0]!r} belongs to nobody of the question" if persons else None
    if "who" in features.open_references:
        return "the question asks who, and a newcomer could be the answer"
    if "person" in features.open_references and any(name.title() not in scene.strangers for name in strangers):
        return "the question goes on with 'he or she', which could then refer to this sentence's subject"
    if newcomer is not None and meaning(newcomer) in features.meanings:
        return f"the question has a {newcomer} already"
    if newcomer is not None and newcomer not in scene.kin:
        return f"a later pronoun could mean the {newcomer}, or a family of the question could include one"
    if scene.heads:
        return "the question speaks of a group, and a newcomer could be counted in"
    return None


def _strangers(features: QuestionFeatures, distractor: DistractorFeatures) -> list[str]:
    """Return the names of people whom the question does not name."""
    return [name for name in distractor.names if name.removesuffix("'s") not in features.proper_names]


def _newcomer(distractor: DistractorFeatures) -> str | None:
    """Return the word for somebody's relative or acquaintance, as `sister` in "Bob's sister"; None if there is none."""
    words = distractor.words
    if KIN.isdisjoint(words):
        return None
    return next((word for i, word in enumerate(words) if word in KIN and _has_a_relation(words, i)), None)


def _has_a_relation(words: Sequence[str], i: int) -> bool:
    """Return whether the word for a relative at index `i` is somebody's: "Bob's sister", "a sister of Bob"."""
    return (i > 0 and words[i - 1].endswith("'s")) or words[i + 1 : i + 2] == ("of",)


def _is_whose_kin(words: Sequence[str], i: int) -> bool:
    """Return whether the name at index `i` only says whose relative somebody is, or which town something is in."""
    if words[i].endswith("'s"):
        return words[i + 1] in KIN or words[i + 1] == "town"
    return i > 1 and words[i - 1] == "of" and words[i - 2] in KIN


def _quantity_refusal(features: QuestionFeatures, distractor: DistractorFeatures) -> str | None:
    """Check that what it counts is not what the question counts, unless it asks for somebody else's."""
    scene = asked_scene(features)
    for noun in distractor.counted_nouns:
        if _goes_on_with(features.asking, noun):
            return f"the question goes on with 'the {noun}', which could then be these"
    if scene.owned and (_strangers(features, distractor) or _newcomer(distractor) is not None):
        return None
    shared = distractor.kinds & features.asked_kinds
    if shared:
        return f"it speaks of {min(shared)}, and so does the asking sentence, which names no owner"
    for noun in distractor.counted_nouns:
        if meaning(noun) in features.meanings:
            return f"it counts {noun!r}, and so does the question, which names no owner"
        for asked in features.asked_nouns:
            if covers(asked, noun) or covers(lemma(noun), asked):
                return f"it counts {noun!r}, which the question asks about as {asked!r} and names no owner"
    return None


def _goes_on_with(asking: Sequence[str], noun: str) -> bool:
    """Return whether the asking sentence speaks of "the apples", "the remaining apples", "3 of the apples"."""
    return any(
        meaning(noun) in map(meaning, takewhile(str.isalpha, asking[i + 1 : i + 4]))
        for i, word in enumerate(asking)
        if word in ("the", "these", "those")
    )


def _number_refusal(
    features: QuestionFeatures, distractor: DistractorFeatures, target: Fraction | None, worked: Container[str]
) -> str | None:
    if not distractor.numbers:
        return "it carries no number"
    for number in distractor.numbers:
        if number in features.numbers:
            return f"its number {number} is in the question"
        if number in worked or has_value(number, target):
            return f"its number {number} is in the worked answer"
    return None
