"""The certificate of a noisy question from anywhere: what `noise.certify` says of each sentence that was added."""

from __future__ import annotations

import re
from collections.abc import Iterator

from noise.certify import Carries, refusal_reason
from noise.problems.problem import NoisyProblem
from noise.text.equations import equations_in_digits, number_words_to_digits
from noise.text.question_features import question_features
from noise.text.sentence_splitting import sentence_starts
from noise.text.word_tokens import numbers_in_digits
from noise.text.worked_numbers import WorkedNumbers

NOT_A_SENTENCE = "it is no sentence of its own"
BEHIND_THE_QUESTION = "it stands behind the sentence that asks"
#: What a reason quotes of the texts. Without it, reasons are of one kind.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,/]*\d|\d")
_NAMED = re.compile(r"^[^\W\d_][\w'’.-]* (?=is (?:somebody|not the only))")


def certificate_refusal(noisy: NoisyProblem) -> str | None:
    """Return why a distractor of `noisy` may change the answer, in words; None if each of them is certified.

    A number is certified as one of somebody or something else, or as one of the question's own scene.
    A distractor is certified where it is one sentence or several, each certified by `noise.certify`, and the text
    behind it, up to and with the asking sentence, does not refer back to it. The rule would rather refuse a good one.
    """
    question, target = noisy.problem.question, noisy.problem.target
    whole, worked, removed = question_features(question), WorkedNumbers(noisy.problem.answer), 0
    for start, stop in noisy.spans:
        offset = start - removed
        removed += stop - start
        before, inserted = noisy.question[:start].rstrip(), noisy.question[start:stop]
        if before and not _ends_sentence(before):
            return NOT_A_SENTENCE
        if offset > whole.insertion_point and question[whole.insertion_point : offset].strip():
            return BEHIND_THE_QUESTION
        first = not question[offset : whole.insertion_point].strip()
        features = whole if first else question_features(question, offset)
        for sentence in _sentences(inserted.strip()):
            carries = carries_of(sentence)
            reason = refusal_reason(features, sentence, carries, target, worked)
            if reason is not None and carries == "numbers":
                reason = refusal_reason(features, sentence, "scene", target, worked) and reason
            if reason is not None:
                return reason
    return None


def kind_of_reason(reason: str) -> str:
    """Return a reason without what it quotes, so that reasons can be counted."""
    return _NAMED.sub("a name ", _QUOTED.sub("…", reason))


def carries_of(sentence: str) -> Carries:
    """Return what a sentence holds: sums with their result, numbers, or no number."""
    plain = number_words_to_digits(sentence)
    if equations_in_digits(plain):
        return "sums"
    return "numbers" if numbers_in_digits(plain) else "nothing"


def _ends_sentence(text: str) -> bool:
    return text.rstrip("\"'”’)]»")[-1:] in (".", "?", "!", "…", "。", "？", "！") or text.endswith("\n")


def _sentences(text: str) -> Iterator[str]:
    starts = sentence_starts(text)
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:stop].strip()
