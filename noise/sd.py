"""`sd`: semantic distraction, sentences about the question's own things that carry no quantity and change nothing."""

from __future__ import annotations

import random

from noise.proposals import Noise, Proposal, draw
from noise.sd_kinds import ANY_WORD, BY_KIND, BY_NOUN, TALK_GROUPS, is_plural
from noise.sd_person_templates import NAME_ALONE
from noise.sd_talk_templates import NEUTRAL, WEATHER
from noise.text.clashes_with_question import in_another_sense
from noise.text.given_names import GIVEN_NAMES
from noise.text.noun_lists import PEOPLE_NOUNS
from noise.text.question_features import QuestionFeatures
from noise.text.question_nouns import NounUse
from noise.text.unfitting_frames import unfitting
from noise.text.word_lists import word_list

# Too general to be the subject while the question has a more specific noun.
_GENERAL = frozenset(
    word_list(
        """
        item thing morning evening afternoon price cost profit value point length width perimeter area time digit row
        subject record step throw score product good lap goal group person people man woman human male female member
        adult sheet bar order bill call text resident attendee participant sale money work season exam crew slice
        discount tax age class trip distance speed amount weekend birthday height weight half unit object figure
        traffic sleep calorie penny nickel dime coin exercise hair weather health laughter total rank width foot
        """
    )
)

# Of these nothing can be said without what they belong to.
_MEASURES = frozenset(
    word_list(
        """
        age speed distance height weight length width perimeter area time amount total travel sleep traffic exercise
        calorie rank half unit triangle rectangle circle discount tax coupon sale
        elevation temperature growth mileage digit percent rest average
        """
    )
)

# Kin and colleagues: "the brother" would need an owner.
_RELATIVES = frozenset(
    word_list(
        """
        brother sister mother father parent son daughter cousin uncle aunt grandmother grandfather sibling twin
        mom dad husband wife grandma grandpa nephew niece grandson granddaughter roommate coworker friend
        neighbor boss owner partner grandparent stepsister stepbrother godmother classmate teammate child kid baby
        family grandchild lady fan
        """
    )
)


def _subject(features: QuestionFeatures, rng: random.Random) -> NounUse | None:
    """Return a noun of the question that stands for its thing: a specific one if there is one."""
    no_person = "person" in features.open_references
    relative = [
        noun
        for noun in features.nouns
        if noun.entry.singular not in _MEASURES
        and (noun.plural or not _is_someone(noun, no_person))
        and in_another_sense(features, (noun.entry.singular,)) is None
    ]
    pool = [noun for noun in relative if _is_specific(noun)]
    pool = pool or [noun for noun in relative if noun.entry.singular not in _GENERAL] or relative
    if "plural" in features.open_references:
        pool = [noun for noun in pool if not is_plural(noun)] or [
            noun for noun in relative if not is_plural(noun) and noun.entry.singular not in _GENERAL
        ]
    return draw(pool, rng) if pool else None


def _is_someone(noun: NounUse, person_is_open: bool) -> bool:
    """Return whether a singular would be somebody that a later "she" could mean, or somebody's brother."""
    return noun.entry.singular in _RELATIVES or (person_is_open and noun.entry.kind == "person")


def _is_specific(noun: NounUse) -> bool:
    entry = noun.entry
    return (entry.kind in BY_KIND or entry.singular in BY_NOUN) and entry.singular not in _GENERAL


def _person(features: QuestionFeatures) -> str:
    """Return the question's only person, if that is one: "Termites" is not."""
    only = features.people[0] if len(features.people) == 1 == len(features.proper_names) else ""
    return only if only in GIVEN_NAMES else ""


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    noun, name = _subject(features, rng), _person(features)
    references = features.open_references
    asks_for_people = not PEOPLE_NOUNS.isdisjoint(features.asked_nouns)
    situation = ("thing" in references, "plural" in references, asks_for_people)
    if noun is not None:
        groups = BY_NOUN.get(noun.entry.singular) or BY_KIND.get(noun.entry.kind, TALK_GROUPS)
        by_name = bool(name) and rng.random() < 0.4
        proposal = groups[by_name].propose(noun, name, situation, rng) or TALK_GROUPS[by_name].propose(
            noun, name, situation, rng
        )
        if proposal is not None and (groups is not TALK_GROUPS or unfitting(proposal.text) is None):
            return proposal  # of a noun that nobody talks of, the word is left
    words = [
        noun
        for noun in (*features.nouns, *features.other_nouns)
        if not ("person" in references and _is_someone(noun, True))
    ]
    if words and not (name and rng.random() < 0.4):
        noun = draw(words, rng)
        proposal = ANY_WORD.propose(noun, name, situation, rng)
        if proposal is not None:
            return proposal
    return draw(NAME_ALONE, rng).fill(rng, {"name": name}) if name else draw(WEATHER, rng).fill(rng)


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(NEUTRAL, rng).fill(rng)


SD = Noise(
    name="sd",
    description="semantic distraction: the question's own things, without a quantity",
    carries="nothing",
    propose=_propose,
    neutral=_neutral,
)
