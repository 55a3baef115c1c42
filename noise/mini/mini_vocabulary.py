"""The names and things of the mini corpus, split into those seen in training and those held out.

Real names and nouns are listed below. Training adds thousands of made-up names, so that a model learns to copy any name
instead of memorising some. The held-out words appear in no training text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

_WOMEN = """
Ada Adele Aisha Akira Alba Alena Alice Alina Amara Amelia Amina Anita Anna Anouk Asha Astrid Aurora Ayla Bea Beatriz
Bella Bianca Birgit Brenda Camila Carla Carmen Cecilia Celia Chiara Chloe Clara Claudia Cleo Cora Dalia Dana Daphne
Daria Deborah Delia Diana Dina Dora Edith Elena Elif Eliza Elsa Emilia Emma Esther Eva Fatima Faye Fiona Flora Frida
Gemma Gina Giulia Grace Greta Hana Hanna Harriet Hazel Heidi Helena Hilda Holly Ida Imani Ines Ingrid Irene Iris Isabel
Isla Ivana Ivy Jade Jamila Jana Jasmine Joan Johanna Joyce Judith Julia Kaia Karin Katya Keiko Kezia Lana Lara
Layla Leah Leila Lena Leonie Lidia Lila Linda Lisa Liv Lola Lorena Louisa Lucia Luna Lydia Mabel Maeve Malika Mara
Margot Maria Marta Maya Meera Mei Mila Mina Mira Miriam Mona Nadia Naomi Nasrin Nell Nina Noor Nora Odette Olga Olive
Paloma Paula Petra Pia Polly Priya Rachel Rana Renata Rhea Rita Rosa Rosalind Ruth Sabine Sadie Salma Samira Sandra
Sara Selma Sienna Signe Simone Sofia Sonia Stella Sunita Svea Sylvia Tabea Talia Tamara Tara Teresa Thea Tilda Tina Uma
Una Ursula Vera Vida Viola Wanda Willa Yara Yasmin Yoko Zadie Zara Zelda Zoe
"""
_MEN = """
Aaron Abdul Abel Achim Adam Adrian Ahmed Aidan Alan Albert Aldo Alec Alfred Ali Amir Anders Andre Anton Ari Arjun Arne
Arthur Axel Barry Basil Ben Bernard Bjorn Boris Bruno Caleb Callum Carl Carlos Cedric Chen Chris Claude Conor Cyrus
Dan Daniel Dario David Dennis Derek Diego Dirk Dmitri Eamon Eddie Edgar Edwin Eli Elias Emil Enzo Eric Erik Ernest Evan
Fabian Farid Felix Finn Floyd Francis Frank Franz Fred Gabriel Gareth Gary George Gerald Gideon Glen Gordon Gregor Guido
Gustav Hamid Hans Harold Harry Hassan Hector Henry Hugo Ian Ibrahim Idris Igor Ilya Isaac Ivan Jack Jacob Jamal James
Jan Jared Jason Jasper Javier Jens Jerome Jesse Joel John Jonas Jorge Josef Juan Jules Julian Kai Kamal Karl Keith Kenji
Kevin Kofi Kurt Kyle Lars Laurent Leif Leo Leon Levi Liam Lionel Lorenzo Louis Luca Lucas Luis Magnus Malcolm Manuel
Marco Marcus Mario Martin Mateo Max Mehmet Milo Mohan Moritz Nathan Neil Niels Nico Noah Nolan Olaf Oliver Omar Oscar
Otto Owen Pablo Patrick Paul Pavel Pedro Percy Peter Philip Pierre Rafael Ralph Ramon Rashid Ravi Raymond Reza Rhys
Ricardo Robert Roland Roman Ronan Rory Ruben Rufus Samir Samuel Sanjay Scott Sean Sergei Seth Silas Simon Stefan Sven
Tariq Ted Theo Thomas Tim Tobias Tomas Tony Umar Viktor Vikram Vincent Walter Warren Wesley Xavier Yusuf Zach
"""
# Regular plurals only, so that `plural` below needs no table.
_THINGS = """
acorn album almanac apple apricot apron arrow avocado badge bagel balloon banana bangle banner barrel basket battery
bead beaker beanbag bell belt bicycle biscuit blanket block board bolt bonnet book bookmark boot bottle bouquet bow
bowl bracelet brick brochure broom brownie brush bucket buckle bulb bun burrito butterfly button cake calculator
calendar camera candle candy canvas card carpet carrot cassette chair charm cheesecake cherry chessboard chestnut
chisel cloak coaster coat coconut coin collar comb comic cone cookie cork costume cracker crate crayon croissant
crown crystal cucumber cup cupcake curtain cushion daisy dart decal desk diary dish doll dollhouse domino donut
doormat doughnut drawing dress drill drum duster earring easel egg emblem envelope eraser feather fig figurine flag
flashlight flowerpot flute folder fork fossil frame fritter funnel gadget gem gift glider globe glove goblet grape
guitar hairband hairpin hammer hammock hamper handkerchief hanger harp hat headband helmet hinge hook hoop horn icicle
inkpot jacket jar jersey jewel jigsaw journal jug kettle key keyring kite ladder ladle lamp lampshade lantern lasso
leaflet lemon lens lilac lightbulb lime locket lollipop lute magnet magazine mallet mango map marble marker mask mat
medal melon mirror mitten model monocle mop mosaic muffin mug napkin necklace needle newspaper notebook notepad novel
nozzle nut oar olive onion orange orchid ornament package paddle padlock painting pamphlet pan pancake paperclip
parasol parcel pastry patch peach peanut pear pebble pen pencil pendant pepper photo pickle pie pillow pin pinecone
pinwheel pitcher pizza plank plate plum pocketwatch poncho popsicle postcard poster pot potato pouch pretzel print
prism pudding pumpkin puppet purse puzzle quill quilt racket radish raincoat rake raspberry rattle record ribbon ring
robot rocket rope rose rosette rug ruler sandal sandwich sapling satchel saucer scone scooter screw screwdriver
seashell seed shawl shirt shoe shovel skateboard skewer skirt sled slipper snack snowball snowglobe sock spanner
spatula sponge spool spoon stamp stapler statue stencil sticker stool strawberry sunflower sweater tablet tambourine
tangerine tapestry tart teabag teacup teapot telescope tent thimble ticket tie tile toffee tomato top towel toy tray
trinket trophy trowel trumpet truffle tulip turnip umbrella vase vest violin waffle walnut wallet wand watch
watermelon whistle whisk wig wreath yam yoyo zipper zucchini
"""
_KINDS = """
red blue green yellow white black purple orange pink brown grey silver golden wooden plastic metal glass paper clay
ceramic rubber cotton woollen leather striped spotted plain painted shiny dusty tiny small large big giant old new
vintage modern antique rare common round square oval flat heavy light soft handmade foreign local spare cheap fancy
folding hollow carved
"""
_ONSETS = "B Br C Ch D Dr F G Gr H J K Kr L M N P Pr R S Sh St T Th Tr V W Y Z".split()
_VOWELS = "a e i o u ai ea ia oo".split()
_MIDDLES = "b d g k l ll m n nd nn r rd rr s st t v z".split()
_WOMEN_ENDINGS = "a ia elle ina essa ita ora".split()
_MEN_ENDINGS = "o an us in ert or ik".split()
_THING_ENDINGS = "et er le in ock age".split()


@dataclass(frozen=True)
class Vocabulary:
    """The words that a split draws from. Nouns are singular; `kinds` are adjectives, drawn for some of the things."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    things: tuple[str, ...]
    kinds: tuple[str, ...] = tuple(_KINDS.split())


