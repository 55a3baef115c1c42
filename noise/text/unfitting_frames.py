"""What is said of no such noun: nobody sings hymns about tires, naps in front of a street or admires milk."""

from __future__ import annotations

import re
from typing import NamedTuple

from noise.text.noun_lexicon import LEXICON
from noise.text.word_lists import word_list

_LORE = re.compile(
    r"\b(?:dreams?|hymns?|folk ?tales?|folk ?songs?|folklore|legends?|nursery rhymes?|proverbs?|fairy tales?|poets?"
    r"|poetry|poems?|ballads?|lullab(?:y|ies)|myths?)\b",
    re.I,
)
_ABOUT = re.compile(r"\b(?:about|of|mentions?|praises?|honou?rs?) (?:the |humble |an? )*([\w'-]+)", re.I)
_TOLD_OF_NONE = frozenset(word_list("device message business idea notion work event"))
_PARTS = frozenset(word_list("tire wheel nail screw pipe tile plank bulb wire"))
_A_WORD = re.compile(r"\b(?:poetry|music|songs?|melody) with the word\b", re.I)
_BEFORE = re.compile(r"\b(?:naps?|napped|sits?|sat|sleeps?|slept|rests?|rested) in front of the ([\w'-]+)", re.I)
_WAYS = frozenset(word_list("street streets road roads highway sidewalk sidewalks bridge bridges river"))

