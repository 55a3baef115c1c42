"""The sentences of `inf`: who or what has a number, and where."""

from __future__ import annotations

import random
import re

from noise.proposals import Template, between, draw, templates
from noise.text.distractor_features import ELSEWHERE
from noise.text.filler_vocabulary import (
    BAKED,
    COLLECTED,
    CROPS,
    FARM_ANIMALS,
    FOODS,
    NAMES,
    PLANTS,
    POND_ANIMALS,
    STREETS,
    THINGS,
    TOWNS,
    VEGETABLES,
    WILDLIFE,
)


def _where(rng: random.Random) -> str:
    """Return where a stranger's thing is: a street or a town, or a part of one."""
    kind = rng.random()
    if kind < 0.3:
        return f"on {draw(STREETS, rng)}"
    return (
        f"in {draw(TOWNS, rng)}" if kind < 0.9 else draw(("across town", "in the next town", "in a nearby town"), rng)
    )


def _when(rng: random.Random) -> str:
    return draw(_TIMES, rng)


_TIMES = ("",) * 6 + (
    "yesterday, ", "last week, ", "last month, ", "last summer, ", "last year, ", "on Saturday, ", "on Monday, ",
)  # fmt: skip

# Counts start at three, so every counted noun is plural. Years are written without a comma.
_FILLERS = {
    "name": lambda rng: draw(NAMES, rng),
    "town": lambda rng: draw(TOWNS, rng),
    "where": _where,
    "local": lambda rng: draw(("local", "nearby"), rng),
    "when": _when,
    "things": lambda rng: draw(THINGS, rng),
    "foods": lambda rng: draw(FOODS, rng),
    "baked": lambda rng: draw(BAKED, rng),
    "vegetables": lambda rng: draw(VEGETABLES, rng),
    "crops": lambda rng: draw(CROPS, rng),
    "plants": lambda rng: draw(PLANTS, rng),
    "animals": lambda rng: draw(FARM_ANIMALS, rng),
    "collected": lambda rng: draw(COLLECTED, rng),
    "swimmers": lambda rng: draw(POND_ANIMALS, rng),
    "wildlife": lambda rng: draw(WILDLIFE, rng),
    "year": lambda rng: str(1904 + int(rng.random() * 110)),
    "age": between(6, 68),
    "weight": between(61, 238),
    "handful": between(3, 9),
    "few": between(3, 29),
    "tens": between(11, 98),
    "many": between(105, 987),
    "big": between(1012, 9876),
}

