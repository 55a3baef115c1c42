"""The sentences of `inf` about a person with a name; `inf_slots` fills the slots."""

from __future__ import annotations

from noise.inf_slots import SLOTS
from noise.proposals import templates

# Somebody with a name, for questions that no later pronoun ties to a person.
NAMED = templates(
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
    SLOTS,
)
MEASURED_OF_NAME = templates(
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
    SLOTS,
)
