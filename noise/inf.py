"""`inf`: irrelevant facts, with numbers that belong to somebody or something else."""

from __future__ import annotations

import random

from noise.inf_templates import NEUTRAL, TEMPLATES
from noise.proposals import Noise, Proposal, Template, draw
from noise.template_pool import TemplatePool
from noise.text.question_features import QuestionFeatures

_POOL = TemplatePool(TEMPLATES, Template.fill)


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(_POOL.fitting(features), rng).fill(rng)


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(NEUTRAL, rng).fill(rng)


INF = Noise(
    name="inf",
    description="irrelevant facts: numbers that belong to somebody or something else",
    carries="numbers",
    propose=_propose,
    neutral=_neutral,
)
