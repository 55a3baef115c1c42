"""Placebos: text as long as a noise's draw, in the same position, that distracts from nothing.

`filler` has no number and no quantity. `digits` has as many numbers as the draw, each with as many digits, and they
count nothing: they are labels, such as those of a pier or a page. Both share no content word with the question.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

from noise.certify import Carries, refusal_reason
from noise.placebo_sentences import Length, Wanted, sentence_of_length
from noise.problems.problem import NoisyProblem, Problem
from noise.proposals import NoDistractorError
from noise.text.equations import number_words_to_digits
from noise.text.number_parsing import numbers_in
from noise.text.question_features import QuestionFeatures
from noise.text.word_tokens import numbers_in_digits, tokenize

MAX_DRAWS = 400
"""After this many draws of a sentence, the nearest in length that is certified is taken."""
_EXACT_DRAWS = 48
"""For so many draws a sentence of exactly the same length is wanted; later ones may be within the tolerance."""
_WORDS_OF_NUMBERS = frozenset({"number", "numbers", "integer", "integers"})
_ROUNDED_TO = frozenset({"nearest", "whole"})  # "to the nearest integer" asks for none


class NoPlaceboError(NoDistractorError):
    """No sentence of a placebo is certified for a question; the message is one sentence."""


@dataclass(frozen=True)
class Placebo:
    """A named kind of text that adds length, or length and numbers, and nothing else. `carries` is what the certificate
    is told of its sentences."""

    name: str
    description: str
    carries: Carries


FILLER = Placebo("filler", "sentences without number or quantity, off topic, as long as the noise's", "nothing")
DIGITS = Placebo("digits", "the same, with numbers of as many digits that count nothing", "numbers")


def words_of(text: str) -> int:
    """Return the number of words of a text, split at white space: its length where no tokenizer is given."""
    return len(text.split())


def tolerance(length: int) -> int:
    """Return by how much the length of a placebo may differ from `length`: 1, or 5 %."""
    return max(1, length // 20)


def placebo_of(
    matched: NoisyProblem, features: QuestionFeatures, placebo: Placebo, name: str, length: Length | None = None
) -> NoisyProblem:
    """Return `matched` with a placebo sentence in place of each of its distractors, and the noise's name `name`.

    Each sentence is as long as its distractor, and all together are as long as all distractors, give or take
    `tolerance`. `length` counts the tokens of a text; without it words are counted. The draw depends on the seed, the
    placebo, the noise, `problem.id` and the text. Raises `NoPlaceboError` where no sentence is certified: with `digits`
    where the question asks for "the number".
    """
    counted = words_of if length is None else length

    def length_of(sentence: str) -> int:
        return counted(f" {sentence}")  # as it stands behind another sentence

    problem, question = matched.problem, matched.question
    if placebo.carries != "nothing" and _asks_for_a_number(problem, features):
        raise NoPlaceboError(
            f"problem {problem.id!r}: no sentence of the placebo {name!r} is certified, because the question asks for"
            " a number, and any number of a label could be meant"
        )
    parts = [question[start:stop] for start, stop in matched.spans]
    key = name.rstrip("0123456789")
    used: set[str] = set()
    sentences: list[str] = []
    error = 0  # by how many tokens or words the sentences so far are too long
    for number, part in enumerate(reversed(parts)):  # the last is the one of the smallest dose
        seed = f"{matched.seed}/{key}/{problem.id}" + (f"/distractor {number}" if number else "")
        rng = random.Random(seed.encode("utf-8", "surrogatepass"))
        wanted = length_of(part.strip())
        sentence = _certified(problem, features, placebo, part.strip(), wanted - error, length_of, used, rng, name)
        error += length_of(sentence) - wanted
        sentences.append(sentence)
    return _with_sentences(matched, sentences[::-1], name)


def _certified(
    problem: Problem,
    features: QuestionFeatures,
    placebo: Placebo,
    distractor: str,
    wanted: int,
    length: Length,
    used: set[str],
    rng: random.Random,
    name: str,
) -> str:
    """Return a certified sentence of about the `wanted` length, and add its words and numbers to those `used`."""
    magnitudes = [] if placebo.carries == "nothing" else magnitudes_of(distractor)
    carries: Carries = placebo.carries if magnitudes else "nothing"
    target = _target(problem)
    taken = numbers_of_problem(problem, features) if magnitudes else frozenset[str]()
    own = set(numbers_in_digits(number_words_to_digits(distractor)))
    best: tuple[int, str, set[str]] | None = None
    reason, allowed = None, tolerance(wanted)
    for attempt in range(MAX_DRAWS):
        if best is not None and (best[0] == 0 or (attempt >= _EXACT_DRAWS and best[0] <= allowed)):
            break
        old = used if attempt < MAX_DRAWS // 2 else set[str]()  # a word or number may recur where no other is left
        labels = _labels(magnitudes, taken | old | own if old is used else taken, rng)
        if labels is None:
            reason = "every number of that size is in the question or its answer"
            continue
        too_long = attempt >= _EXACT_DRAWS and attempt % 2 == 0
        drawn = sentence_of_length(Wanted(wanted, length, labels, too_long), features.meanings | old, rng)
        if drawn is None or (best is not None and abs(drawn.length - wanted) >= best[0]):
            continue
        refused = refusal_reason(features, drawn.text, carries, target)
        if refused is None:
            best = abs(drawn.length - wanted), drawn.text, drawn.words | set(labels)
        reason = refused or reason
    if best is None:
        raise NoPlaceboError(
            f"problem {problem.id!r}: no sentence of the placebo {name!r} is certified after {MAX_DRAWS} draws"
            + (f"; the last was refused because {reason}" if reason else "")
        )
    used |= best[2]
    return best[1]


def magnitudes_of(text: str) -> list[int]:
    """Return the count of digits before the decimal point of each number of a text, in order, number words included."""
    return [len(number.partition(".")[0]) for number in numbers_in_digits(number_words_to_digits(text))]


def numbers_of_problem(problem: Problem, features: QuestionFeatures) -> frozenset[str]:
    """Return the numbers that no label may show: those of the question, of the worked answer, and the target."""
    texts = (problem.question, problem.answer)
    in_words = {number for text in texts for number in numbers_in_digits(number_words_to_digits(text))}
    parsed = {str(abs(number.value)) for text in texts for number in numbers_in(text)}
    target = _target(problem)
    return features.numbers | in_words | parsed | ({str(abs(target))} if target is not None else set())


def _labels(magnitudes: Collection[int], taken: Collection[str], rng: random.Random) -> list[str] | None:
    """Return a number of each count of digits, none of them `taken` and all different; None where there is none."""
    labels: list[str] = []
    for digits in magnitudes:
        low, high = 10 ** (digits - 1), 10**digits
        drawn = (str(low + int(rng.random() * (high - low))) for _ in range(40))
        free = (label for label in (*drawn, *("0" * (digits == 1))) if label not in taken and label not in labels)
        label = next(free, None)
        if label is None:
            return None
        labels.append(label)
    return labels


def _asks_for_a_number(problem: Problem, features: QuestionFeatures) -> bool:
    """Return whether what the question asks for is a number as such: "What is the larger number?", but not "What is
    the number of pears?"."""
    words = [word.text for word in tokenize(problem.question[features.insertion_point :])]
    return "numbers" in features.open_references or any(
        word in _WORDS_OF_NUMBERS and following != "of" and before not in _ROUNDED_TO
        for before, word, following in zip(["", *words], words, [*words[1:], "?"], strict=False)
    )


def _target(problem: Problem) -> Fraction | None:
    try:
        return problem.target
    except ValueError:
        return None


def _with_sentences(matched: NoisyProblem, sentences: Collection[str], name: str) -> NoisyProblem:
    """Put the sentences into the spans of `matched`, each with the separators that its distractor has."""
    text, end, spans = "", 0, list[tuple[int, int]]()
    for (start, stop), sentence in zip(matched.spans, sentences, strict=True):
        part = matched.question[start:stop]
        text += matched.question[end:start]
        first = len(text)
        text += part[: len(part) - len(part.lstrip())] + sentence + part[len(part.rstrip()) :]
        spans.append((first, len(text)))
        end = stop
    return replace(matched, noise=name, question=text + matched.question[end:], spans=tuple(spans))
