"""`sd`: semantic distraction, sentences about the question's own things that carry no quantity and change nothing."""

from __future__ import annotations

import random

from noise.proposals import Noise, Proposal, Template, draw
from noise.sd_templates import (
    ANIMALS,
    FOOD,
    LOCATIONS,
    LORE,
    MASS_NOUNS,
    NEUTRAL,
    NOUN_AS_KIND,
    NOUN_AS_WORD,
    PEOPLE,
    PICTURES,
    PLANTS,
    TALK_PLURAL,
    TALK_SINGULAR,
    THINGS,
    WEATHER,
    WITH_NAME,
)
from noise.text.question_features import NounUse, QuestionFeatures
from noise.text.word_lists import word_list

#: By kind of noun, templates for that kind alone.
_BY_KIND: dict[str, tuple[Template, ...]] = {
    kind: group
    for kinds, group in (
        (
            "toy paper stationery picture clothing jewelry furniture container tool instrument device vehicle gift",
            THINGS,
        ),
        ("fruit vegetable sweet food drink", FOOD),
        ("animal bird fish insect", ANIMALS),
        ("flower plant", PLANTS),
        ("place house", LOCATIONS),
        ("person", PEOPLE),
    )
    for kind in kinds.split()
}
#: Kinds of noun that cannot be pictured.
_ABSTRACT = frozenset(word_list("idea notion sport work body group event message business pastime goods music"))

# Too general to be the subject while the question has a more specific noun.
_GENERAL = frozenset(
    word_list(
        """
        item thing morning evening afternoon price cost profit value point length width perimeter area time
        digit row subject record step throw score product good lap goal group person people man woman human male
        female member adult sheet bar order bill call text resident attendee participant sale money work season
        exam crew slice discount tax age class trip
        """
    )
)

# Kin and colleagues: "the brother" would need an owner.
_RELATIVES = frozenset(
    word_list(
        """
        brother sister mother father parent son daughter cousin uncle aunt grandmother grandfather sibling twin
        mom dad husband wife grandma grandpa nephew niece grandson granddaughter roommate coworker friend
        neighbor boss owner partner grandparent stepsister stepbrother godmother classmate teammate
        """
    )
)


def _subject(features: QuestionFeatures, rng: random.Random) -> NounUse | None:
    """Return a noun of the question: a specific thing if there is one, else a specific noun, else any."""
    pool: list[NounUse] = []
    for noun in features.nouns:
        if noun.entry.kind in _BY_KIND and noun.entry.kind != "person" and noun.entry.singular not in _GENERAL:
            pool.append(noun)
    pool = pool or [noun for noun in features.nouns if noun.entry.singular not in _GENERAL] or list(features.nouns)
    return draw(pool, rng) if pool else None


def _fitting_templates(features: QuestionFeatures, noun: NounUse) -> tuple[tuple[Template, ...], ...]:
    """Return groups of templates that fit the noun and the open references of the question."""
    open_it, open_they = "thing" in features.open_references, "plural" in features.open_references
    entry = noun.entry
    abstract = entry.kind in _ABSTRACT or entry.kind == "person"
    if entry.mass:
        if open_they:
            return (MASS_NOUNS,) if open_it else (MASS_NOUNS, TALK_SINGULAR)
        return (TALK_PLURAL, MASS_NOUNS) if open_it else (TALK_SINGULAR, TALK_PLURAL, MASS_NOUNS)
    if open_they:
        return (NOUN_AS_WORD,) if abstract else (NOUN_AS_KIND, NOUN_AS_WORD)
    named = WITH_NAME if len(features.people) == 1 == len(features.proper_names) and not abstract else ()
    if open_it:
        return (TALK_PLURAL, named) if abstract else (TALK_PLURAL, LORE, named)
    by_kind = () if entry.singular in _RELATIVES else _BY_KIND.get(entry.kind, ())
    if abstract:
        return (TALK_SINGULAR, TALK_PLURAL, by_kind, named)
    return (PICTURES, TALK_SINGULAR, TALK_PLURAL, LORE, by_kind, named)


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    noun = _subject(features, rng)
    if noun is None:
        return draw(WEATHER, rng).fill(rng)
    groups = _fitting_templates(features, noun)
    index = int(rng.random() * sum(map(len, groups)))
    for group in groups:
        if index < len(group):
            return group[index].fill(rng, _slot_values(features, noun))
        index -= len(group)
    raise AssertionError("the index is drawn below the number of templates")


def _slot_values(features: QuestionFeatures, noun: NounUse) -> dict[str, str]:
    entry = noun.entry
    return {
        "noun": entry.singular,
        "nouns": entry.plural,
        "form": entry.plural if noun.plural else entry.singular,
        "was": "were" if noun.plural and not entry.mass else "was",
        "name": "".join(features.people[:1]),
    }


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(NEUTRAL, rng).fill(rng)


SD = Noise(
    name="sd",
    description="semantic distraction: the question's own things, without a quantity",
    carries="nothing",
    propose=_propose,
    neutral=_neutral,
)
