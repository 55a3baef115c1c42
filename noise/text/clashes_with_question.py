"""What does not suit a question: a noun that has another sense there, and good cheer beside what is grim."""

from __future__ import annotations

import re
from collections.abc import Iterable

from noise.text.noun_lexicon import LEXICON, lemma, meaning
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import word_list

#: Nouns, and words of a question that show that another thing is called so: the wall of a box, an album of songs.
_OTHER_SENSES = {
    noun: frozenset(map(meaning, word_list(words)))
    for noun, words in {
        "album": "song songs music listen listening listens track tracks band singer radio",
        "wall": "thick container cube tree trees hedge volume",
        "tower": "block blocks lego legos cube cubes cards dominoes",
        "stick": "cheese butter gum dynamite",
        "ring": "tree trees bell phone boxing circus",
        "coat": "paint nail nails polish varnish",
        "bed": "flower flowers truck planting planted vegetables",
        "branch": "bank banks company store",
        "key": "piano keyboard",
        "nail": "polish manicure finger fingers toe toes",
        "plate": "license weight weights",
        "table": "multiplication chart",
        "palm": "hand hands",
        "ball": "gown prom",
        "leaf": "footprint footprints",
        "slide": "presentation microscope powerpoint",
        "dish": "satellite",
        "bar": "soap chocolate candy gold iron",
        "castle": "sand bouncy bounce",
        "pool": "table prize money carpool",
        "floor": "plan score",
        "star": "movie rock",
        "field": "study",
        "band": "rubber hair wedding",
        "box": "batter",
        "shelter": "tax",
        "island": "kitchen",
        "crane": "construction",
        "cabinet": "government minister",
        "pot": "poker",
        "seat": "election parliament",
        "party": "election vote votes political",
        "ruler": "kingdom king country",
        "player": "mp3 dvd cd vinyl",
        "parent": "whale whales cub cubs puppy puppies kitten kittens bird birds nest rabbit rabbits",
        "king": "chess bed mattress cards",
        "queen": "chess bed mattress cards bee bees",
        "mother": "plant plants",
        "baby": "plant plants beanie",
        "pin": "pinterest website bowling pinned",
        "string": "characters password code guitar violin",
        "head": "cattle lettuce broccoli cabbage",
        "tablet": "medicine pill pills doctor vitamin vitamins",
        "chip": "computer poker casino",
        "monitor": "hall lunch class",
        "bug": "software code program",
        "cookie": "browser website",
        "fan": "stadium football soccer baseball basketball concert team",
        "pitcher": "baseball inning innings",
        "bat": "baseball inning innings",
        "record": "world vinyl",
        "bank": "river food blood piggy",
        "bench": "press weights lifting",
        "plant": "power chemical factory manufacturing",
        "shell": "taco tacos pasta oyster oysters",
        "kid": "goat goats",
        "calf": "leg",
        "bear": "gummy teddy",
        "worm": "gummy",
        "fish": "tuna crackers",
        "soldier": "toy",
        "bridge": "tooth dentist card",
        "crown": "tooth dentist",
        "drum": "oil barrel",
        "tank": "army war",
        "boat": "gravy",
        "train": "training trained",
        "ship": "shipping shipped",
        "pet": "bottle",
    }.items()
}
#: What is said of people and animals that are well.
_CHEERFUL = re.compile(
    r"\b(?:good mood|playful mood|high spirits|smil(?:ing|ed)|sang a song|humming|likes? to laugh"
    r"|liked to (?:laugh|tell|talk|nap)|likes to (?:tell|joke)|friendly|happy|healthy|fond of music"
    r"|enjoyed the sunshine|slept well|playing for the|looking forward|polite|cheerful|liked the warm|lovely sight"
    r"|fun to watch|feeling great|chatting about music|glad about|waved to|joked about|jokes about)\b",
    re.I,
)
_GRIM = frozenset(
    map(
        meaning,
        word_list(
            """
            conflict conflicts attack attacks attacked war battle battles fight fights fighting fought kill killed
            kills killing die died dies dying dead death deaths grave graves funeral burned burnt burn burns chasing
            chased outrun monster handcuff handcuffs handcuffed injured injury injuries hurt hurts sick sickness
            disease diseases ill illness accident crash crashed jail prison prisoner prisoners arrested stolen steal
            steals stole thief thieves robber robbery robbed victim victims enemy enemies hunt hunts hunting hunted
            hunters poison poisonous bite bites bitten drowned starve starving covid pandemic virus infected zombie
            zombies lawsuit lawsuits sued surgery cancer flood tornado hurricane explosion bomb bombs divorce
            """
        ),
    )
)
#: What is said of living animals, and words of a question that has them on a plate.
_ALIVE = re.compile(
    r"\b(?:healthy|happy|lovely sight|fun to watch|watch(?:ing)? the|calm and quiet|warm weather|beautiful|draw"
    r"|friendly|playful|slept|curious about the visitors|nap in)\b",
    re.I,
)
_KITCHEN = frozenset(
    map(
        meaning,
        word_list(
            """
            cook cooks cooked cooking fry fried grill grilled roast roasted recipe meat fillet fillets sushi serve
            serves served menu restaurant supermarket grocery groceries sauce soup butcher canned lasagna fishmonger
            bacon pork ham beef sausage sausages
            fishing caught catch catches fisherman fishers
            """
        ),
    )
)
_ANIMALS = frozenset(("animal", "bird", "fish"))
_FEED = frozenset(word_list("food meat fruit fruits treat treats snack snacks vegetables meal meals"))
_FED = frozenset(map(meaning, word_list("feed feeds feeding fed zoo bait maggots compost")))
_TASTY = re.compile(r"\b(?:tast\w+|delicious|hungry|excited about|popular with|favorite|plate with|smell)\b", re.I)
_WEATHER = re.compile(r"\b(?:weather|breeze|sunshine|sunlight|birds|rain|clouds|sky|trees|street|bell)\b", re.I)
_SPACE = frozenset(map(meaning, word_list("spaceship spacecraft astronaut mars jupiter galaxy asteroid martian orbit")))
_MASSES = frozenset(
    word_list(
        "people residents citizens voters humans inhabitants employees workers soldiers men women children adults"
    )
)
_CROWD = 1_000  # so many people have no common mood


