"""The sentences of `inf` about shops, schools and roads, and all of `inf`; `inf_slots` fills the slots."""

from __future__ import annotations

import re

from noise.inf_person_templates import MEASURED_OF_NAME, NAMED
from noise.inf_slots import SLOTS
from noise.proposals import Template, templates
from noise.text.distractor_features import ELSEWHERE

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
    SLOTS,
)


def _with_local(stock: tuple[Template, ...]) -> tuple[Template, ...]:
    """Return the templates, and those with "a local store" in place of "a store {where}"."""
    lines = []
    for template in stock:
        line = re.sub(r"\b([Aa]n?|[Tt]he) ((?:[a-z]+ )?[a-z]+) \{where\}", r"\1 {local} \2", template.text)
        if ELSEWHERE.search(line.replace("{local}", "local")) and "{where}" not in line and "} house" not in line:
            lines.append(line)
    return stock + templates("\n".join(lines), SLOTS)


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
    SLOTS,
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
    SLOTS,
)

# People are twice as likely as shops where both suit: questions are about people.
TEMPLATES = 2 * NAMED + _ELSEWHERE + _MEASURED + MEASURED_OF_NAME + _NO_SUBJECT
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
    SLOTS,
)
