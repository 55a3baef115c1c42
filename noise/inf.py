"""`inf`: irrelevant facts, with numbers that belong to somebody or something else."""

from __future__ import annotations

import random

from noise.inf_templates import ALL, MEASURED, NAMED, NAMED_AND_MEASURED, NEUTRAL, NO_SUBJECT, WITHOUT_NAMES
from noise.proposals import Noise, Proposal, Template, draw
from noise.text.question_features import QuestionFeatures


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(_pool(features), rng).fill(rng)


def _pool(features: QuestionFeatures) -> tuple[Template, ...]:
    """Return the templates that suit what the question refers back to; of the others the most would be refused."""
    references = features.open_references
    no_newcomer = "person" in references or features.mentions_group
    if "plural" in references:
        return MEASURED if no_newcomer else MEASURED + NAMED_AND_MEASURED
    if "thing" in references:
        return NO_SUBJECT if no_newcomer else NAMED + NO_SUBJECT
    return WITHOUT_NAMES if no_newcomer else ALL


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(NEUTRAL, rng).fill(rng)


INF = Noise(
    name="inf",
    description="irrelevant facts: numbers that belong to somebody or something else",
    carries="numbers",
    propose=_propose,
    neutral=_neutral,
)