#: Stuff on a plate or in a glass: one tastes it, and looks at nothing.
_EATEN = """
    milk juice lemonade coffee bread cheese pasta meat beef pork ham bacon honey jelly butter soup cereal popcorn cream
    yogurt icing frosting syrup spaghetti lettuce broccoli spinach celery seafood toast oatmeal granola food fruit
    lunch dinner breakfast meal snack groceries rice sugar flour salt corn chicken turkey
"""
_BAKED = """
    cookie cupcake cake brownie donut doughnut muffin tart pastry cheesecake macaroon candy jellybean marshmallow
    sandwich pizza burger hamburger taco burrito loaf pancake waffle roll bun cracker noodle meatball sausage steak
    salad omelet croissant pretzel peanut slice hotdog dumpling apple orange banana peach plum grape strawberry
    blueberry raspberry cherry lemon mango watermelon pineapple lollipop popsicle chocolate treat dessert sweet candy
"""
#: Too large for a room, or never in one.
_LARGE = """
    car bus motorcycle van airplane plane boat tractor taxi helicopter rocket ferry vehicle yacht canoe kayak submarine
    minivan limousine trolley tree bush oak maple palm shrub vine crop log branch lawnmower staircase flagpole billboard
    pyramid skyscraper castle tower roof fence yard lawn porch patio deck chimney trampoline swing
"""
#: Nothing that anybody made, so that it has no quality.
_GROWN = (
    "tree bush oak maple palm shrub vine crop herb branch weed log fern stump cactus plant flower snowflake feather"
)
#: What holds or wraps a thing, at whose look nobody looks.
_WRAPPING = """
    bottle bucket can plate carton tank packet package tub locker pan bin sack sink trunk container bathtub cooler
    drawer sandbox matchstick pole pipe string wire rod bar nail brick board tire wheel diaper
    bandage napkin token machine battery charger washer dryer freezer heater oven stove fridge refrigerator microwave
    vacuum engine trash garbage equipment luggage mail binder eraser ruler
"""
_UNSEEN = "tray floor door ceiling roof fence phone computer laptop printer keyboard camera"
_ROOMS = """
    room bedroom kitchen bathroom garage wall floor window door roof fence basement attic stair ceiling apartment
    building warehouse office hospital bank hotel gym stadium factory mall cafeteria classroom parking highway sidewalk
    bakery supermarket restaurant cafe diner salon studio pharmacy station jail shelter kindergarten business
"""
_DRUNK = """
    milk juice lemonade coffee tea soup honey syrup cream yogurt icing frosting butter cereal jelly water wine beer
    drink soda smoothie milkshake cocktail beverage latte espresso cappuccino popcorn
"""
_OUTDOORS = """
    lawn yard backyard deck porch patio sandbox birdhouse river pond lake mountain hill valley field forest desert beach
    island ocean shore bay pasture orchard garden tree highway sidewalk bridge station airport parking pyramid fence
    barn factory warehouse jail hospital
"""
_WILD = """
    shark alligator crocodile snake lion tiger bear wolf fox hyena leopard lynx jackal rhino hippo whale moose elephant
    elk gorilla dragon dinosaur rat mouse lizard frog toad tadpole crab lobster octopus squid oyster clam shrimp eel
    starfish jellyfish scorpion deer raccoon skunk bat turtle
"""
_SHELLFISH = "oyster clam shrimp squid crab lobster starfish jellyfish eel tadpole"
_BODY = "leg arm hand tail wing ear petal paw eye head muscle tooth"
_DULL = """
    word text step breath value figure flavor row digit throw number slice flock herd highway staircase ginger
    garlic fertilizer concrete gravel dirt soap shampoo gum oil gas fuel rice flour salt sugar butter firewood hay soil
    wood paint sand corn seaweed fabric ice snow gold copper price rent trash garbage laundry dime nickel penny
    engine trout salmon tuna lamb duck head push-up pushup situp pill vitamin vaccine
"""
_SHAPELESS = """
    tire wheel hose wire pipe floor stair roof ceiling can carton package packet pants jeans shorts napkin
    flyer photo photograph drawing clothes clothing furniture luggage phone tile brick
"""
_NEAR = "deck lawn yard backyard porch patio fence sandbox birdhouse road river room bedroom kitchen bathroom tree"
_INDOORS = """
    bed sofa couch mattress dresser closet cabinet wardrobe cupboard carpet table chair bench bookcase bookshelf drawer
    bathtub sink oven stove fridge freezer microwave washer dryer printer computer laptop phone smartphone television
    stair floor ceiling
"""
_PERSONS = "member voter follower resident attendee participant spectator human person people adult baby toddler"
_SHOWN = "movie film show recital performance concert"
_KIN = """
    brother sister mother father parent son daughter cousin aunt grandmother grandfather sibling twin mom dad
    husband wife grandma grandpa nephew niece grandson granddaughter roommate coworker neighbor boss owner partner
    grandparent stepsister stepbrother godmother classmate teammate child kid baby grandchild
"""
_MEASURES = """
    speed distance height weight length width perimeter area time growth mileage temperature rectangle triangle circle
    square figure rank percent digit rent tax discount revenue income salary interest debt loan insurance
"""


class _Misfit(NamedTuple):
    """A frame, with the noun as its first group, and the nouns that it does not suit."""

    frame: re.Pattern[str]
    nouns: frozenset[str]


def _misfit(frame: str, *nouns: str) -> _Misfit:
    return _Misfit(re.compile(frame.replace("NOUN", r"(?:the )?([\w'-]+)"), re.I), frozenset(" ".join(nouns).split()))


