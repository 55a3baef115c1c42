"""The sentences of `rcs`: frames for a bare sum, and small stories that end in one."""

from __future__ import annotations

import random

from noise.proposals import draw, templates
from noise.text.filler_vocabulary import NAMES, STREETS, TOWNS


def _where(rng: random.Random) -> str:
    return f"on {draw(STREETS, rng)}" if rng.random() < 0.5 else f"in {draw(TOWNS, rng)}"


_FILLERS = {
    "name": lambda rng: draw(NAMES, rng),
    "town": lambda rng: draw(TOWNS, rng),
    "where": _where,
}


# {sum} is "7 × 8 = 56", {told} "7 times 8 is 56", {spelled} the same in words: both are clauses, so they follow "why"
# or "so", or stand in quotation marks or after a colon. {a}, {b} and {c} are the numbers.
# Bare sums: nothing is counted, and a later pronoun could only mean what the sum is written on.
WRITTEN = templates(
    """
    As a calculator will show, {told}.
    By simple math, {told}.
    On the board at a school {where}, the example "{sum}" is written in chalk.
    A math book at a school {where} has the example "{sum}" on the cover.
    A poster at a school {where} shows an example: {sum}.
    A poster at the library {where} has the words "{spelled}" in big letters.
    At a school {where}, the example of the day is: {told}.
    At the library {where}, a sign in the hall reads: {told}.
    A calculator at a store {where} shows: {sum}.
    A receipt from a store {where} has the note "{sum}" on the back.
    A quiz at a school {where} started with a hint: {sum}.
    A test at a school {where} has the example "{sum}" at the top.
    The answer key of a quiz at a school {where} reads: {sum}.
    A sign at a store {where} reads: {sum}.
    A page of a math book in {town} has the line "{told}" in blue.
    The homework of a class in {town} was to explain why {told}.
    The math club in {town} has a card with the line "{sum}" on the front.
    A flash card at a school {where} reads: {spelled}.
    A song at a school {where} has the line "{spelled}" at the end.
    A game at the library {where} has a card with the line "{told}" in red.
    A video at a school {where} explains why {told}.
    A worksheet in {town} begins with an example: {sum}.
    The wall of a classroom in {town} shows the line "{sum}" in blue paint.
    The notebook on a desk in {town} has the line "{sum}" in red ink.
    On a napkin at a diner {where}, the line "{sum}" is written in pencil.
    On a chart at a school {where}, the line "{sum}" is underlined.
    A computer at the library {where} shows the line "{sum}" on the screen.
    A toy robot at a store in {town} says: {spelled}.
    A teacher in {town} wrote "{sum}" on the board.
    A teacher in {town} told the class why {told}.
    A student in {town} wrote "{sum}" on a test.
    In math class, a student in {town} showed why {told}.
    In a game at a school {where}, the winning card reads "{sum}" in green letters.
    In {town}, the line "{spelled}" is on a poster at the gym.
    A puzzle in the newspaper of {town} has the line "{sum}" in the middle.
    In {town}, "{sum}" is on a poster by the door.
    In {town}, "{told}" is on a flash card.
    In {town}, "{sum}" is on a math test.
    In {town}, "{told}" is on a sign by the road.
    Near {town}, "{sum}" is painted on a wall.
    """,
    _FILLERS,
)
SAID = templates(
    """
    {name} wrote "{sum}" in a notebook.
    {name} wrote "{sum}" on the board at school.
    {name} knows by heart: {told}.
    {name} learned a new fact: {told}.
    {name} learned at school why {told}.
    {name} told the class why {told}.
    {name} told a friend about a fact: {told}.
    {name} worked out an example: {sum}.
    {name} used a calculator and saw "{sum}" on the screen.
    {name} had to explain for homework why {told}.
    {name} answered a question on a test with "{sum}" in pencil.
    {name} checked an answer: {sum}.
    {name} remembers a line from math class: {told}.
    {name} explained to a friend why {told}.
    {name} did some math on paper: {sum}.
    {name} solved a math problem on the board: {sum}.
    {name} studied for a test and wrote: {sum}.
    {name} made a card with "{sum}" on the front.
    {name} said "{spelled}" out loud.
    {name} thought about a puzzle and wrote: {sum}.
    In math class, {name} showed why {told}.
    At school, {name} wrote "{sum}" on a test.
    At dinner, {name} said to the family: {told}.
    On the bus, {name} said to a friend: {spelled}.
    For homework, {name} wrote "{sum}" on a sheet of paper.
    On a math test, {name} wrote: {told}.
    """,
    _FILLERS,
)

