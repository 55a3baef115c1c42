"""`ic`: a designed experiment on what makes a fact distract, after GSM-IC: topic, role and range (`noise.ic_design`).

Each draw of a problem has one of the eight cells. Where none of its sentences is certified, the nearest cell is taken,
and the record has that one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache, partial

from noise.ic_design import CELLS, FACTORS, DesignCell, cell_of, design_cell
from noise.ic_numbers import inside, number_at, sizes
from noise.ic_templates import PICTURED, bearing
from noise.ic_topics import nobodys_stock, other_nouns, other_topic, singular_alone, stock_for, topic_of
from noise.inf import INF
from noise.proposals import Noise, Proposal, Propose, draw
from noise.scene_slots import TOWNS, somebody_close
from noise.text.asked_scene import asked_scene
from noise.text.distractor_features import distractor_features
from noise.text.noun_lexicon import meaning
from noise.text.question_features import QuestionFeatures

_TRIES = 12  # sentences that are made until one has the cell


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal | None:
    return _in_cell(features, rng, draw(CELLS, rng))


def _design(features: QuestionFeatures, problem: str, seed: int) -> Sequence[Propose]:
    """Return what makes sentences of the cell that a draw should have, and of the nearest ones after it."""
    wanted = design_cell(problem, seed)
    free = free_factors(features)
    cells = sorted(_all_cells(features), key=partial(_distance, wanted))
    return (*(partial(_in_cell, cell=cell, wanted=wanted, free=free) for cell in cells), _far)


def _distance(wanted: DesignCell, cell: DesignCell) -> tuple[int, ...]:
    """Return how far a cell is from the one wanted: a number is given up before a topic, and a topic before a role."""
    changed = [level != other for level, other in zip(wanted, cell, strict=True)]
    return sum(changed), changed[1], changed[0], cell.role == "none"


@lru_cache(maxsize=64)  # asked for at every proposal for a question
def _levels(features: QuestionFeatures) -> tuple[tuple[str, ...], ...]:
    """Return the levels of each factor that some sentence may have beside a question."""
    scene = asked_scene(features)
    anybody = not scene.heads and "who" not in features.open_references
    roles = [*(["own"] if anybody and scene.person and scene.kin else [])]
    roles += ["other"] if anybody and scene.strangers else []
    topic = topic_of(features, random.Random(0))
    topics = ["in"] if topic is not None and (topic.singular or not singular_alone(features)) else []
    topics += ["off"] if other_nouns(features, PICTURED) else []
    return tuple(topics), (*roles, "none"), ("in", "out") if inside(features) else ("out",)


def free_factors(features: QuestionFeatures) -> frozenset[str]:
    """Return the factors of which a question leaves a choice of both levels of the design."""
    two = [len(set(levels) - {"none"}) > 1 for levels in _levels(features)]
    return frozenset(name for name, free in zip(FACTORS, two, strict=True) if free)


def _all_cells(features: QuestionFeatures) -> list[DesignCell]:
    topics, roles, ranges = _levels(features)
    return [DesignCell(topic, role, where) for topic in topics for role in roles for where in ranges]


def _in_cell(
    features: QuestionFeatures,
    rng: random.Random,
    cell: DesignCell,
    wanted: DesignCell | None = None,
    free: frozenset[str] = frozenset(FACTORS),
) -> Proposal | None:
    """Return a sentence that has the cell; None where none of a few has.

    Its factors are its own, and those that are fixed: what the question leaves no choice of, and what is not as wanted.
    """
    changed = {name for name, level, own in zip(FACTORS, wanted or cell, cell, strict=True) if level != own}
    fixed = set(FACTORS) - (free - changed)
    for _ in range(_TRIES):
        proposal = _sentence(features, rng, cell)
        if proposal is None:
            return None
        if cell_of(features, proposal.text) == cell and not _says_a_noun_twice(proposal.text):
            return proposal.at(cell.text(fixed))
    return None


def _says_a_noun_twice(sentence: str) -> bool:
    """Return whether a sentence is about books about books."""
    nouns = [*map(meaning, distractor_features(sentence).nouns)]
    return len(set(nouns)) < len(nouns)


def _sentence(features: QuestionFeatures, rng: random.Random, cell: DesignCell) -> Proposal | None:
    """Return a sentence that is made for a cell, and may have another, as where its template has a word in common."""
    scene = asked_scene(features)
    number = number_at(cell.range, features, rng)
    topic = topic_of(features, rng)
    stock, alone = stock_for(features, topic), nobodys_stock(features, topic)
    if cell.topic == "off":
        topic = other_topic(features, stock, rng)
    if number is None or topic is None or (cell.role == "own" and not (scene.person and scene.kin)):
        return None
    if singular_alone(features) and not topic.singular:
        return None
    values = {"n": number, "things": topic.plural, "a_thing": topic.singular, "town": draw(TOWNS, rng)}
    if cell.role == "other" and not scene.strangers:
        return None
    if cell.role != "none":
        values["who"] = somebody_close(scene, rng) if cell.role == "own" else draw(scene.strangers, rng)
    fitting = bearing(alone if cell.role == "none" else stock, *sizes(features))
    return draw(fitting, rng).fill(rng, values) if fitting else None


def _far(features: QuestionFeatures, rng: random.Random) -> Proposal | None:
    proposal = INF.propose(features, rng)
    return None if proposal is None else proposal.at(cell_of(features, proposal.text).text(FACTORS))


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    proposal = INF.neutral(features, rng)
    return proposal.at(cell_of(features, proposal.text).text(FACTORS))


IC = Noise(
    name="ic",
    description="a 2 × 2 × 2 design: facts on or off the topic, about somebody close or another, in range or out",
    carries="scene",
    propose=_propose,
    neutral=_neutral,
    by_default=False,
    design=_design,
)
