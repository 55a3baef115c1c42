"""`rcs`: redundant calculation steps, true, written out with their result, and irrelevant."""

from __future__ import annotations

import random
from collections.abc import Callable

from noise.proposals import Noise, Proposal, Template, draw, templates
from noise.text.filler_vocabulary import BIRDS, CREATURES, GROUPS, NAMES, PORT_TOWNS, THINGS, TOWNS
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import word_list

_ONES = word_list(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
    """
)
_TENS = word_list("- - twenty thirty forty fifty sixty seventy eighty ninety")


def _spell(number: int) -> str:
    """Return a whole number from 0 to 99 in words; a larger one in digits."""
    if number < 20:
        return _ONES[number]
    if number > 99:
        return str(number)
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def _product(rng: random.Random) -> tuple[int, int, int]:
    a, b = 3 + int(rng.random() * 17), 4 + int(rng.random() * 22)
    return a, b, a * b


def _sum(rng: random.Random) -> tuple[int, int, int]:
    a, b = 11 + int(rng.random() * 88), 11 + int(rng.random() * 88)
    return a, b, a + b


def _difference(rng: random.Random) -> tuple[int, int, int]:
    b, c = 11 + int(rng.random() * 70), 11 + int(rng.random() * 70)
    return b + c, b, c


def _quotient(rng: random.Random) -> tuple[int, int, int]:
    b, c = 3 + int(rng.random() * 12), 4 + int(rng.random() * 25)
    return b * c, b, c


# For each operation: a function that draws its numbers, its sign, and its words.
_OPERATIONS: dict[str, tuple[Callable[[random.Random], tuple[int, int, int]], str, tuple[str, ...]]] = {
    "product": (_product, "×", ("multiplied by",)),
    "sum": (_sum, "+", ("plus", "added to")),
    "difference": (_difference, "-", ("minus",)),
    "quotient": (_quotient, "÷", ("divided by",)),
}
_OPERATION_NAMES = tuple(_OPERATIONS)
_IS = ("is", "makes", "equals", "gives", "comes to")
_FILLERS = {
    "port": lambda rng: draw(PORT_TOWNS, rng),
    "birds": lambda rng: draw(BIRDS, rng),
    "place": lambda rng: draw(TOWNS, rng),
    "name": lambda rng: draw(NAMES, rng),
    "people": lambda rng: draw(GROUPS, rng),
    "things": lambda rng: draw(THINGS, rng),
    "creatures": lambda rng: draw(CREATURES, rng),
}


# {sum} is "7 × 8 = 56", {told} "7 multiplied by 8 is 56", {spelled} the same in words.
# {a}, {b} and {c} are the numbers.
# Bare sums: nothing is counted, and a later pronoun could only mean what the sum is written on.
_WRITTEN = templates(
    """
    As a calculator will confirm, {sum}.
    On a chalkboard in {place}, {sum} is still legible.
    A textbook printed in {place} opens with the line {sum}.
    A mural in {place} spells out {spelled}.
    The answer to a riddle from {place} is written as {sum}.
    By plain arithmetic, {told}.
    In a film set in {place}, a spy uses {sum} as a password.
    A clock face in {place} is engraved with {sum}.
    A crossword printed in {place} has the clue {spelled}.
    As a matter of pure arithmetic, {spelled}.
    An old abacus in {place} is set to show {sum}.
    Above a doorway in {place}, {sum} is carved in stone.
    On the back of a menu from {place}, {sum} is written in ink.
    A nursery rhyme from {place} teaches {spelled}.
    A parrot in {place} can recite {told}.
    Somewhere in {place}, {sum} is painted on a wall.
    In the margin of a manuscript from {place}, {sum} is noted in red.
    A quiz in {place} opens with {sum} as a warm-up.
    Inside an elevator in {place}, {sum} is scratched into the door.
    A puppet show in {place} ends with the words {spelled}.
    A mosaic in {place} reads {sum}.
    On a postcard from {place}, {spelled} is the only message.
    A radio play from {place} opens with {spelled}.
    On an unrelated note, {told}.
    A banner in {place} proudly says {told}.
    In {place}, {sum} is a favorite example.
    According to a schoolbook from {place}, {told}.
    As an aside, {spelled}.
    In a lecture in {place}, {sum} served as an example.
    A tiled floor in {place} shows {sum}.
    Far away in {place}, chalk on a pavement reads {sum}.
    On a different subject, {told}.
    A printer in {place} tested a new typeface with {sum}.
    In the first lesson of a course in {place}, {told}.
    On a slate in {place}, {sum} is underlined in chalk.
    A tombstone near {place} is decorated with {sum}.
    The cover of a notebook from {place} shows {sum}.
    A neon sign in {place} flashes {sum} at night.
    In a cave near {place}, {sum} is scrawled on the rock.
    In a schoolroom in {place}, {told} is chanted aloud.
    A tattoo seen in {place} reads {sum}.
    A poem from {place} ends on the line {spelled}.
    Under a bridge in {place}, {sum} is sprayed in red.
    A mug from {place} is printed with {sum}.
    On a stamp from {place}, {sum} stands in small print.
    Carved into a bench in {place}, {sum} is still readable.
    A teacher in {place} explained why {told}.
    In a tale from {place}, a wizard mutters {spelled}.
    On a shutter in {place}, {sum} is fading in the sun.
    """,
    _FILLERS,
)

# Small stories that end in a sum. Those with a name and those without suit different questions.
_PRODUCT = templates(
    """
    A chapel in {place} has {a} rows of {b} pews, and {sum}.
    In {place}, {people} stacked {a} layers of {b} {things}, which makes {sum} in the pile.
    A loom in {place} weaves {a} bands of {b} threads, so {sum} threads run across.
    {name} from {place} packed {a} crates of {b} {things}, in short {sum}.
    Some {people} near {place} carved {a} panels with {b} stars on a panel, or {sum} stars.
    A choir in {place} stood in {a} lines of {b}, and {told}.
    A mosaic floor in {place} measures {a} by {b} squares, and {sum}.
    A museum in {place} fills {a} cases with {b} {things} to a case, or {sum}.
    In {place}, {people} walked {a} laps of {b} steps, and {told}.
    On a cliff near {port}, {a} ledges hold {b} {birds} to a ledge, and {sum}.
    A printer in {place} sets {a} lines of {b} letters, and {told}.
    A chess club in {place} drew a grid of {a} by {b}, and {sum}.
    """,
    _FILLERS,
)
_SUM = templates(
    """
    A museum in {place} shows {a} {things} upstairs and {b} downstairs, and {sum}.
    In {place}, {people} restored {a} {things} in spring and {b} in autumn, and {told}.
    A bay near {port} shelters {a} {birds} on the north shore and {b} on the south shore, and {sum}.
    {name} sketched {a} towers in {place} and {b} on the coast, so {sum}.
    An inventory from {place} lists {a} {things} on the front and {b} on the back, so {sum}.
    Some {people} in {place} own {a} {things} of bronze and {b} of tin, and {told}.
    A bridge in {place} has {a} lamps on the north bank and {b} on the south bank, so {sum} lamps shine at night.
    In {place}, {people} sang {a} verses before noon and {b} after noon, so {told}.
    Near {port}, {a} {birds} joined {b} {birds}, and {sum}.
    A catalog from {place} has {a} plates in color and {b} in gray, and {told}.
    """,
    _FILLERS,
)
_DIFFERENCE = templates(
    """
    An archive in {place} held {a} scrolls until a fire took {b}, and {told}.
    A lake near {place} had {a} {birds} until {b} flew south, and {sum}.
    In {place}, {people} cast {a} bells and melted {b} down again, so {sum}.
    A play in {place} has {a} scenes, of which {b} are silent, and {sum}.
    {name} set out on a walk of {a} steps in {place} and rested after {b}, and {told}.
    Some {people} of {place} wove {a} shawls and hid {b} in an attic, so {sum}.
    A tower in {place} has {a} steps, of which {b} are worn, and {told}.
    A ship from {port} carried {a} {things} and unloaded {b} in a distant port, so {sum}.
    A palace in {place} has {a} doors, of which {b} are painted, so {sum}.
    """,
    _FILLERS,
)
_QUOTIENT = templates(
    """
    A museum in {place} arranged {a} {things} in {b} rows, and {sum}.
    In {place}, {people} sorted {a} {things} into {b} trunks, and {told}.
    A parade in {place} had {a} drummers in {b} columns, and {sum}.
    Some {people} near {place} laid {a} slabs in {b} courses, so {sum}.
    {name} bound {a} maps of {place} into {b} volumes, so {told}.
    A mural in {place} spreads {a} {creatures} over {b} panels, and {sum}.
    An opera in {place} splits {a} arias over {b} acts, and {told}.
    A quilt from {place} has {a} patches in {b} strips, so {sum}.
    A workshop in {place} hung {a} {things} on {b} hooks, and {sum}.
    """,
    _FILLERS,
)

_STORIES = {"product": _PRODUCT, "sum": _SUM, "difference": _DIFFERENCE, "quotient": _QUOTIENT}
_ALL = [(template, "") for template in _WRITTEN] + [
    (template, operation) for operation, stories in _STORIES.items() for template in stories
]
_NEUTRAL = templates(
    """
    In {place}, {sum} is written in chalk.
    Near {place}, {sum} stands in old graffiti.
    As a calculator will confirm, {sum}.
    """,
    _FILLERS,
)


def _fill(template: Template, operation: str, rng: random.Random) -> Proposal:
    """Fill `template` with a new sum of the operation, or of a random one where it is empty."""
    calculate, sign, words = _OPERATIONS[operation or draw(_OPERATION_NAMES, rng)]
    a, b, c = calculate(rng)
    by, equals = draw(words, rng), draw(_IS, rng)
    values = {
        "a": f"{a}",
        "b": f"{b}",
        "c": f"{c}",
        "sum": f"{a} {sign} {b} = {c}",
        "told": f"{a} {by} {b} {equals} {c}",
    }
    if "{spelled}" in template.text:
        spelled = f"{_spell(a)} {by} {_spell(b)} {equals} {_spell(c)}"
        values["spelled"] = spelled if max(a, b, c) < 100 else values["told"]
    return template.fill(rng, values)


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    template, operation = draw(_ALL, rng)
    return _fill(template, operation, rng)


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return _fill(draw(_NEUTRAL, rng), "", rng)


RCS = Noise(
    name="rcs",
    description="redundant calculation steps: sums that are true and beside the point",
    carries="sums",
    propose=_propose,
    neutral=_neutral,
)