# Somebody with a name, for questions that no later pronoun ties to a person.
_NAMED = templates(
    """
    {name} has {tens} {collected} at home.
    {name} wants to sell {few} {things}.
    {name} bought {few} {things} at the store.
    {when}{name} bought {few} {things} at the store.
    {when}{name} bought {few} new {things}.
    {when}{name} sold {few} {things}.
    {when}{name} sold {tens} {foods} at school.
    {when}{name} made {few} {foods} for a party.
    {name} baked {tens} {baked} for a party at school.
    {when}{name} baked {few} {baked}.
    {name} ate {handful} {foods} in a contest.
    {name} has {tens} {collected} in a box.
    {name} has a collection of {tens} {collected}.
    {name} has a bag with {tens} {things}.
    {name} has {few} {animals} on a farm.
    {name} owns a farm with {tens} {animals}.
    {name} keeps {few} hens in the backyard.
    {when}{name} planted {few} {plants} in the garden.
    {name} has {tens} {plants} in the garden.
    {when}{name} picked {tens} {crops}.
    {name} picked {tens} {crops} from the garden.
    {name} needs {few} {vegetables} for a big dinner.
    {when}{name} walked {few} miles.
    {name} walked {few} blocks to school.
    {when}{name} ran {few} miles in the park.
    {name} ran {few} laps around the track.
    {when}{name} rode a bike for {few} miles.
    {name} rides a bike for {few} miles on Sundays.
    {name} drove {many} miles to the beach.
    {when}{name} drove {tens} miles to a wedding.
    {name} lives {few} miles from the school.
    {name} lives {few} blocks from the library.
    {name} is {age} years old.
    {name} will be {age} years old in May.
    {name} was born in {year}.
    {name} moved to {town} in {year}.
    {name} spent ${few} on lunch.
    {when}{name} spent ${tens} on clothes.
    {name} bought a jacket for ${tens}.
    {name} bought a new bike for ${many}.
    {name} saved ${many} for a trip.
    {name} has ${tens} in a piggy bank.
    {when}{name} earned ${tens} by mowing lawns.
    {when}{name} earned ${tens} by walking dogs.
    {when}{name} paid ${few} for a movie ticket.
    {name} wants to buy a computer for ${many}.
    {name} read a book with {many} pages.
    {when}{name} read {tens} pages of a book.
    {name} is reading a book with {few} chapters.
    {when}{name} wrote {few} letters.
    {name} wrote a story with {few} pages.
    {name} studied for {handful} hours.
    {when}{name} worked for {handful} hours in the yard.
    {name} practiced the piano for {tens} minutes.
    {when}{name} watched TV for {tens} minutes.
    {name} spent {tens} minutes on homework.
    {name} waited {tens} minutes for the bus.
    {when}{name} slept for {handful} hours.
    {name} weighs {weight} pounds.
    {name} has a dog with a weight of {tens} pounds.
    {name} caught {few} fish at the lake.
    {when}{name} went to the lake and caught {few} fish.
    {name} scored {few} points in a basketball game.
    {when}{name} scored {few} goals for the school team.
    {name} got {tens} points on a test.
    {name} took {tens} pictures at the zoo.
    {when}{name} took {few} pictures at the park.
    {name} found {few} shells at the beach.
    {name} gave {few} {things} to a friend.
    {when}{name} gave {few} {foods} to the neighbors.
    {name} put {few} {things} in a drawer.
    {name} counted {tens} {collected}.
    {when}{name} saw {few} {wildlife} in the yard.
    {name} invited {few} friends to a party.
    {name} has {handful} cousins.
    {name} teaches a class of {few} students.
    {name} made {few} bracelets for friends.
    {when}{name} cleaned {few} rooms at a hotel.
    {when}{name} washed {handful} cars.
    {name} cut a rope into {few} pieces.
    {name} used {handful} eggs to make breakfast.
    {name} drank {few} ounces of juice.
    {name} bought {few} pounds of rice.
    {name} needs {few} yards of fabric for a dress.
    {name} built a fence {tens} feet long.
    {name} can type {tens} words in a minute.
    {name} can do {tens} push-ups.
    {when}{name} sent {few} emails.
    {name} received {few} {things} for Christmas.
    {name} got {few} {things} for a birthday present.
    {name} ordered {few} {things} online.
    {when}{name} painted {few} pictures.
    {when}{name} borrowed {few} books from the library.
    {name} has {few} {things} and {tens} {collected}.
    {name} bought {few} {things} and {handful} bags of {crops} at the store.
    {name} wants to buy {few} {things} and an old bike.
    {name} has a farm with {tens} {animals} and a pond.
    {when}{name} baked {few} {baked} and made {few} jars of jam.
    {name} used {handful} cups of sugar and {handful} eggs to make a cake.
    {name} went to the store to buy {few} {foods} and an ice cream.
    {name} went to the store and bought {few} {foods}.
    {name} went to the park to run {few} laps.
    {name} has {few} boxes of {things} in the garage.
    {name} has {few} bags of {crops} in the kitchen.
    {name} ate {handful} slices of pizza and a bowl of soup.
    {name} is making {few} {foods} for a party at work.
    {name} can run a mile in {handful} minutes.
    {name} has to read {many} pages of a book for school.
    {name} has to write {few} pages for a class.
    {name} is {age} years old and has a sister.
    {name} is {age} years old and works at a bank.
    {name} has a sister and {handful} cousins.
    {name} went on a trip of {many} miles to see a friend.
    {when}{name} went to the zoo and saw {few} {wildlife} and a bear.
    {when}{name} went to a movie and spent ${few} on popcorn and soda.
    {name} bought a shirt for ${few} and a hat for ${few}.
    {name} spent {handful} hours at work and an hour at the gym.
    {name} worked {handful} hours on Monday and {handful} hours on Tuesday.
    {name} has {handful} brothers and a sister.
    {name} has a jar of {tens} {collected} and a box of {tens} {things}.
    {name} is going to plant {few} {plants} and an apple tree.
    {name} is going to make {few} {foods} for the school fair.
    {name} decided to sell {tens} {things} for a school trip.
    {name} needs to save ${many} to buy a phone.
    {name} drank {handful} cups of tea and ate a sandwich.
    """,
    _FILLERS,
)