# Small stories that end in a sum. Those with a name and those without suit different questions.
PRODUCT = templates(
    """
    A store {where} has {a} boxes of {b} {things}, so {sum} {things} are in stock.
    A school {where} has {a} rooms with {b} desks, so {told}.
    A theater {where} has {a} rows of {b} seats, so {sum} people can sit down.
    A bakery {where} baked {a} trays of {b} {baked}, so {sum}.
    A farm {where} has {a} rows of {b} {plants}, so {told}.
    A garden {where} has {a} rows of {b} {vegetables}, so {sum}.
    A parking lot {where} has {a} rows of {b} cars, so {sum}.
    A hotel {where} has {a} floors with {b} rooms, so {sum} rooms.
    Students {where} sat at {a} tables of {b} students, so {told}.
    Workers {where} packed {a} boxes of {b} {things}, so {sum} {things}.
    A choir in {town} stood in {a} rows of {b} singers, so {told}.
    A library {where} has {a} shelves of {b} books, so {sum} books.
    {name} has {a} boxes of {b} {things}, so {sum} {things}.
    {name} bought {a} bags of {b} {things}, so {sum} {things}.
    {name} bought {a} packs of {b} {things}, so {told}.
    {name} baked {a} trays of {b} {baked}, so {sum} {baked}.
    {name} made {a} batches of {b} {baked}, so {told}.
    {name} planted {a} rows of {b} {plants}, so {sum} {plants}.
    {name} picked {a} baskets of {b} {crops}, so {sum} {crops}.
    {name} read {a} books of {b} chapters, so {told}.
    {name} drew {a} pages of {b} {wildlife}, so {sum} {wildlife}.
    {name} filled {a} boxes with {b} {things} in a box, and {sum}.
    {name} ran {a} laps of {b} yards, so {sum} yards.
    {name} packed {a} bags of {b} pounds, so {sum} pounds.
    {name} sold {a} {foods} at a price of ${b}, so {sum} dollars.
    {name} filled {a} boxes with {b} {things}, so {sum} {things}.
    """,
    _FILLERS,
)
SUM = templates(
    """
    A store {where} sold {a} {things} on Monday and {b} on Tuesday, and {sum}.
    A school {where} has {a} boys and {b} girls in the band, and {told}.
    A farm {where} has {a} {animals} and {b} donkeys, and {sum} animals.
    A library {where} bought {a} books and {b} maps, and {told}.
    A bakery {where} made {a} {baked} and {b} pies, and {sum}.
    A zoo in {town} has {a} monkeys and {b} birds, and {sum} animals.
    A park {where} has {a} oak trees and {b} pine trees, and {told}.
    A garden {where} has {a} roses and {b} tulips, and {sum} flowers.
    Students {where} painted {a} posters and {b} cards, and {told}.
    A theater in {town} sold {a} tickets on Friday and {b} on Saturday, and {sum} tickets.
    A pond {where} has {a} fish and {b} frogs, and {told}.
    {name} has {a} {things} at home and {b} at school, and {told}.
    {name} has {a} red {things} and {b} blue {things}, and {sum} {things}.
    {name} bought {a} {things} at a store and {b} at a fair, and {sum}.
    {name} sold {a} {foods} on Saturday and {b} on Sunday, and {sum} {foods}.
    {name} read {a} pages on Monday and {b} pages on Tuesday, so {sum} pages.
    {name} picked {a} {crops} in the morning and {b} in the afternoon, so {sum} {crops}.
    {name} planted {a} {plants} in the front yard and {b} in the backyard, and {told}.
    {name} saw {a} birds at the park and {b} at the lake, so {sum} birds.
    {name} drove {a} miles on Friday and {b} miles on Saturday, so {sum} miles.
    {name} spent ${a} on shoes and ${b} on a coat, and {sum}.
    {name} scored {a} points in a game and {b} in a rematch, so {sum} points.
    {name} found {a} shells and {b} rocks at the beach, and {told}.
    {name} baked {a} {baked} and {b} buns for a party, so {told}.
    {name} took {a} pictures at the zoo and {b} at the beach, so {sum} pictures.
    {name} keeps {a} {animals} and {b} ducks on a farm, and {told}.
    """,
    _FILLERS,
)
DIFFERENCE = templates(
    """
    A store {where} had {a} {things} and sold {b}, so {sum} {things} are on the shelf.
    A bakery {where} made {a} {baked} and sold {b}, and {told}.
    A farm {where} had {a} {animals} and sold {b}, so {sum} {animals}.
    A library {where} has {a} books, of which {b} are old, and {told}.
    A pond {where} had {a} {swimmers} until {b} went away, and {sum}.
    A school {where} has {a} lockers, of which {b} are blue, so {told}.
    A theater {where} has {a} seats, of which {b} are taken, so {sum} seats are open.
    A parking lot {where} had {a} cars until {b} were gone, so {sum}.
    A hotel {where} has {a} rooms, of which {b} are closed, so {told}.
    Students {where} made {a} posters and hung up {b}, so {told}.
    {name} had {a} {things} and gave away {b}, so {sum} {things}.
    {name} had {a} {things} and lost {b}, and {told}.
    {name} baked {a} {baked} and sold {b}, so {sum} {baked}.
    {name} picked {a} {crops} and sold {b}, and {told}.
    {name} had ${a} and spent ${b} on a shirt, and {sum}.
    {name} had {a} stamps and used {b}, so {sum} stamps.
    {name} started a book of {a} pages and read {b}, so {told}.
    {name} bought {a} eggs and broke {b}, so {sum} eggs.
    {name} had {a} {animals} on a farm and sold {b}, so {told}.
    {name} blew up {a} balloons until {b} popped, and {sum}.
    {name} planned to swim {a} laps and stopped after {b}, so {told}.
    {name} had {a} {baked} and gave {b} to the neighbors, so {sum} {baked}.
    {name} took {a} pictures and deleted {b}, so {sum} pictures.
    {name} planted {a} seeds, of which {b} did not grow, and {told}.
    """,
    _FILLERS,
)
QUOTIENT = templates(
    """
    A store {where} put {a} {things} on {b} shelves, and {sum}.
    A bakery {where} put {a} {baked} in {b} boxes, so {told}.
    A school {where} has {a} students in {b} classes, and {sum}.
    A farm {where} keeps {a} {animals} in {b} barns, so {told}.
    A library {where} put {a} books on {b} carts, and {told}.
    A garden {where} has {a} {plants} in {b} rows, so {sum}.
    Workers {where} packed {a} {things} in {b} boxes, and {told}.
    A class of {a} students {where} sat down in {b} rows, and {sum}.
    A camp near {town} has {a} kids in {b} groups, so {sum}.
    A parking lot {where} has {a} cars in {b} rows, so {told}.
    A company in {town} put {a} boxes in {b} trucks, and {sum}.
    {name} put {a} {things} in {b} boxes, so {sum}.
    {name} put {a} {foods} on {b} plates, and {told}.
    {name} planted {a} {plants} in {b} rows, so {sum}.
    {name} cut {a} feet of rope into {b} pieces, and {told}.
    {name} sorted {a} {things} into {b} bags, so {told}.
    {name} packed {a} {crops} in {b} baskets, and {sum}.
    {name} gave {a} {things} to {b} classes, so {sum}.
    {name} read {a} pages in {b} days, so {told}.
    {name} drove {a} miles in {b} hours, and {told}.
    {name} put {a} photos on {b} pages of an album, so {sum}.
    {name} earned ${a} in {b} hours, so {sum}.
    {name} poured {a} ounces of juice into {b} cups, so {told}.
    {name} ran {a} miles in {b} weeks, so {told}.
    """,
    _FILLERS,
)
NEUTRAL = templates(
    """
    In {town}, "{sum}" is written in chalk.
    Near {town}, "{sum}" is written in paint.
    Far away, "{sum}" is written in chalk.
    As a calculator will show, {told}.
    By simple math, {told}.
    """,
    _FILLERS,
)
