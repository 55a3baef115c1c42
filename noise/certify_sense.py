"""Does a sentence without a quantity make sense beside the question: same senses, fitting frames, sound grammar?"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from noise.text.clashes_with_question import (
    alive_on_a_plate,
    fed_to_animals,
    in_another_sense,
    too_cheerful,
    weather_in_space,
)
from noise.text.distractor_features import DistractorFeatures
from noise.text.noun_lexicon import lemma
from noise.text.question_features import QuestionFeatures
from noise.text.unfitting_frames import unfitting


def sense_refusal(features: QuestionFeatures, distractor: DistractorFeatures, sentence: str) -> str | None:
    """Return why a sentence makes no sense there; None where nothing is known against it."""
    noun = _in_another_sense(features, distractor)
    if noun is not None:
        return f"the question has {noun!r} in another sense, or as a part of another word"
    if too_cheerful(features, sentence, distractor.nouns):
        return "the question is grim, or speaks of a whole population, and this of good cheer"
    if alive_on_a_plate(features, sentence, distractor.nouns):
        return "the question has meat, and this a living animal"
    if fed_to_animals(features, sentence, distractor.nouns):
        return "the question feeds animals, and this praises the taste"
    if weather_in_space(features, sentence):
        return "the question is in space, and this speaks of weather"
    misfit = unfitting(sentence)
    if misfit is not None:
        return f"no such thing is said of {misfit!r}"
    if not distractor.agrees:
        return f"the verb does not agree with {distractor.words[0].title()!r}"
    repeated = [noun for noun, times in Counter(map(lemma, distractor.nouns)).items() if times > 1]
    return f"it says {repeated[0]!r} twice" if repeated else None


def _in_another_sense(features: QuestionFeatures, distractor: DistractorFeatures) -> str | None:
    """Return a noun that the question has, but not as the lexicon means it: the mouse of a computer.

    What is said of "the word mouse" holds in any sense.
    """
    named = {word for before, word in pairwise(distractor.words) if before == "word"}
    nouns = [noun for noun in distractor.nouns if noun not in named]
    others = (noun for noun in nouns if lemma(noun) in features.of_other_things)
    return next(others, None) or in_another_sense(features, nouns)
