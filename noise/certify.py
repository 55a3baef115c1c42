"""The rule that a distractor must pass before it goes into a question. `docs/noise.md` gives it in words.

The rule reads only the two texts, so it can check a distractor from any source.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from fractions import Fraction
from typing import Literal

from noise.certify_scene import scene_refusal
from noise.certify_sense import sense_refusal
from noise.text.distractor_features import ELSEWHERE, DistractorFeatures, distractor_features
from noise.text.equations import equations_in_digits, may_hold_an_equation, number_words_to_digits
from noise.text.noun_lexicon import LEXICON, covers, lemma, meaning
from noise.text.noun_lists import HYPERNYMS, PEOPLE_NOUNS
from noise.text.number_parsing import MAX_DIGITS
from noise.text.question_features import QuestionFeatures, question_features
from noise.text.sums_in_words import is_a_clause_as_a_noun, opens_a_sum
from noise.text.word_lists import (
    CHANGE_WORDS,
    PRONOUNS,
    QUANTITY_WORDS,
    RATE_WORDS,
    SCOPE_WORDS,
    UNITS,
    first_of,
    word_list,
)
from noise.text.word_tokens import KINDS_OF_WORD, number_text, numbers_in_digits
from noise.text.worked_numbers import WorkedNumbers

Carries = Literal["numbers", "sums", "nothing", "scene"]
"""What a noise's sentences hold: numbers of their own, sums with their result, no quantity at all, or numbers in the
question's own scene, which belong to somebody who is not asked about."""

_SENTENCE = re.compile(r"[A-Z][^\n\r?!]*[\w)”\"]\.")
_LONG_NUMBER = re.compile(rf"[\d,.]{{{MAX_DIGITS + 1}}}")
_INNER_STOP = re.compile(r"[.…](?=\s)|[^\W\d_]{2}\.(?=[^\W\d_])")
_GENERIC_NOUNS = frozenset(word_list("item thing object product good piece unit stuff supply gift present souvenir"))

_OPEN_REFERENCES = {"person": "he or she", "plural": "they, or a bare 'how many',", "thing": "it"}
_SCOPE_OR_RATE = SCOPE_WORDS | RATE_WORDS
_QUANTITIES = QUANTITY_WORDS | {"$", "€", "£", "¢", "%", "="}
_MEASURES = UNITS.intersection(KINDS_OF_WORD)
_CHECKED_WORDS = RATE_WORDS | CHANGE_WORDS | _MEASURES | {"a", "an"}


def refusal(
    question: str, sentence: str, carries: Carries = "numbers", target: Fraction | None = None, worked: str = ""
) -> str | None:
    """Return why `sentence` may not stand where `inject` puts it in `question`, in words; None if it may.

    `carries` is what the sentence is meant to hold. `target` is the answer of the question and `worked` its worked
    answer, where they are known: no distractor may state a number of them. Nothing is raised, whatever the texts.
    """
    return refusal_reason(question_features(question), sentence, carries, target, WorkedNumbers(worked))


def refusal_reason(
    features: QuestionFeatures,
    sentence: str,
    carries: Carries = "numbers",
    target: Fraction | None = None,
    worked: Container[str] = (),
) -> str | None:
    """Return what `refusal` returns, for known features of a question and the `WorkedNumbers` of its answer."""
    reason = _form_refusal(sentence)
    if reason:
        return reason
    if not features.english:
        return "the question is not in English, and an English sentence is expected in an English question"
    if "text" in features.open_references:
        return "the question speaks of its own text, and this would be one more sentence of it"
    distractor = distractor_features(sentence)
    if carries == "nothing":
        return _quantity_refusal(features, distractor, sentence) or _reference_refusal(
            features, distractor, counts=False
        )
    if "numbers" in features.open_references:
        return "the question goes on with numbers of its own text, and this sentence's could be meant"
    if carries == "scene":
        words = distractor.words
        if may_hold_an_equation(words) and ("=" in words or equations_in_digits(number_words_to_digits(sentence))):
            return "it holds a calculation, and a fact of the scene has none"
        return scene_refusal(features, distractor, target, worked)
    has_equation = carries == "sums" or "=" in distractor.words
    bare_equation = has_equation and not distractor.counted_nouns
    reason = _reference_refusal(features, distractor) or _overlap_refusal(features, distractor, bare_equation, sentence)
    if reason:
        return reason
    numbers: Sequence[str] = distractor.numbers
    if has_equation:
        plain = number_words_to_digits(sentence)
        equations = equations_in_digits(plain)
        if not equations:
            return "no calculation with a result can be read in it"
        if not all(equation.holds for equation in equations):
            return "its calculation is false"
        numbers = numbers_in_digits(plain)
        if not {number_text(number) for equation in equations for number in equation.numbers}.issuperset(numbers):
            return "it holds a number that its calculation does not use"
        if "number" in features.open_references and bare_equation and not distractor.place_names:
            return "the question speaks of numbers as such, and a bare sum could be meant"
        if is_a_clause_as_a_noun(plain):
            return "its calculation stands where a noun should, and wants 'that', a comma or quotation marks"
    elif distractor.has_label and "label" in features.open_references:
        return "the question asks for a number as such, and one that counts nothing could be meant"
    if not numbers:
        return "it carries no number"
    return _number_refusal(features, distractor, numbers, target, worked)