# A shop, a school or a street of somewhere else, which has or does something: no person, and something plural.
_ELSEWHERE_WITH_PLACES = templates(
    """
    A store {where} sold {tens} {things}.
    {when}a store {where} sold {many} {things}.
    A store {where} has {many} {things} on the shelves.
    {when}a bakery {where} made {many} {baked}.
    A bakery {where} makes {many} {baked} on Saturdays.
    A bakery {where} sold {tens} {baked}.
    The library {where} has {big} books.
    {when}the library {where} bought {tens} books.
    A school {where} has {many} students.
    {when}a school {where} bought {tens} {things}.
    The school {where} has {few} classrooms.
    The school {where} has {few} buses.
    A farm {where} has {tens} {animals}.
    {when}a farm {where} sold {few} {animals}.
    The market {where} sells {tens} boxes of {crops}.
    A restaurant {where} has {few} tables.
    {when}a restaurant {where} served {many} meals.
    A restaurant {where} used {tens} {vegetables} for a soup.
    The zoo in {town} has {few} monkeys.
    The zoo in {town} has {tens} birds.
    The park {where} has {tens} trees.
    The park {where} has {few} benches.
    {when}workers planted {tens} trees {where}.
    The pond {where} has {tens} fish.
    {when}children {where} saw {few} {swimmers} in a pond.
    A hotel {where} has {many} rooms.
    A parking lot {where} has spots for {many} cars.
    A garage {where} has room for {few} cars.
    A building {where} has {few} floors.
    A house {where} has {few} windows.
    A theater {where} has {many} seats.
    {when}a theater {where} sold {many} tickets.
    {when}the museum in {town} sold {many} tickets.
    A pet store {where} has {few} puppies.
    A pet store {where} has {tens} fish.
    A toy store {where} has {many} toys.
    {when}a toy store {where} sold {tens} dolls.
    A factory in {town} makes {many} {things} on Mondays.
    A factory {where} has {many} workers.
    A hospital in {town} has {many} beds.
    A bus to {town} has {tens} seats.
    A train to {town} has {few} cars.
    {when}a bus took {tens} people to {town}.
    A soccer team in {town} has {few} players.
    A basketball team from {town} won {few} games.
    {when}a team from {town} scored {few} points.
    The choir in {town} has {tens} singers.
    A camp near {town} has {few} tents.
    {when}a camp near {town} took in {tens} children.
    A gym {where} has {few} lockers.
    A candy store {where} has {few} jars on the counter.
    {when}kids {where} sold {tens} cups of lemonade.
    Neighbors {where} collected {tens} bags of cans.
    {when}volunteers {where} picked up {tens} bags of trash.
    Students {where} painted {few} posters.
    {when}friends {where} made {few} pizzas.
    A flower shop {where} has {tens} {plants}.
    A garden {where} has {few} rows of {vegetables}.
    An orchard near {town} has {many} trees.
    There are {few} {swimmers} in a pond {where}.
    There are {many} students in a school {where}.
    There are {tens} {things} in a store {where}.
    There are {few} cars and {few} trucks in a garage {where}.
    There are {tens} trees and {few} benches in a park {where}.
    A farm {where} has {tens} {animals} and {few} dogs.
    A store {where} has {tens} {things} and {tens} boxes of {crops}.
    A bakery {where} used {few} bags of flour and {tens} eggs to make {baked}.
    A school {where} is going to buy {tens} {things} and {few} boxes of chalk.
    The library {where} has {few} tables and {tens} chairs.
    A gym {where} has {few} bikes and {few} mats.
    A hotel {where} is going to buy {tens} towels and {tens} pillows.
    {when}students {where} made {few} cards and {few} posters.
    {when}kids {where} ran {few} laps to raise ${many}.
    """,
    _FILLERS,
)


