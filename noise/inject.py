"""Putting a certified distractor into a question."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from fractions import Fraction

from noise.certify import refusal
from noise.problems.problem import NoisyProblem, Problem
from noise.proposals import Noise, Proposal
from noise.registry import find_noise
from noise.text.question_features import read

TRIES = 60
"""How often a noise may propose before its neutral sentences are asked."""
NEUTRAL_TRIES = 200


def inject(problem: Problem, name: str, seed: int = 0) -> NoisyProblem:
    """`problem` with a distractor of the noise `name` in front of the sentence that asks, or with as many different
    ones as a number behind the name says: `inf4` has the one of `inf`, and three more in front of it.

    The draw depends on `seed`, the noise and `problem.id` alone, besides the text. Raises `ValueError` for a noise that
    `NOISES` does not have, and `RuntimeError` where no sentence is certified for the question, which no known text
    brings about with one distractor.
    """
    noise, dose = find_noise(name)
    drawn: list[str] = []
    for number in range(dose):
        drawn.append(choose(problem, noise, seed, number, drawn).text)
    return _insert(problem, name, drawn[::-1], seed)


def choose(problem: Problem, noise: Noise, seed: int, number: int = 0, taken: Collection[str] = ()) -> Proposal:
    """The certified proposal that `inject` puts in as its distractor `number`, none of those `taken`. Raises as
    `inject` does."""
    key = f"{seed}/{noise.name}/{problem.id}" + (f"/distractor {number}" if number else "")
    rng = random.Random(key.encode("utf-8", "surrogatepass"))
    question = problem.question
    scene = read(question)
    target = _target(problem)
    reason = None
    for attempt in range(TRIES + NEUTRAL_TRIES):
        proposal = (noise.propose if attempt < TRIES else noise.neutral)(scene, rng)
        reason = refusal(question, proposal.text, noise.carries, target)
        if reason is None and proposal.text not in taken:
            return proposal
        reason = reason or "it is in the question already"
    raise RuntimeError(
        f"problem {problem.id!r}: no {'other ' if taken else ''}sentence of the noise {noise.name!r} is certified after"
        f" {TRIES + NEUTRAL_TRIES} proposals; the last, {proposal.text!r}, was refused because {reason}"
    )


def _target(problem: Problem) -> Fraction | None:
    """The target, or None for a problem that has none yet: noise can be added to a bare question."""
    try:
        return problem.target
    except ValueError:
        return None


def _insert(problem: Problem, name: str, sentences: Sequence[str], seed: int) -> NoisyProblem:
    """The sentences in front of the one that asks, each a span of its own with a separator in it."""
    question = problem.question
    at = read(question).at
    before = " " if at and not question[at - 1].isspace() else ""
    after = " " if at < len(question) and not question[at].isspace() else ""
    added, spans = before, list[tuple[int, int]]()
    for number, sentence in enumerate(sentences, start=1):
        start = at + len(added) if spans else at
        added += sentence + (" " if number < len(sentences) else after)
        spans.append((start, at + len(added)))
    return NoisyProblem(
        problem=problem,
        noise=name,
        question=question[:at] + added + question[at:],
        spans=tuple(spans),
        seed=seed,
    )