def plural(noun: str) -> str:
    """Return the plural of a noun of the list above, which has regular ones only."""
    if noun.endswith(("s", "x", "ch", "sh", "tato", "mato")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _made_up(endings: list[str]) -> list[str]:
    words = ("".join(parts) for parts in product(_ONSETS, _VOWELS, _MIDDLES, endings))
    return [word for word in words if word.lower() not in _real]


def _held_out(words: list[str]) -> list[str]:
    """Return every fifth word, so that no first letter is held out as a whole."""
    return words[2::5]


def _seen(words: list[str]) -> list[str]:
    held_out = set(_held_out(words))
    return [word for word in words if word not in held_out]


_women, _men = _WOMEN.split(), _MEN.split()
_things = _THINGS.split()
_real = {word.lower() for word in (*_women, *_men, *_things, *map(plural, _things))}

#: The words of the training, test and new-templates splits.
SEEN = Vocabulary(tuple(_seen(_women)), tuple(_seen(_men)), tuple(_seen(_things)))
#: The words of the new-names split. No training text has one of them.
HELD_OUT = Vocabulary(tuple(_held_out(_women)), tuple(_held_out(_men)), tuple(_held_out(_things)))
#: Made-up words that training draws from as well, so that names are copied, not memorised.
MADE_UP = Vocabulary(
    women=tuple(_made_up(_WOMEN_ENDINGS)),
    men=tuple(_made_up(_MEN_ENDINGS)),
    things=tuple(word.lower() for word in _made_up(_THING_ENDINGS)),
)