def in_another_sense(features: QuestionFeatures, nouns: Iterable[str]) -> str | None:
    """Return a noun of a sentence for which a question has a word that shows another sense; None if there is none."""
    return next((noun for noun in nouns if not features.meanings.isdisjoint(_OTHER_SENSES.get(lemma(noun), ()))), None)


def weather_in_space(features: QuestionFeatures, sentence: str) -> bool:
    """Return whether a sentence has weather, birds or sunshine where a question is in space."""
    return _WEATHER.search(sentence) is not None and not _SPACE.isdisjoint(features.meanings)


def fed_to_animals(features: QuestionFeatures, sentence: str, nouns: Iterable[str]) -> bool:
    """Return whether a sentence praises the taste of food where a question feeds animals."""
    if not _TASTY.search(sentence):
        return False
    if not _FED.isdisjoint(features.meanings):
        return True
    return not _FEED.isdisjoint(nouns) and any(
        noun.entry.kind in _ANIMALS for noun in (*features.nouns, *features.other_nouns)
    )


def alive_on_a_plate(features: QuestionFeatures, sentence: str, nouns: Iterable[str]) -> bool:
    """Return whether a sentence speaks of living animals where a question cooks or buys such."""
    living = any(noun in LEXICON and LEXICON[noun].kind in _ANIMALS for noun in nouns)
    return living and _ALIVE.search(sentence) is not None and not _KITCHEN.isdisjoint(features.meanings)


def too_cheerful(features: QuestionFeatures, sentence: str, nouns: Iterable[str]) -> bool:
    """Return whether a sentence speaks of good cheer where a question is grim, or of that of a whole population."""
    if not _CHEERFUL.search(sentence):
        return False
    if not _GRIM.isdisjoint(features.meanings):
        return True
    return not _MASSES.isdisjoint(nouns) and max(features.values, default=0) >= _CROWD
