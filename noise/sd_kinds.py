"""What `sd` says of which kind of noun."""

from __future__ import annotations

import random

from noise.proposals import Proposal, Template, draw
from noise.sd_person_templates import (
    CREATURES_OF_NAME,
    EDIBLES_OF_NAME,
    EVENTS_OF_NAME,
    LOCATIONS_OF_NAME,
    PASTIMES_OF_NAME,
    PEOPLE_OF_NAME,
    READING_OF_NAME,
    TALK_OF_NAME,
    THINGS_OF_NAME,
)
from noise.sd_talk_templates import PASTIMES, TALK, WORDS, WORDS_SAFE
from noise.sd_templates import (
    BAKED,
    CREATURES,
    EDIBLES,
    EVENTS,
    INDOORS,
    LOCATIONS,
    PEOPLE,
    PETS,
    PLANTS,
    READING,
    THINGS,
)
from noise.text.distractor_features import distractor_features
from noise.text.noun_lexicon import meaning
from noise.text.question_nouns import NounUse
from noise.text.word_lists import word_list

_PEOPLE_WORDS = frozenset(map(meaning, word_list("people neighbors friends visitors family")))
_IN_FULL = {"tv": "television", "tvs": "televisions"}
#: Mass nouns that take a plural verb.
_PLURAL_KINDS = frozenset({"wear"})
_PLURAL_MASS = frozenset({"clothes", "groceries"})


def is_plural(noun: NounUse) -> bool:
    entry = noun.entry
    return noun.plural if not entry.mass else entry.kind in _PLURAL_KINDS or entry.singular in _PLURAL_MASS


def slot_values(noun: NounUse, name: str) -> dict[str, str]:
    entry, plural = noun.entry, is_plural(noun)
    form = entry.plural if plural else entry.singular
    return {
        "noun": entry.singular,
        "nouns": entry.plural,
        "form": _IN_FULL.get(form, form),
        "was": "were" if plural else "was",
        "look": "look" if plural else "looks",
        "have": "have" if plural else "has",
        "cover": "covers" if plural else "cover",
        "name": name,
    }


class Frames:
    """Templates for one kind of noun, and which of them suit what a question leaves open."""

    def __init__(self, frames: tuple[Template, ...]) -> None:
        self._all = frames
        self._fitting: dict[tuple[bool, bool, bool], tuple[Template, ...]] = {}

    def propose(
        self, noun: NounUse, name: str, situation: tuple[bool, bool, bool], rng: random.Random
    ) -> Proposal | None:
        """Return a random sentence that suits the situation and names the noun once; None without one."""
        if situation not in self._fitting:
            self._fitting[situation] = tuple(frame for frame in self._all if _suits(frame, *situation))
        fitting = self._fitting[situation]
        for _ in range(4 if fitting else 0):
            proposal = draw(fitting, rng).fill(rng, slot_values(noun, name))
            words = proposal.text.lower().rstrip(".").split()
            if [*map(meaning, words)].count(meaning(noun.entry.singular)) < 2:  # no books about books
                return proposal
        return None


def _suits(frame: Template, open_it: bool, open_they: bool, asks_for_people: bool) -> bool:
    """Return whether the words of a template give no later "it" or "they" another meaning, and name no people."""
    text = frame.text
    for slot, word in (("name", ""), ("was", "was"), ("form", "milk"), ("nouns", "milk"), ("people", "people")):
        text = text.replace(f"{{{slot}}}", word)
    features = distractor_features(text[0].upper() + text[1:])
    return not (
        (open_it and "thing" in features.antecedent_of)
        or (open_they and ("plural" in features.antecedent_of or "{nouns}" in frame.text))
        or (asks_for_people and not _PEOPLE_WORDS.isdisjoint(map(meaning, features.words)))
    )


Groups = tuple[Frames, Frames]
_THING: Groups = (Frames(THINGS), Frames(THINGS_OF_NAME))
_EDIBLE: Groups = (Frames(EDIBLES), Frames(EDIBLES_OF_NAME))
_READING: Groups = (Frames(READING), Frames(READING_OF_NAME))
TALK_GROUPS: Groups = (Frames(TALK), Frames(TALK_OF_NAME))
ANY_WORD = Frames(WORDS + WORDS_SAFE)
#: By kind of noun: the sentences about the thing, and those about the thing and the question's person.
BY_KIND: dict[str, Groups] = {
    kind: groups
    for kinds, groups in (
        (
            "toy paper stationery picture clothing jewelry furniture container tool instrument device vehicle gift"
            " wear",
            _THING,
        ),
        ("sweet food", (Frames(EDIBLES + BAKED), Frames(EDIBLES_OF_NAME))),
        ("fruit vegetable drink", _EDIBLE),
        ("animal", (Frames(CREATURES + PETS), Frames(CREATURES_OF_NAME))),
        ("bird fish insect", (Frames(CREATURES), Frames(CREATURES_OF_NAME))),
        ("flower plant", (Frames(PLANTS + THINGS), Frames(THINGS_OF_NAME))),
        ("place house", (Frames(LOCATIONS), Frames(LOCATIONS_OF_NAME))),
        ("person group", (Frames(PEOPLE), Frames(PEOPLE_OF_NAME))),
        ("event", (Frames(EVENTS + TALK), Frames(EVENTS_OF_NAME))),
        ("pastime", (Frames(PASTIMES), Frames(PASTIMES_OF_NAME))),
    )
    for kind in kinds.split()
}
#: Nouns of which less can be said than of others of their kind, or something else.
BY_NOUN: dict[str, Groups] = {
    noun: groups
    for nouns, groups in (
        (
            """
            milk juice lemonade tea coffee bread cheese pasta meat beef pork ham bacon honey jelly
            soup cereal popcorn chocolate cream yogurt icing frosting syrup spaghetti lettuce broccoli spinach
            celery seafood toast candy oatmeal granola fruit food
            """,
            _EDIBLE,
        ),
        (
            """
            book textbook magazine newspaper comic novel cookbook brochure dictionary
            """,
            _READING,
        ),
        (
            "room bedroom kitchen bathroom basement attic garage office classroom apartment closet hall auditorium gym"
            " cafeteria studio salon",
            (Frames(INDOORS), Frames(LOCATIONS_OF_NAME)),
        ),
        ("clothing jewelry furniture luggage pottery clothes", _THING),
        ("wall window door floor roof fence ceiling stair fireplace aquarium", (_THING[0], TALK_GROUPS[1])),
        ("seed leaf log acorn stump weed crop branch bush", _THING),
        (
            """
            game videogame slide swing story poem essay page chapter report website app video engine recipe ingredient
            meal snack feast staircase snowflake country state county planet ocean sea desert business highway parking
            camp court storm earthquake interview workout cookout lottery exam test quiz sale season project meeting
            flight ride relay homework mail money groceries stationery equipment baby toddler human spectator voter
            resident attendee participant member crew band tuna salmon trout cod chicken turkey duck lamb battery
            club league song lesson company troop herd flock society dice cards basketball football baseball
            """,
            TALK_GROUPS,
        ),
    )
    for noun in nouns.split()
}
