"""The certification rule: any two texts, and certified distractors that were spoilt."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from noise import NOISES
from noise.certify import Carries, refusal
from noise.text.filler_vocabulary import NAMES, TOWNS
from noise.text.question_features import question_features
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.random_texts import LABELLED_PAIRS, any_number, any_question, any_text, any_whole, changed_text

_OWNERS = frozenset((*NAMES, *TOWNS))
_WHOLE = re.compile(r"(?<!\S)[$]?(\d+)(?=[,;.?!]*(?:\s|\Z))")
#: A sum of two numbers that is no part of a longer one, as in `9 × 1 × 11 = 99`.
_SUM = re.compile(
    r"(?<!\S)(?<![-+×÷*/−–]\s)(?<!times\s)(?<!by\s)(?<!plus\s)(?<!minus\s)(?<!to\s)(?<!over\s)(?<!less\s)"
    r"(\d+) ([-+×÷]) (\d+) = (\d+)(?=[,;.]*(?:\s|\Z))"
)
_PRONOUN = re.compile(r"(?<!\S)(?:she|he|her|his|him|they|them|their|it)(?=[,;.]*(?:\s|\Z))", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class CertificateCase:
    """A question, a sentence, what it is meant to carry, the answer, and how it is spoilt where it is certified."""

    question: str
    sentence: str
    carries: Carries
    target: Fraction | None
    spoiling: str


def draw(rng: Random) -> CertificateCase:
    """Return a question and a sentence: one that a noise proposes, one labelled by hand, one changed, or any text."""
    question = any_question(rng)
    noise = rng.choice(tuple(NOISES.values()))
    carries = noise.carries
    kind = rng.random()
    if kind < 0.7:
        propose = noise.propose if rng.random() < 0.8 else noise.neutral
        features = question_features(question)
        sentence = (propose(features, rng) or noise.neutral(features, rng)).text
    elif kind < 0.9:
        pair = rng.choice(LABELLED_PAIRS)
        sentence, carries = pair["distractor"], pair["carries"]
    else:
        sentence, carries = f"The {any_text(rng)}.", rng.choice(("numbers", "sums", "nothing"))
    if rng.random() < 0.2:
        sentence = changed_text(rng, sentence)
    if rng.random() < 0.02:
        sentence = sentence.replace(".", f" and {'9' * rng.choice((50, 400, 5000))} × 2 = 18.")
    target = rng.choice((None, any_number(rng), Fraction(any_whole(rng) % 100)))
    return CertificateCase(question, sentence, carries, target, rng.choice(tuple(_SPOILINGS)))


def check(case: CertificateCase) -> str:
    """Check the rule on one pair of texts; the table in docs/reliability.md says the claims."""
    reason = refusal(case.question, case.sentence, case.carries, case.target)
    if reason is not None:
        assert reason
        return "refused"
    check_promises(case.question, case.sentence, case.carries, case.target)
    spoilt = _SPOILINGS[case.spoiling](case)
    if spoilt is None:
        return "certified"
    assert refusal(spoilt.question, spoilt.sentence, spoilt.carries, spoilt.target), f"{case.spoiling}: {spoilt}"
    return "certified, and refused when spoilt"


def check_promises(question: str, sentence: str, carries: Carries, target: Fraction | None) -> None:
    """Check what docs/noise.md promises of a certified distractor, as far as a few lines can, in another way."""
    assert re.match("[A-Z]", sentence), "it opens with a capital"
    assert sentence.endswith("."), "it closes with a full stop"
    assert not set(sentence) & set("?!\n\r"), "it is one sentence"
    assert "  " not in sentence, "nothing is doubled"
    assert not _PRONOUN.search(sentence), "there is no pronoun"
    if carries == "nothing":
        assert not any(character.isdecimal() for character in sentence), "it carries no number"
        return
    numbers = {int(number) for number in _WHOLE.findall(sentence) if len(number) < 4000}
    assert numbers.isdisjoint(int(number) for number in _WHOLE.findall(question) if len(number) < 4000), (
        "numbers differ"
    )
    assert target not in numbers, "the answer is not stated"
    for a, sign, b, result in _SUM.findall(sentence):
        assert {"-": int(a) - int(b), "+": int(a) + int(b), "×": int(a) * int(b)}.get(sign, 0) == int(result) or (
            sign == "÷" and int(a) == int(b) * int(result)
        ), "the sum is true"


def _with_sentence(case: CertificateCase, sentence: str) -> CertificateCase:
    return CertificateCase(case.question, sentence, case.carries, case.target, "")


def _with_more(word: str) -> Callable[[CertificateCase], CertificateCase | None]:
    return lambda case: _with_sentence(case, f"{case.sentence[:-1]} {word}.")


def _with_its_number_asked(case: CertificateCase) -> CertificateCase | None:
    numbers = _WHOLE.findall(case.sentence)
    if not numbers or case.carries == "nothing":
        return None
    return CertificateCase(f"We saw {numbers[-1]} there. {case.question}", case.sentence, case.carries, case.target, "")


def _with_its_number_the_answer(case: CertificateCase) -> CertificateCase | None:
    numbers = _WHOLE.findall(case.sentence)
    if not numbers or case.carries == "nothing":
        return None
    return CertificateCase(case.question, case.sentence, case.carries, Fraction(numbers[0]), "")


def _with_its_owner_known(case: CertificateCase) -> CertificateCase | None:
    owners = _OWNERS.intersection(re.findall(r"(?<!\S)[A-Z][a-z]+(?=[ .,])", case.sentence))
    if not owners or case.carries not in ("numbers", "sums"):  # a cousin of somebody of the scene is no owner of it
        return None
    return CertificateCase(f"We met {min(owners)} there. {case.question}", case.sentence, case.carries, case.target, "")


def _with_a_false_sum(case: CertificateCase) -> CertificateCase | None:
    if case.carries != "sums" or not _SUM.search(case.sentence):
        return None
    return _with_sentence(case, _SUM.sub(lambda sum_: f"{sum_[0]}1", case.sentence))


def _with_a_quantity(case: CertificateCase) -> CertificateCase | None:
    return _with_sentence(case, f"{case.sentence[:-1]} and two dozen.") if case.carries == "nothing" else None


def _with_a_reference_back(case: CertificateCase) -> CertificateCase | None:
    if case.carries == "nothing":
        return None
    return CertificateCase(
        f"{case.question} What is the sum of these amounts?", case.sentence, case.carries, case.target, ""
    )


def _with_its_own_text_asked_for(case: CertificateCase) -> CertificateCase:
    question = f"{case.question} How many words are in the previous sentence?"
    return CertificateCase(question, case.sentence, case.carries, case.target, "")


_SPOILINGS: dict[str, Callable[[CertificateCase], CertificateCase | None]] = {
    "a second sentence": lambda case: _with_sentence(case, f"{case.sentence} Rain fell."),
    "no capital": lambda case: _with_sentence(case, case.sentence[0].lower() + case.sentence[1:]),
    "a question": lambda case: _with_sentence(case, f"{case.sentence[:-1]}?"),
    "no full stop": lambda case: _with_sentence(case, case.sentence[:-1]),
    "a doubled space": lambda case: _with_sentence(case, case.sentence[:-1] + "  there."),
    "a pronoun": _with_more("with her"),
    "a number that is in the question": _with_its_number_asked,
    "a number that is the answer": _with_its_number_the_answer,
    "an owner that is in the question": _with_its_owner_known,
    "a false sum": _with_a_false_sum,
    "a quantity": _with_a_quantity,
    "a question about numbers of the text": _with_a_reference_back,
    "a question about its sentences": _with_its_own_text_asked_for,
}
CERTIFICATES = FuzzTarget("certificates", draw, check)
