"""`near`: a fact of the problem's own scene, about somebody who is not asked about: `Bob's sister has 9 eggs.`

The nearest level that is certified for a question is taken:

- `asked`: a relative or an acquaintance of the problem's own person has some of what is asked for;
- `scene`: such a person does something else, with the question's things in it, and another thing is counted;
- `topic`: the question's things are what something else is about, and that is counted.

What none of them suits gets an irrelevant fact, and the level `far`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from noise.inf import INF
from noise.near_templates import (
    AGE,
    ASKED,
    ASKED_UNITS,
    MONEY,
    MONEY_FOR_THINGS,
    PARTS,
    SCENE_OF_ANYTHING,
    SCENE_OF_THINGS,
    SCENE_SINGULAR,
    SEEN,
    TOPIC_OF_ANYTHING,
    TOPIC_OF_THINGS,
    TOPIC_SINGULAR,
)
from noise.proposals import Noise, Proposal, Template, draw
from noise.scene_slots import ABSTRACT_KINDS, NO_THINGS, TOWNS, scene_noun, somebody_close, with_article
from noise.text.asked_scene import AskedScene, asked_scene
from noise.text.noun_lexicon import LEXICON
from noise.text.noun_lists import AMBIGUOUS_NOUNS
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import UNITS, word_list

_WIDEST = 2_000  # numbers are drawn from no wider range
#: Nouns of things that nobody has without the whole.
_PARTS_OF_THINGS = frozenset(
    word_list("page slice sheet chapter piece leg wheel step lap seat story floor tire window")
)
#: From which age on somebody is an uncle, in a story that nobody stumbles over.
_LEAST_AGES = {"uncle": 20, "aunt": 20, "godfather": 20, "godmother": 20}
_LEAST_AGES |= {"grandfather": 45, "grandmother": 45}
_OF_ADULTS = frozenset(word_list("coworker roommate nephew niece"))
#: Kinds of thing that are bought and sold in word problems.
_BOUGHT = frozenset(
    word_list(
        """
        toy paper stationery picture clothing jewelry furniture container tool instrument device gift fruit vegetable
        sweet food drink flower plant vehicle stuff wear goods
        """
    )
)
_NOT_BOUGHT = frozenset(word_list("money mail homework trash garbage recycling laundry dirt ice water rain snow coin"))
_NOT_COUNTED = frozenset(word_list("calories gigabytes megabytes figures people owners jacks bars"))
_MEASURES = (
    ("time", frozenset(word_list("time long hours minutes days weeks months hour minute day week month"))),
    ("length", frozenset(word_list("far distance miles feet inches meters yards tall"))),
    ("weight", frozenset(word_list("weigh weight pounds ounces kilograms grams"))),
    ("volume", frozenset(word_list("gallons liters"))),
)


def number_in_range(features: QuestionFeatures, rng: random.Random, highest: int = 10**9) -> str:
    """Return a whole number between the smallest and the largest of the question, as text; at most `highest`."""
    known = sorted(map(float, features.values)) or [3.0, 20.0]
    low = max(3, int(known[0]) + 1)
    high = min(max(int(known[-1]) - 1, low + 9), low + _WIDEST, highest)
    low = low if low <= high else 3
    return f"{low + int(rng.random() * (high - low + 1)):,}"


def _numbers(features: QuestionFeatures, rng: random.Random) -> dict[str, str]:
    number = number_in_range(features, rng)
    tens = number if len(number) < 3 else number_in_range(features, rng, 99)
    return {"n": number, "tens": tens, "hundreds": number if len(number) < 4 else number_in_range(features, rng, 999)}


def _propose_asked(features: QuestionFeatures, rng: random.Random) -> Proposal | None:
    scene = asked_scene(features)
    if not (scene.owned and scene.person and scene.kin) or scene.heads or "who" in features.open_references:
        return None
    group = _asked_templates(features, scene)
    if group is None:
        return None
    numbers, kin = _numbers(features, rng), scene.kin
    if group is AGE:  # a child has no coworker, nor often a niece
        kin = tuple(word for word in kin if word not in _OF_ADULTS and int(numbers["tens"]) >= _LEAST_AGES.get(word, 0))
    if not kin:
        return None
    values = {"owner": somebody_close(scene, rng, kin), **numbers, "things": scene.plural}
    if group is MONEY and "plural" not in features.open_references:
        thing, _ = scene_noun(features, rng)
        if thing is not None and thing.kind in _BOUGHT and thing.singular not in _NOT_BOUGHT:
            group, values["things"] = MONEY_FOR_THINGS, thing.plural
    return draw(group, rng).fill(rng, values).at("asked")


def _asked_templates(features: QuestionFeatures, scene: AskedScene) -> tuple[Template, ...] | None:
    """Return the templates for what the question asks for; None where that is nothing that a person can have."""
    asking = features.asking
    if "old" in asking or "age" in asking:
        return AGE
    if scene.plural and scene.plural not in UNITS:
        if "plural" in features.open_references or scene.plural in NO_THINGS:
            return None
        entry = LEXICON.get(scene.plural)
        unsure = entry is not None and entry not in [noun.entry for noun in features.nouns]
        if unsure or scene.plural in _NOT_COUNTED:
            return None
        if entry is not None and entry.singular in _PARTS_OF_THINGS:
            return PARTS
        if entry is not None and entry.singular in AMBIGUOUS_NOUNS and entry.kind not in ABSTRACT_KINDS:
            return SEEN
        return ASKED.get(entry.kind if entry is not None else "", ASKED[""])
    for kind, words in _MEASURES:
        if not words.isdisjoint(asking):
            return ASKED_UNITS[kind]
    return MONEY if "money" in features.asked_kinds else None


def _propose_scene(features: QuestionFeatures, rng: random.Random) -> Proposal | None:
    scene = asked_scene(features)
    if not (scene.person and scene.kin) or scene.heads or "who" in features.open_references:
        return None
    values = {"owner": somebody_close(scene, rng), **_numbers(features, rng)}
    groups = (SCENE_OF_ANYTHING, SCENE_OF_ANYTHING + SCENE_OF_THINGS, SCENE_SINGULAR)
    return _about_things(features, rng, values, groups, "scene")


def _propose_topic(features: QuestionFeatures, rng: random.Random) -> Proposal | None:
    groups = (TOPIC_OF_ANYTHING, TOPIC_OF_ANYTHING + TOPIC_OF_THINGS, TOPIC_SINGULAR)
    # only a town is named after them, so the name of a dog or a surname will do
    person = asked_scene(features).person or next(iter(features.people), "")
    town = f"{person}'s town" if person and "town" not in features.meanings else draw(TOWNS, rng)
    return _about_things(features, rng, {"town": town, **_numbers(features, rng)}, groups, "topic")


def _about_things(
    features: QuestionFeatures,
    rng: random.Random,
    values: dict[str, str],
    groups: Sequence[tuple[Template, ...]],
    level: str,
) -> Proposal | None:
    """Fill a template about a noun of the question, if it has one.

    `groups` are the templates for any noun, for one that can be pictured, and for one before "they".
    """
    entry, plural = scene_noun(features, rng)
    if entry is not None:
        values |= {"things": entry.plural, "a_thing": with_article(entry.singular)}
    elif plural and "plural" not in features.open_references:
        values |= {"things": plural}
    else:
        return None
    pictured = entry is not None and entry.kind not in ABSTRACT_KINDS and entry.kind != "picture" and not entry.mass
    if "plural" in features.open_references:
        return draw(groups[2], rng).fill(rng, values).at(level) if pictured else None
    return draw(groups[pictured], rng).fill(rng, values).at(level)


def _far(features: QuestionFeatures, rng: random.Random) -> Proposal | None:
    proposal = INF.propose(features, rng)
    return None if proposal is None else proposal.at("far")


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return INF.neutral(features, rng).at("far")


NEAR = Noise(
    name="near",
    description="facts of the problem's own scene, about somebody who is not asked about",
    carries="scene",
    propose=_propose_asked,
    fallbacks=(_propose_scene, _propose_topic, _far),
    neutral=_neutral,
    by_default=False,
)