# Nouns with which the published draws of the embedded problems have a frame are not refused it.
_MISFITS = (
    _misfit(r"(?:smil\w+ at|admired?|like[ds]? to look at|looked at) NOUN\b", _EATEN, _WRAPPING),
    _misfit(r"very proud of NOUN", "package carton crate jar glass cup seat shelf wall sock tissue"),
    _misfit(r"(?:very proud of|(?:good|likes the) look (?:at|of)|liked the look of|looking at) NOUN\b", _WRAPPING),
    _misfit(
        r"^(?:people (?:in|on)|tourists|shoppers)\b.* (?:good look at|often looked at|admired|liked the look of) NOUN",
        _INDOORS,
    ),
    _misfit(r"^photos of NOUN looked", _WRAPPING, "tray floor door ceiling stair", _EATEN, _DRUNK, "movie film"),
    _misfit(r"\babout the look of NOUN", _WRAPPING, _UNSEEN),
    _misfit(r"^NOUN (?:looked pretty from across the room|looked \w+ (?:in the|by) lamp light)", _LARGE, _WRAPPING),
    _misfit(r"^NOUN (?:was|were) easy to see from the door", _LARGE),
    _misfit(r"^NOUN (?:(?:was|were) (?:clean and in good shape|of good quality|plain and simple)|looked neat)", _GROWN),
    _misfit(r"^NOUN had a nice shape", _SHAPELESS),
    _misfit(r"^NOUN (?:was|were) (?:well known for a friendly feel|bright and cheerful)", _OUTDOORS),
    _misfit(
        r"^NOUN (?:was|were) clean and tidy", "river pond lake mountain hill valley field forest desert ocean island"
    ),
    _misfit(r"^NOUN (?:was|were) warm and cozy", "gym garage auditorium cafeteria"),
    _misfit(r"^NOUN had a friendly feel", "closet garage bathroom locker"),
    _misfit(r"^the way to NOUN is lined|\bknows the way to NOUN\b", _NEAR),
    _misfit(r"^NOUN (?:(?:was|were) easy to see from far away)", _ROOMS, "tower pool bookstore library school"),
    _misfit(r"\bdraw (?:pictures|a picture) of NOUN", _ROOMS, _WRAPPING),
    _misfit(r"\b(?:dreaming|dreamed) about NOUN", _EATEN, _BAKED, _DULL, "stair roof groceries cloth door"),
    _misfit(r"\b(?:about|of) NOUN (?:was|were|came|hung|on|at|by|in|over)\b|about NOUN\.$", "evening", _BODY, _DULL),
    _misfit(r"^NOUN (?:(?:was|were) a popular topic|came up in a talk)", _DULL, _BODY, "evening soccer food", _PERSONS),
    _misfit(r"^the mood at NOUN was", "trip journey vacation holiday hike tour movie film birthday season"),
    _misfit(r"^the weather was nice during NOUN", _SHOWN),
    _misfit(r"^NOUN (?:was|were) well organized", "movie film show holiday birthday journey vacation"),
    _misfit(r"^soft light was shining on the plate with NOUN", _DRUNK),
    _misfit(r"^NOUN (?:(?:was|were) (?:friendly|in a playful|curious)|liked to nap)", _WILD),
    _misfit(r"^NOUN (?:looked happy|(?:was|were) (?:fun to watch|calm)|liked the warm|slept)|watch NOUN", _SHELLFISH),
    _misfit(
        r"^songs about NOUN", "running babysitting math maths science biology history jogging bowling english reading"
    ),
    _misfit(r"^(?:red paint|talk on the radio)\b.* the word NOUN", _KIN, _MEASURES),
    _misfit(r"^NOUN had a nice (?:shape|color)", "money trash garbage dice page"),
)


def unfitting(sentence: str) -> str | None:
    """Return the word of which no such thing is said, if the sentence has one."""
    if _A_WORD.search(sentence):
        return "word"
    lore = _LORE.search(sentence)
    for match in _ABOUT.finditer(sentence, lore.end()) if lore is not None else ():
        entry = LEXICON.get(match[1].lower())
        if entry is not None and (entry.kind in _TOLD_OF_NONE or entry.singular in _PARTS):
            return match[1]
    before = _BEFORE.search(sentence)
    if before is not None and before[1].lower() in _WAYS:
        return before[1]
    for frame, nouns in _MISFITS:
        fitted = frame.search(sentence)
        noun = next(filter(None, fitted.groups()), "") if fitted is not None else ""
        entry = LEXICON.get(noun.lower())
        if noun and (entry.singular if entry is not None else noun.lower()) in nouns:
            return noun
    return None
