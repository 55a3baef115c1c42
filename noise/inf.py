"""`inf`: irrelevant facts, with numbers that belong to somebody or something else, somewhere else."""

from __future__ import annotations

import random

from noise.proposals import Noise, Proposal, between, draw, templates
from noise.text.filler_vocabulary import BIRDS, COLD_TOWNS, CREATURES, GROUPS, NAMES, PORT_TOWNS, THINGS, TOWNS
from noise.text.question_features import QuestionFeatures

# Counts start at three, so every counted noun is plural. Years are written without a comma.
_FILLERS = {
    "port": lambda rng: draw(PORT_TOWNS, rng),
    "cold": lambda rng: draw(COLD_TOWNS, rng),
    "birds": lambda rng: draw(BIRDS, rng),
    "place": lambda rng: draw(TOWNS, rng),
    "name": lambda rng: draw(NAMES, rng),
    "people": lambda rng: draw(GROUPS, rng),
    "things": lambda rng: draw(THINGS, rng),
    "creatures": lambda rng: draw(CREATURES, rng),
    "year": lambda rng: str(1704 + int(rng.random() * 280)),
    "few": between(3, 29),
    "some": between(13, 98),
    "many": between(112, 987),
    "big": between(1012, 9876),
}

# The subject is one thing, and nothing plural is named but units: safe before "she" and "they", not before "it".
_ONE_THING = templates(
    """
    The lighthouse near {port} stands {some} meters tall.
    A canal outside {place} runs for {some} kilometers without a lock.
    The cathedral bell of {place} weighs {many} kilograms.
    A tunnel under {place} is {many} meters long.
    The town hall of {place} was rebuilt in {year}.
    A plaque in {place} bears the year {year}.
    The oldest map of {place} dates from {year}.
    A tide gauge in {port} shows a depth of {some} centimeters.
    The harbor wall of {port} is {few} feet thick.
    The cellar of an abbey near {place} stays at {few} degrees.
    A ferry to {port} leaves from pier {some}.
    A tram in {place} carries the number {some} on the front.
    The archive of {place} keeps a royal charter under number {many}.
    A phone booth in {place} has {many} painted on the door.
    The coast road past {port} is known as route {some}.
    The observatory above {place} lies at {big} feet.
    A boulder on the beach of {port} weighs about {few} tons.
    The night train to {place} departs from platform {few}.
    A radio mast on a hill near {place} rises {many} feet.
    The signpost outside {place} reads {many}.
    The post office of {place} uses the code {big}.
    A locker at the station of {place} is labeled {many}.
    A kite flown over {place} climbed to {many} feet.
    The reservoir behind {place} is {some} meters deep.
    The old mint of {place} struck a medal in {year}.
    A lake near {cold} reaches a depth of {many} meters.
    A theater in {place} opened in {year} with a comedy.
    The weather log of {place} notes {few} degrees for a spring morning.
    A manor outside {place} has the house number {some}.
    The royal box of the opera in {place} is number {some}.
    The footpath from {port} to the sea measures {few} miles.
    The clock tower of {place} can be heard {few} kilometers away.
    A drawbridge in {place} can bear {some} tons.
    The lift in the castle of {place} takes {some} seconds to the top.
    A chess hall in {place} charges ${few} for an evening.
    A hotel above the bay of {port} asks ${many} for the corner room.
    A portrait from {place} was insured for ${big}.
    The river ice near {cold} was {few} inches thick.
    A storm passed {port} at a distance of {some} miles.
    A meteorite from a field near {place} weighs {many} grams.
    The ballroom of a palace in {place} is {some} feet wide.
    A monument in {place} shows a general who died in {year}.
    """,
    _FILLERS,
)

# The subject is one thing or place, and it holds many: safe before "she".
_HOLDINGS = templates(
    """
    A museum in {place} keeps {some} {things} behind glass.
    An antique dealer's window in {place} shows {few} {things}.
    A warehouse by the docks of {port} stores {many} {things}.
    The palace in {place} has {many} windows on the river side.
    A castle near {place} contains {some} {things} from the Middle Ages.
    An auction house in {place} listed {some} {things} in {year}.
    A nature reserve near {place} is home to {many} {creatures}.
    The marsh outside {place} shelters {some} {birds} in winter.
    A monastery above {place} owns {few} {things} and a famous well.
    A painting in {place} shows {few} {birds} over a gray sea.
    A ship bound for {port} carried {many} {things} in {year}.
    The university of {place} lent {few} {things} to a foreign museum.
    A workshop in {place} repaired {some} {things} for the opera.
    An inventory from {place} lists {many} {things} and a silver spoon.
    A cliff near {port} has nests of {some} {birds}.
    The stamp of {place} shows {few} stars around a crown.
    A parade in {place} featured {few} {things} on a wagon.
    A film shot in {place} needed {some} {things} for the opening scene.
    """,
    _FILLERS,
)

