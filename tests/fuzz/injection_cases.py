"""The injectors: any question with any registered noise, at any dose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from noise import NOISES, NoisyProblem, Problem, inject, strip
from noise.certify import refusal_reason
from noise.inject import certified_proposal
from noise.problems.infer_distractor_spans import insertions
from noise.proposals import Noise
from noise.registry import find_noise
from noise.text.question_features import QuestionFeatures, question_features
from noise.text.question_segments import segments
from noise.text.sentence_splitting import sentence_starts
from tests.fuzz.certificate_cases import check_promises
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.random_texts import any_number, any_question, any_text, changed_text

_NUMBER_OR_WORD = re.compile(r"\d+(?:[.,/:]\d+)*|[^\W\d_]+")


@dataclass(frozen=True)
class InjectionCase:
    """A problem, a noise with its dose, a seed, and which claim is checked beside those of every case."""

    problem: Problem
    name: str
    seed: int
    claim: str


def draw(rng: Random) -> InjectionCase:
    """Return any problem, with a noise and a dose of one to four."""
    question = any_question(rng)
    if rng.random() < 0.3:
        question = changed_text(rng, question)
    answer = f"So it is.\n#### {any_number(rng)}" if rng.random() < 0.9 else any_text(rng, 9)
    name = rng.choice(tuple(NOISES)) + rng.choice(("", "", "", "2", "3", "4"))
    return InjectionCase(
        Problem(any_text(rng, 6), question, answer), name, rng.randrange(2**32), rng.choice(tuple(_CLAIMS))
    )


def check(case: InjectionCase) -> str:
    """Check one injection; the table in docs/reliability.md says the claims."""
    problem, question = case.problem, case.problem.question
    noise, dose = find_noise(case.name)
    features = question_features(question)
    try:
        noisy = inject(problem, case.name, case.seed, features)
    except RuntimeError:
        if _takes_none(noise, features):
            return "a question that speaks of its own text"
        assert dose > 1, "no other known text is without one distractor"
        return "too many distractors"
    assert not _takes_none(noise, features)
    assert (noisy.problem, noisy.noise, noisy.seed) == (problem, case.name, case.seed)
    assert len(noisy.spans) == dose
    start, stop = noisy.spans[0][0], noisy.spans[-1][1]
    assert [span[0] for span in noisy.spans] == [start, *(span[1] for span in noisy.spans[:-1])], "without a gap"
    assert (noisy.question[:start], noisy.question[stop:]) == (question[:start], question[start:]), "and nothing else"
    assert strip(noisy) == question
    _check_position(noisy, start, stop)
    target = None if "####" not in problem.answer else problem.target
    sentences = [noisy.question[begin:end].strip(" ") for begin, end in noisy.spans]
    assert len(set(sentences)) == dose
    for sentence in sentences:
        assert refusal_reason(features, sentence, noise.carries, target) is None
        check_promises(question, sentence, noise.carries, target)
    _CLAIMS[case.claim](case, noisy)
    return f"{noise.name} injected"


def _takes_none(noise: Noise, features: QuestionFeatures) -> bool:
    """Return whether the question goes on with any sentence of its text, or any number, as the noise has, or is in
    another language."""
    numbers = noise.carries != "nothing" and "numbers" in features.open_references
    return numbers or "text" in features.open_references or not features.english


def _check_position(noisy: NoisyProblem, start: int, stop: int) -> None:
    """A distractor stands between two sentences, apart from both by white space, and in no number or word."""
    question = noisy.problem.question
    assert start in sentence_starts(question)
    assert not any(part.start() < start < part.end() for part in _NUMBER_OR_WORD.finditer(question))
    assert start == 0 or noisy.question[start - 1].isspace() or noisy.question[start] == " "
    assert stop == len(noisy.question) or noisy.question[stop].isspace() or noisy.question[stop - 1] == " "


def _is_drawn_again(case: InjectionCase, noisy: NoisyProblem) -> None:
    """The same call gives the same text, and the words of the worked answer have no part in it."""
    again = Problem(case.problem.id, case.problem.question, f"Another way. {case.problem.answer}")
    assert inject(again, case.name, case.seed).question == noisy.question


def _contains_the_smaller_dose(case: InjectionCase, noisy: NoisyProblem) -> None:
    """The last distractor of a dose is that of one."""
    features = question_features(case.problem.question)
    proposal = certified_proposal(case.problem, features, find_noise(case.name)[0], case.seed)
    begin, end = noisy.spans[-1]
    assert noisy.question[begin:end].strip(" ") == proposal.text


def _is_one_segment(case: InjectionCase, noisy: NoisyProblem) -> None:
    """The segments cover the question without gaps; noise is what was inserted, and every digit elsewhere is key."""
    end, noise = 0, 0
    for segment in segments(noisy):
        assert segment.start == end < segment.stop
        end = segment.stop
        text = noisy.question[segment.start : segment.stop]
        noise += len(text) if segment.kind == "ni" else 0
        inside = noisy.spans[0][0] <= segment.start and segment.stop <= noisy.spans[-1][1]
        assert inside == (segment.kind == "ni")
        assert segment.kind != "oc" or not any(character.isdecimal() for character in text)
    assert (end, noise) == (len(noisy.question), noisy.spans[-1][1] - noisy.spans[0][0])


def _is_found_again(case: InjectionCase, noisy: NoisyProblem) -> None:
    """Without the spans, an alignment of the two texts finds insertions that give the question."""
    ranges = insertions(case.problem.question, noisy.question)
    assert ranges is not None
    assert strip(NoisyProblem(case.problem, "", noisy.question, ranges, 0)) == case.problem.question
    assert len(ranges) == 1


_CLAIMS = {
    "is drawn again": _is_drawn_again,
    "contains the smaller dose": _contains_the_smaller_dose,
    "is one segment": _is_one_segment,
    "is found again": _is_found_again,
}
INJECTIONS = FuzzTarget("injections", draw, check)
