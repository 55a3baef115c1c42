"""`ic`: a designed experiment on what makes a fact distract, after GSM-IC: topic, role and range (`noise.ic_design`).

Each draw of a problem has one of the eight cells. Where none of its sentences is certified, the nearest cell is taken,
and the record has that one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import ceil, floor

from noise.ic_design import CELLS, FACTORS, DesignCell, cell_of, design_cell
from noise.ic_templates import ABOUT, ABOUT_PICTURED, COUNTED, NOBODY, NOBODY_SINGULAR, OWNED, SINGULAR
from noise.inf import INF
from noise.proposals import Noise, Proposal, Propose, Template, draw
from noise.scene_slots import ABSTRACT_KINDS, TOWNS, scene_noun, somebody_close, with_article
from noise.text.asked_scene import asked_scene
from noise.text.filler_vocabulary import BAKED, COLLECTED, CROPS, FARM_ANIMALS, PLANTS, THINGS
from noise.text.noun_lexicon import LEXICON, NounEntry, meaning
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import word_list

_TRIES = 12  # sentences that are made until one has the cell
_WIDEST = 2_000  # numbers are drawn from no wider range
_OWNED_KINDS = frozenset(
    word_list("toy paper stationery picture clothing jewelry container instrument gift fruit vegetable sweet food")
)
#: What a sentence off the topic speaks of.
_OFF_TOPIC = tuple(
    dict.fromkeys(
        LEXICON[word]
        for word in (*THINGS, *COLLECTED, *BAKED, *CROPS, *PLANTS, *FARM_ANIMALS)
        if word in LEXICON and not LEXICON[word].mass
    )
)


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
    plural = "plural" in features.open_references
    entry, word = scene_noun(features, random.Random(0))
    topic = bool(word) and not (plural and (entry is None or entry.mass or entry.kind in ABSTRACT_KINDS))
    return (("in", "off") if topic else ("off",), (*roles, "none"), ("in", "out") if _inside(features) else ("out",))


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
        if cell_of(features, proposal.text) == cell:
            return proposal.at(cell.text(fixed))
    return None


def _sentence(features: QuestionFeatures, rng: random.Random, cell: DesignCell) -> Proposal | None:
    """Return a sentence that is made for a cell, and may have another, as where its template has a word in common."""
    scene = asked_scene(features)
    number = _NUMBERS[cell.range](features, rng)
    entry, plural = scene_noun(features, rng)
    group = _group(scene.owned, entry)
    if cell.topic == "off":
        entry = _off_topic(features, rng)
        plural = "" if entry is None else entry.plural
    if number is None or not plural or (cell.role == "own" and not (scene.person and scene.kin)):
        return None
    values = {"n": number, "things": plural, "town": draw(TOWNS, rng)}
    singular = "plural" in features.open_references
    if singular:
        if entry is None:
            return None
        values["a_thing"] = with_article(entry.singular)
    if cell.role == "none":
        return draw(NOBODY_SINGULAR if singular else NOBODY, rng).fill(rng, values)
    if cell.role == "other" and not scene.strangers:
        return None
    values["who"] = somebody_close(scene, rng) if cell.role == "own" else draw(scene.strangers, rng)
    return draw(SINGULAR if singular else group, rng).fill(rng, values)


def _group(owned: bool, noun: NounEntry | None) -> tuple[Template, ...]:
    """Return the templates for a question, whatever the cell: by whether it names an owner, and by its noun."""
    kind = noun.kind if noun is not None else ""
    if owned and not (noun is not None and noun.mass):
        return OWNED if kind in _OWNED_KINDS else COUNTED
    return ABOUT if kind in ABSTRACT_KINDS else ABOUT_PICTURED


def _off_topic(features: QuestionFeatures, rng: random.Random) -> NounEntry | None:
    """Return a noun of a kind that the question has no noun of."""
    kinds = {noun.entry.kind for noun in (*features.nouns, *features.other_nouns)}
    for _ in range(_TRIES):
        entry = draw(_OFF_TOPIC, rng)
        if entry.kind not in kinds and meaning(entry.singular) not in features.meanings:
            return entry
    return None


def _inside(features: QuestionFeatures) -> tuple[int, int] | None:
    """Return the ends of the question's range, where a whole number lies between them that is none of its own."""
    known = features.values
    if not known:
        return None
    low = max(2, ceil(known[0]))
    high = min(floor(known[-1]), low + _WIDEST)
    taken = sum(low <= number <= high and number == int(number) for number in set(known))
    return (low, high) if high - low + 1 - taken > 0 else None


def _number_inside(features: QuestionFeatures, rng: random.Random) -> str | None:
    ends = _inside(features)
    return None if ends is None else f"{ends[0] + int(rng.random() * (ends[1] - ends[0] + 1)):,}"


def _number_outside(features: QuestionFeatures, rng: random.Random) -> str | None:
    """Return a number of two to five times the largest, or one below the smallest where the largest is very large."""
    known = features.values or (10.0,)
    low, high = 2 * ceil(known[-1]) + 1, 5 * ceil(known[-1]) + 20
    if known[-1] > _WIDEST and known[0] > 12:
        low, high = 3, min(ceil(known[0]) - 1, _WIDEST)
    return f"{low + int(rng.random() * (high - low + 1)):,}"


_NUMBERS: dict[str, Callable[[QuestionFeatures, random.Random], str | None]] = {
    "in": _number_inside,
    "out": _number_outside,
}


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
