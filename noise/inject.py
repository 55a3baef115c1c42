"""Putting a certified distractor into a question."""

from __future__ import annotations

import difflib
import random
from fractions import Fraction

from noise.certify import refusal
from noise.problems import NoisyProblem, Problem
from noise.proposals import Noise, Proposal
from noise.registry import NOISES
from noise.scene import read

TRIES = 60
"""How often a noise may propose before its neutral sentences are asked."""
NEUTRAL_TRIES = 200


def inject(problem: Problem, name: str, seed: int = 0) -> NoisyProblem:
    """`problem` with one distractor of the noise `name` in front of the sentence that asks.

    The draw depends on `seed`, `name` and `problem.id` alone, besides the text. Raises `ValueError` for a noise that
    `NOISES` does not have, and `RuntimeError` where no sentence is certified for the question, which no known text
    brings about.
    """
    noise = NOISES.get(name)
    if noise is None:
        near = difflib.get_close_matches(str(name).lower(), NOISES, n=1, cutoff=0.0)
        raise ValueError(f"unknown noise {name!r}: expected one of {', '.join(NOISES)}; the nearest is {near[0]!r}")
    return _insert(problem, noise, choose(problem, noise, seed).text, seed)


def choose(problem: Problem, noise: Noise, seed: int) -> Proposal:
    """The certified proposal that `inject` puts in. Raises as `inject` does."""
    rng = random.Random(f"{seed}/{noise.name}/{problem.id}".encode("utf-8", "surrogatepass"))
    question = problem.question
    scene = read(question)
    target = _target(problem)
    reason = None
    for attempt in range(TRIES + NEUTRAL_TRIES):
        proposal = (noise.propose if attempt < TRIES else noise.neutral)(scene, rng)
        reason = refusal(question, proposal.text, noise.carries, target)
        if reason is None:
            return proposal
    raise RuntimeError(
        f"problem {problem.id!r}: no sentence of the noise {noise.name!r} is certified after {TRIES + NEUTRAL_TRIES} "
        f"proposals; the last, {proposal.text!r}, was refused because {reason}"
    )


def _target(problem: Problem) -> Fraction | None:
    """The target, or None for a problem that has none yet: noise can be added to a bare question."""
    try:
        return problem.target
    except ValueError:
        return None


def _insert(problem: Problem, noise: Noise, sentence: str, seed: int) -> NoisyProblem:
    question = problem.question
    at = read(question).at
    before = " " if at and not question[at - 1].isspace() else ""
    after = " " if at < len(question) and not question[at].isspace() else ""
    added = before + sentence + after
    return NoisyProblem(
        problem=problem,
        noise=noise.name,
        question=question[:at] + added + question[at:],
        spans=((at, at + len(added)),),
        seed=seed,
    )