def _with_local(stock: tuple[Template, ...]) -> tuple[Template, ...]:
    """Return the templates, and those with "a local store" in place of "a store {where}"."""
    lines = []
    for template in stock:
        line = re.sub(r"\b([Aa]n?|[Tt]he) ((?:[a-z]+ )?[a-z]+) \{where\}", r"\1 {local} \2", template.text)
        if ELSEWHERE.search(line.replace("{local}", "local")) and "{where}" not in line and "} house" not in line:
            lines.append(line)
    return stock + templates("\n".join(lines), _FILLERS)


# The same with nothing plural but units: also before "they" and a bare "how many".
_MEASURED_WITH_PLACES = templates(
    """
    The road to {town} is {few} miles long.
    The bridge in {town} is {many} feet long.
    The pool {where} is {handful} feet deep.
    A tree {where} is {tens} feet tall.
    A building {where} is {tens} feet tall.
    The fence around a park {where} is {many} feet long.
    A bus ticket to {town} costs ${few}.
    A train ticket to {town} costs ${tens}.
    The bus to {town} takes {tens} minutes.
    The train to {town} is {few} minutes late.
    A movie {where} starts in {tens} minutes.
    A room in a hotel {where} costs ${many}.
    A haircut {where} costs ${few}.
    A bike at a store {where} costs ${many}.
    A table at a store {where} costs ${many}.
    A house {where} was built in {year}.
    The school {where} was built in {year}.
    The library {where} opened in {year}.
    A farm {where} has {many} acres of land.
    A bear in the zoo of {town} weighs {many} pounds.
    A truck {where} weighs {few} tons.
    A bag of rice at a store {where} weighs {few} pounds.
    The water tank {where} holds {many} gallons.
    The lake near {town} is {tens} feet deep.
    The hill near {town} is {many} feet high.
    The river near {town} is {tens} feet wide.
    Yesterday, the temperature in {town} was {tens} degrees.
    The bus {where} has the number {tens}.
    The house {where} has the number {many}.
    The bus to {town} leaves from gate {few}.
    {town} is {tens} miles from the ocean.
    """,
    _FILLERS,
)

_ELSEWHERE = _with_local(_ELSEWHERE_WITH_PLACES)
_MEASURED = _with_local(_MEASURED_WITH_PLACES)
# The same with no subject that "it" could mean.
_NO_SUBJECT = templates(
    """
    In {town}, students painted {few} posters.
    In {town}, workers planted {tens} trees.
    Farmers near {town} picked {many} {crops}.
    Workers in {town} fixed {few} cars.
    Children in {town} collected {tens} {collected}.
    {town} is {few} miles from the beach.
    In {town}, snow was {few} inches deep.
    In {town}, rain fell for {few} hours.
    In {town}, bus {tens} stops at the library.
    In {town}, room {many} is used for art class.
    """,
    _FILLERS,
)

_NAMED_AND_MEASURED = templates(
    """
    {name} walked {few} miles to a park.
    {name} spent {tens} minutes in the pool.
    {name} bought {few} pounds of rice at a store.
    {name} is {age} years old and works at a bank.
    {name} bought a new bike for ${many}.
    {name} has a dog with a weight of {tens} pounds.
    {name} lives {few} miles from the ocean.
    {name} drank {few} ounces of juice at lunch.
    """,
    _FILLERS,
)
# People are twice as likely as shops where both suit: questions are about people.
TEMPLATES = 2 * _NAMED + _ELSEWHERE + _MEASURED + _NAMED_AND_MEASURED + _NO_SUBJECT
# Hardly any question refers to a number of four digits. Labels, lengths and money: one kind at least is not asked for.
NEUTRAL = templates(
    """
    In {town}, bus {big} stops at the library.
    In {town}, room {big} is used for art class.
    In {town}, snow was {few} inches deep.
    {name} once walked {big} steps.
    {name} once ran {tens} miles.
    {name} once sold a painting for ${big}.
    {name} lives far away at house number {big}.
    Far away, rain fell for {few} hours.
    Long ago, a ship carried {big} tons of salt.
    Farmers near {town} picked {big} {crops}.
    """,
    _FILLERS,
)