def _form_refusal(sentence: str) -> str | None:
    """Check that the text is one well-formed sentence."""
    if not _SENTENCE.fullmatch(sentence):
        return "it is not one plain sentence that opens with a capital and closes with a full stop"
    inner = sentence.find(".", 0, -1) >= 0 or "…" in sentence
    if (inner and _INNER_STOP.search(sentence)) or "  " in sentence:
        return "it is more than one sentence, or badly spaced"
    if len(sentence) > MAX_DIGITS and _LONG_NUMBER.search(sentence):
        return f"it has a number of more than {MAX_DIGITS} digits"
    return None


def _reference_refusal(features: QuestionFeatures, distractor: DistractorFeatures, counts: bool = True) -> str | None:
    """Check that nothing ties the sentence to the question's people, and no later reference to the sentence."""
    # the question's only person stays the owner
    known_names = bool(distractor.names) and features.proper_names.issuperset(distractor.names)
    pronoun = first_of(distractor.words, PRONOUNS)
    if pronoun and not (pronoun == "that" and opens_a_sum(distractor.words)):
        return f"the pronoun {pronoun!r} can be read as someone or something of the question"
    for reference, pronouns in _OPEN_REFERENCES.items() if features.open_references else ():
        if reference not in features.open_references or reference not in distractor.antecedent_of:
            continue
        if not (reference == "person" and known_names):
            return f"the question goes on with {pronouns!r}, which could then refer to this sentence's subject"
    if "there" in features.open_references and (distractor.place_names or distractor.names_a_place):
        return "the question goes on with 'there', which could then be this sentence's place"
    if counts and "who" in features.open_references and (distractor.names or distractor.person_nouns):
        return "the question asks who, and a newcomer could be the answer"
    if counts and features.mentions_group and "person" in distractor.antecedent_of:
        return "the question speaks of a group, and a newcomer could be counted in"
    return None


def _overlap_refusal(
    features: QuestionFeatures, distractor: DistractorFeatures, bare_equation: bool, sentence: str
) -> str | None:
    """Check that a sentence with a quantity keeps to owners, places and things that the question does not have."""
    name = first_of((*distractor.names, *distractor.place_names, distractor.words[0]), features.proper_names)
    if name:
        return f"{name.title()} is somebody or something of the question"
    word = first_of(distractor.words, _SCOPE_OR_RATE)
    if word in SCOPE_WORDS:
        return f"{word!r} could refer to the question's own things"
    if word:
        return f"{word!r} is a rate that could apply to the question's own amounts"
    for noun in distractor.nouns:
        if meaning(noun) in features.meanings:
            return f"{noun!r} is in the question, so its quantity could be meant"
    general_nouns = [asked for asked in features.asked_nouns if asked in HYPERNYMS]
    for noun in distractor.nouns:
        for asked in general_nouns:
            if (noun in distractor.counted_nouns or asked not in _GENERIC_NOUNS) and covers(asked, noun):
                return f"the question asks about {asked!r}, and {noun!r} is of that kind"
        for asked in features.asked_nouns if lemma(noun) in HYPERNYMS else ():
            if covers(lemma(noun), asked) and asked in LEXICON:
                return f"{noun!r} is a general word for {asked!r}, which the question asks about"
    if distractor.names and not PEOPLE_NOUNS.isdisjoint(features.asked_nouns):
        return "the question asks about people, and this sentence brings one more"
    if not (distractor.names or distractor.place_names or bare_equation or ELSEWHERE.search(sentence)):
        return "its quantity has no owner or place of its own"
    return None


def _number_refusal(
    features: QuestionFeatures,
    distractor: DistractorFeatures,
    numbers: Sequence[str],
    target: Fraction | None,
    worked: Container[str],
) -> str | None:
    """Check the kinds of quantity and the numbers against those of the question, and against its worked answer."""
    shared = distractor.kinds & features.asked_kinds
    if shared:
        return f"it speaks of {min(shared)}, and so does the asking sentence"
    whole = str(target) if target is not None and target.denominator == 1 else None
    for number in numbers:
        if number in features.numbers:
            return f"its number {number} is in the question"
        if number == whole:
            return f"its number {number} is the answer"
        if number in worked:
            return f"its number {number} is in the worked answer"
    if target is not None and whole is None:
        for number in numbers:
            if Fraction(number) == target:
                return f"its number {number} is the answer"
    return None


def _quantity_refusal(features: QuestionFeatures, distractor: DistractorFeatures, sentence: str) -> str | None:
    """Check that a sentence meant to carry no quantity has none, changes none and makes sense."""
    for i, word in enumerate(distractor.words):
        if word in _QUANTITIES or word[0].isdecimal():
            return f"{word!r} is a quantity"
        if "-" in word and not QUANTITY_WORDS.isdisjoint(word.split("-")):
            return f"{word!r} is a quantity"
        if word not in _CHECKED_WORDS:
            continue
        if word in RATE_WORDS or word in CHANGE_WORDS:
            return f"{word!r} may change how much there is"
        if word in _MEASURES:
            return f"{word!r} is a unit of measurement"
        following = distractor.words[i + 1 : i + 2]
        if word in ("a", "an") and following and meaning(following[0]) in features.asked_nouns:
            return f"'{word} {following[0]}' would be one to count"
    senseless = sense_refusal(features, distractor, sentence)
    if senseless:
        return senseless
    for name in (*distractor.names, *distractor.place_names):
        if name in features.proper_names and name not in map(str.lower, features.people):
            return f"{name.title()} is nobody of the question, as far as can be told"
        if features.proper_names != {name}:
            return f"{name.title()} is not the only name of the question, so a later pronoun could change its owner"
    newcomers = [person for person in distractor.person_nouns if meaning(person) not in features.meanings]
    if newcomers and not PEOPLE_NOUNS.isdisjoint(features.asked_nouns):
        return f"the question asks about people, and {newcomers[0]!r} are not among them"
    return None