# The subject is several strangers or creatures: safe before "she" and "it".
_STRANGERS = templates(
    """
    Near {port}, {people} once counted {some} {birds} on a cliff.
    In {place}, {people} have a guild of {many} members.
    Some {people} in {place} restored {few} {things} in {year}.
    In {year}, {people} from {place} founded a choir with {some} voices.
    Outside {place}, {people} dug up {some} {things} under a field.
    In {place}, {people} hold a yearly feast at {few} long tables.
    Two rival {people} of {place} argued about {few} {things} in {year}.
    On a hill near {place}, {people} built {few} stone huts.
    Some {people} near {place} walked {few} miles to a chapel.
    Off the coast of {port}, {people} spotted {some} {birds} at dawn.
    In {place}, {people} sang for {some} minutes under an arch.
    Some {people} from {place} sent {few} {things} to a museum abroad.
    At a fair in {place}, {people} displayed {some} {things} on black velvet.
    In the hills above {place}, {birds} nest at {big} feet.
    Over the bay of {port}, {some} {birds} circled at sunset.
    In the marshes of {place}, {some} {birds} were ringed by hand.
    For a play in {place}, {people} lent {few} {things} to the stage.
    Some {people} in {place} paid ${many} for a wrecked barge.
    In an inn near {place}, {people} told {few} ghost stories by the fire.
    Around {place}, {people} speak {few} dialects.
    """,
    _FILLERS,
)

# Somebody with a name, for questions that no later pronoun ties to a person.
_NAMED = templates(
    """
    {name} from {place} owns {some} {things}.
    In {place}, {name} once repaired {few} {things} by candlelight.
    {name}, a poet in {place}, wrote {many} verses about the sea.
    Far away in {place}, {name} sketched {few} {creatures} on a wall.
    {name} moved to {place} in {year} and never came back.
    A letter by {name} from {place} mentions {some} {creatures}.
    {name} climbed {many} steps to a chapel in {place}.
    In {place}, {name} rents a loft on floor {few}.
    {name} rowed {few} miles along the coast of {port}.
    At the harbor of {port}, {name} waited {some} minutes for a pilot.
    """,
    _FILLERS,
)

# No subject that a pronoun could mean at all: places, weather, and bare figures.
_NOBODY = templates(
    """
    Snow lay {few} inches deep in {cold} on a morning in March.
    Rain fell on {place} for {few} hours in the spring of {year}.
    {place} lies {many} kilometers from the nearest desert.
    {place} has kept the same coat of arms since {year}.
    In {place}, bus route {many} ends at the opera.
    In {port}, fog drifted in from {few} miles offshore.
    Frost in {cold} reached {few} degrees below zero in {year}.
    {place} put up a new signpost in {year}.
    Glass from {place} melts at {many} degrees.
    Between {port} and the coast, route {some} winds through the hills.
    In {port}, house number {many} stands alone by the sea.
    In {place}, tram {few} runs along the river.
    On old maps, {place} has the grid number {many}.
    {place} can be found on page {many} of an old atlas.
    In a far-off quarry near {place}, granite is cut {few} inches thick.
    In {place}, hall {few} is kept for concerts.
    From pier {few} in {port}, fog hides the islands.
    Fog closed the port of {port} for {few} days in {year}.
    """,
    _FILLERS,
)

_ALL = _ONE_THING + _HOLDINGS + _STRANGERS + _NAMED + _NOBODY
_NEUTRAL = templates(
    """
    In {place}, tram {big} runs along the river.
    On old maps, {place} has the grid number {big}.
    In {place}, gate {big} faces the sea.
    Near {place}, route {big} turns north.
    Snow lay {few} inches deep in a winter long ago.
    Rain fell for {few} hours in a spring long ago.
    Frost reached {few} degrees in a winter long ago.
    """,
    _FILLERS,
)


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(_ALL, rng).fill(rng)


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return draw(_NEUTRAL, rng).fill(rng)


INF = Noise(
    name="inf",
    description="irrelevant facts: numbers that belong to somebody or something else",
    carries="numbers",
    propose=_propose,
    neutral=_neutral,
)
