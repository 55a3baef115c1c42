"""Insert certified distractors into a question."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from fractions import Fraction

from noise.certify import refusal_reason
from noise.placebo_names import split_placebo
from noise.placebo_sentences import Length
from noise.placebos import placebo_of
from noise.placement import LAST, Placement
from noise.problems.problem import NoisyProblem, Problem
from noise.proposals import NoDistractorError, Noise, Proposal
from noise.registry import find_noise, find_placebo
from noise.text.distractor_features import distractor_features
from noise.text.noun_lexicon import meaning
from noise.text.question_features import QuestionFeatures
from noise.text.worked_numbers import WorkedNumbers

MAX_PROPOSALS = 60
"""After this many rejected proposals, the noise's `neutral` supplies sentences."""
MAX_NEUTRAL_PROPOSALS = 200


def inject(
    problem: Problem,
    name: str,
    seed: int = 0,
    features: QuestionFeatures | None = None,
    length: Length | None = None,
    placement: Placement = LAST,
) -> NoisyProblem:
    """Return `problem` with distractors of the noise `name` before its asking sentence, or before the first number
    where the question goes on with one of its numbers. `placement` names other positions.

    There is one distractor, or as many different ones as a number after the name says: `inf4` has the one of `inf`,
    and three more before it. The draw depends on `seed`, the noise, `problem.id` and the text alone. `features` are
    those of `problem.question`, for a caller that injects several noises; without them they are computed.

    A placebo, such as `filler:inf`, has a sentence in place of each distractor of that noise's draw, which is as long:
    in tokens, as `length` counts them in a text, or in words where that is None.

    Raises `ValueError` for a name that is not in `NOISES` or `PLACEBOS`, and `NoDistractorError` where no sentence is
    certified for the question: with one distractor only where it asks about its own text, as in "the sum of these
    numbers". Where `digits` finds none it is a `NoPlaceboError`.
    """
    noise, dose = find_noise(name)
    known, features = features, placement.features(problem, seed, features)
    placebo = find_placebo(name)
    if placebo is not None:
        matched = inject(problem, split_placebo(name)[1], seed, known, placement=placement)
        return placebo_of(matched, features, placebo, name, length)
    proposals: list[Proposal] = []
    for number in range(dose):
        proposals.append(certified_proposal(problem, features, noise, seed, number, proposals))
    return _with_sentences(problem, features.insertion_point, proposals[::-1], name, seed)


def certified_proposal(
    problem: Problem,
    features: QuestionFeatures,
    noise: Noise,
    seed: int,
    number: int = 0,
    used: Collection[Proposal] = (),
) -> Proposal:
    """Return the certified proposal that `inject` uses as distractor `number`, beside those `used`.

    It shares no template, number, name or noun of its own with them, unless the noise has no other.

    `features` are those of `problem.question`. Raises `NoDistractorError` as `inject` does.
    """
    key = f"{seed}/{noise.name}/{problem.id}" + (f"/distractor {number}" if number else "")
    rng = random.Random(key.encode("utf-8", "surrogatepass"))
    target, worked = _target(problem), WorkedNumbers(problem.answer)
    own_words = [_own_words(features, other) for other in used]
    reason, text, asked = "there is none for such a question", "", 0
    proposers = (*noise.proposers(features, problem.id, seed), noise.neutral)
    for strict, propose in zip((*[True] * (len(proposers) - 1), False), proposers, strict=True):
        for _ in range(MAX_PROPOSALS if strict else MAX_NEUTRAL_PROPOSALS):
            proposal = propose(features, rng)
            if proposal is None:
                break
            asked, text = asked + 1, proposal.text
            refused = refusal_reason(features, text, noise.carries, target, worked)
            if refused is None and used:
                refused = _repetition(features, proposal, used, own_words if strict else None)
            if refused is None:
                return proposal
            reason = refused
    raise NoDistractorError(
        f"problem {problem.id!r}: no {'other ' if used else ''}sentence of the noise {noise.name!r} is certified after"
        f" {asked} proposals; the last, {text!r}, was refused because {reason}"
    )


def _repetition(
    features: QuestionFeatures,
    proposal: Proposal,
    used: Collection[Proposal],
    own_words: Sequence[frozenset[str]] | None,
) -> str | None:
    """Return what a proposal repeats of those `used`; None if nothing. Without `own_words`, its text counts."""
    if any(proposal.text == other.text for other in used):
        return "it is in the question already"
    if own_words is None:
        return None
    if any(proposal.template == other.template for other in used):
        return "another distractor has its template"
    own = _own_words(features, proposal)
    repeated = next((own & others for others in own_words if own & others), None)
    return f"another distractor has its {min(repeated)!r}" if repeated else None


def _own_words(features: QuestionFeatures, proposal: Proposal) -> frozenset[str]:
    """Return the numbers, the names and the meanings of the nouns of a distractor that the question does not have."""
    distractor = distractor_features(proposal.text)
    words = {*distractor.numbers, *distractor.names, *distractor.place_names, *map(meaning, distractor.nouns)}
    return frozenset(words) - features.meanings


def _target(problem: Problem) -> Fraction | None:
    """Return the target, or None for a problem without one: noise can be added to a bare question."""
    try:
        return problem.target
    except ValueError:
        return None


def _with_sentences(
    problem: Problem, insertion_point: int, proposals: Sequence[Proposal], name: str, seed: int
) -> NoisyProblem:
    """Insert the sentences, each as a span of its own with a separator in it."""
    question = problem.question
    before = " " if insertion_point and not question[insertion_point - 1].isspace() else ""
    after = " " if insertion_point < len(question) and not question[insertion_point].isspace() else ""
    inserted, spans = before, list[tuple[int, int]]()
    for number, proposal in enumerate(proposals, start=1):
        start = insertion_point + len(inserted) if spans else insertion_point
        inserted += proposal.text + (" " if number < len(proposals) else after)
        spans.append((start, insertion_point + len(inserted)))
    return NoisyProblem(
        problem=problem,
        noise=name,
        question=question[:insertion_point] + inserted + question[insertion_point:],
        spans=tuple(spans),
        seed=seed,
        factors=tuple(proposal.factors for proposal in proposals) if proposals[0].factors else (),
        templates=tuple(proposal.template for proposal in proposals),
    )
