"""What the sentences of `ic` speak of: a noun of the question, or one that has nothing to do with it."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import NamedTuple

from noise.ic_templates import (
    ABOUT,
    HELD,
    NOBODY,
    NOBODY_PICTURED,
    NOBODY_SINGULAR,
    NOBODY_SINGULAR_PICTURED,
    PICTURED,
    SEEN,
    SINGULAR,
    SINGULAR_PICTURED,
    SizedTemplate,
)
from noise.proposals import draw
from noise.scene_slots import ABSTRACT_KINDS, NO_THINGS, UNTOLD, with_article
from noise.text.asked_scene import KIN, asked_scene
from noise.text.noun_lexicon import LEXICON, NounEntry, meaning
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import UNITS, word_list

_HELD_KINDS = frozenset(
    word_list("toy paper stationery picture clothing jewelry container instrument gift fruit vegetable sweet food tool")
)
_SEEN_KINDS = frozenset(word_list("animal bird fish insect flower plant vehicle house place"))
#: Nouns of these kinds that nobody carries home, or sees by the dozen.
_ONLY_TOLD = frozenset(
    word_list(
        """
        game videogame slide swing lego dice basketball baseball football bear trampoline page story poem essay chapter
        report letter meal snack lunch dinner breakfast recipe ingredient feast slice appetizer wrap salad tank barrel
        trunk sink bathtub locker case cart staircase flagpole billboard snowflake wheel tire pipe pole plank board
        tile chalkboard lawnmower matchstick sheet bar rod wire chain string sign lightbulb diaper bandage medal trophy
        curtain barbell food fruit sweet vegetable treat dessert
        animal pet plant seed leaf crop branch weed log stump acorn bulb vine herb bat mole bug
        room bedroom kitchen bathroom garage wall floor window door roof yard lawn backyard basement attic porch patio
        deck stair ceiling fireplace apartment fence business highway sidewalk county state country shore bay ocean sea
        desert parking planet camp court office classroom hall auditorium gym cafeteria sandbox kindergarten jail
        neighborhood camp pasture salon studio greenhouse vehicle
        """
    )
)
#: Nouns that mean more than one thing, so that no number of them is told: coats of paint, rings of a tree.
_MANY_SENSES = frozenset(word_list("coat level quarter rack ring cup glass key match plant pot bowl yard park club"))
#: Texts and the like, of which there are no pictures.
_NOT_PICTURED = frozenset(
    word_list("page story poem essay chapter report recipe meal snack lunch dinner breakfast game ingredient slice")
)
#: What a noun and a setting belong to, by kinds of noun and by words.
_DOMAINS = {
    "eating": (
        "fruit vegetable sweet food drink",
        """
        milk juice lemonade tea coffee bread butter cheese sugar flour salt rice pasta meat beef pork ham bacon honey
        jam jelly soup cereal popcorn corn wheat ketchup mustard mayonnaise cream yogurt icing frosting syrup spaghetti
        dough candy groceries grocery baker bakery chef cook waiter waitress restaurant diner cafe cafeteria kitchen
        supermarket market farm farmer orchard garden vineyard eat ate eaten eating buffet picnic hungry bake baked
        baking cooking oven stove fridge refrigerator freezer feed fed fork spoon knife plate dish bowl cup mug pan pot
        basket napkin tray jar harvest crop store
        """,
    ),
    "animals": (
        "animal bird fish insect",
        "zoo farm farmer vet veterinarian ranch rancher aquarium pasture stable shelter shepherd wool egg milk",
    ),
    "plants": ("flower plant", "gardener garden park farm farmer forest orchard yard lawn florist soil grass bouquet"),
    "clothing": (
        "clothing wear jewelry",
        """
        towel blanket pillow napkin clothes laundry washer dryer closet tailor wardrobe wear wore wearing fabric cloth
        wool yarn sew knitting mall
        """,
    ),
    "playing": (
        "toy sport pastime",
        "child baby toddler playground play played kindergarten party birthday arcade carnival circus team",
    ),
    "paper": (
        "paper stationery picture message",
        """
        school student teacher class classroom library librarian homework write wrote written writing read reading
        study studied exam test quiz college university author writer bookstore professor office art draw drew camera
        """,
    ),
    "household": (
        "furniture container tool",
        "bedroom bathroom towel kitchen bed house room clean wash hotel camping camp",
    ),
    "traffic": (
        "vehicle",
        """
        drive drove driver driving road street highway traffic garage mechanic travel trip airport gasoline gas station
        mile parking passenger pilot sailor harbor ride rode
        """,
    ),
    "buildings": ("house place", "builder architect carpenter landlord tenant rent mayor construction"),
}
_PORTABLE = word_list(
    """
    books pencils stickers crayons pens erasers notebooks folders bookmarks postcards comics envelopes marbles balloons
    dolls kites puzzles hats shirts socks scarves gloves belts mittens sweaters necklaces bracelets plates bowls
    baskets mugs spoons napkins candles towels blankets pillows umbrellas flags keys buttons badges rocks seashells
    cookies muffins brownies bagels pretzels potatoes carrots onions cucumbers radishes beets apples oranges peaches
    pears plums lemons strawberries
    """
)
_OUTDOORS = word_list(
    """
    cows horses pigs goats ducks geese rabbits squirrels frogs butterflies crows turtles foxes owls roses tulips daisies
    sunflowers lilies trees daffodils cars trucks buses bicycles boats wagons castles towers bridges
    """
)


class Topic(NamedTuple):
    """What a sentence speaks of: its plural, and its entry in the lexicon where that is sure."""

    plural: str
    entry: NounEntry | None

    @property
    def pictured(self) -> bool:
        """Whether there are pictures of it."""
        entry = self.entry
        if entry is None or entry.mass or entry.kind in ABSTRACT_KINDS:
            return False
        return entry.kind != "picture" and entry.singular not in _NOT_PICTURED and entry.singular not in KIN

    @property
    def singular(self) -> str:
        """With its article, unless it is a mass noun; empty where it is not sure."""
        if self.entry is None:
            return ""
        return self.entry.singular if self.entry.mass else with_article(self.entry.singular)


def singular_alone(features: QuestionFeatures) -> bool:
    """Return whether a later "they" could mean a plural of the sentence, which so has none."""
    return "plural" in features.open_references


def topic_of(features: QuestionFeatures, rng: random.Random) -> Topic | None:
    """Return a noun of the question, what "how many" asks for above all; None where nothing is told of any.

    A noun that is only a part of another thing's name, as in "fruit drinks", is none of the question's: it has no
    plural there.
    """
    plural = asked_scene(features).plural
    known = [noun.entry for noun in features.nouns if noun.entry.singular not in UNTOLD]
    concrete = [entry for entry in known if entry.kind not in ABSTRACT_KINDS]
    if plural and plural not in UNITS and plural not in NO_THINGS:
        asked = LEXICON.get(plural)
        if asked is None:
            return Topic(plural, None)
        if asked.singular not in UNTOLD and not (asked.kind in ABSTRACT_KINDS and concrete):
            return Topic(plural, asked if asked in known and asked.singular not in _MANY_SENSES else None)
    if known:
        entry = draw(concrete or known, rng)
        return Topic(entry.plural, None if entry.singular in _MANY_SENSES else entry)
    unsure = [noun.entry for noun in features.other_nouns if noun.plural and noun.entry.singular not in UNTOLD]
    return Topic(draw(unsure, rng).plural, None) if unsure else None


def other_topic(features: QuestionFeatures, stock: tuple[SizedTemplate, ...], rng: random.Random) -> Topic | None:
    """Return a noun that has nothing to do with the question, as far as the lexicon tells, for sentences of `stock`."""
    entries = other_nouns(features, stock)
    if not entries:
        return None
    entry = draw(entries, rng)
    return Topic(entry.plural, entry)


def other_nouns(features: QuestionFeatures, stock: tuple[SizedTemplate, ...]) -> tuple[NounEntry, ...]:
    """Return the nouns of no kind and no setting that the question has a word of, for sentences of `stock`."""
    words = word_list(" ".join((*(_PORTABLE if stock is not SEEN else ()), *(_OUTDOORS if stock is not HELD else ()))))
    return tuple(LEXICON[word] for word in words if word in _strange_words(features))


@lru_cache(maxsize=64)  # asked for at every proposal for a question
def _strange_words(features: QuestionFeatures) -> frozenset[str]:
    known = frozenset(domain for word in features.meanings for domain in _BELONGS.get(word, ()))
    kinds = {noun.entry.kind for noun in (*features.nouns, *features.other_nouns)}
    return frozenset(
        word
        for word in (*_PORTABLE, *_OUTDOORS)
        if known.isdisjoint(_BELONGS[meaning(word)]) and LEXICON[word].kind not in kinds
    )


def stock_for(features: QuestionFeatures, topic: Topic | None) -> tuple[SizedTemplate, ...]:
    """Return the templates with a person for a question, whatever the cell: by its owner and by its noun."""
    if singular_alone(features):
        return SINGULAR_PICTURED if topic is None or topic.pictured else SINGULAR
    stock = PICTURED if topic is None or topic.pictured else ABOUT
    entry = None if topic is None else topic.entry
    if entry is None or entry.mass or not asked_scene(features).owned or entry.singular in _ONLY_TOLD:
        return stock
    counted = HELD if entry.kind in _HELD_KINDS else SEEN if entry.kind in _SEEN_KINDS else stock
    return counted if other_nouns(features, counted) else stock


def nobodys_stock(features: QuestionFeatures, topic: Topic | None) -> tuple[SizedTemplate, ...]:
    """Return the templates without a person for a question, whatever the cell."""
    pictured = topic is None or topic.pictured
    if singular_alone(features):
        return NOBODY_SINGULAR_PICTURED if pictured else NOBODY_SINGULAR
    return NOBODY_PICTURED if pictured else NOBODY


def _belongs() -> dict[str, frozenset[str]]:
    """Return the domains of every word that has any, by its meaning."""
    domains: dict[str, set[str]] = {}
    for domain, (kinds, words) in _DOMAINS.items():
        of_kind = [word for word, entry in LEXICON.items() if entry.kind in kinds.split()]
        for word in (*of_kind, *words.split()):
            domains.setdefault(meaning(word), set()).add(domain)
    return {word: frozenset(of) for word, of in domains.items()}


_BELONGS = _belongs()
