"""The sentences of `near`.

Slots: {owner} is somebody close to a person of the question who is not in it, as "Bob's sister" or "an uncle of Bob",
{n} a number in the range of the question's, {tens} and {hundreds} the same below 100 and 1,000, {things} what the
question asks for or a thing of its scene, {a_thing} one of these, {town} a town that is no part of the question's, as
"Bob's town" or "the next town". No sentence has a pronoun, and none hands anything to
somebody of the question.
"""

from __future__ import annotations

from noise.proposals import Template, templates

_OWNED = """
    {owner} has {n} {things}.
    {owner} bought {n} {things} last month.
    {owner} keeps {n} {things} upstairs.
    {owner} had {n} {things} as a child.
    Last year, {owner} packed {n} {things} for a move.
    {owner} once owned {n} {things}.
    Last summer, {owner} gave {n} {things} to a charity.
    {owner} ordered {n} {things} in a store downtown.
    A week ago, {owner} sorted {n} {things} in the garage.
    {owner} stored {n} {things} in a basement.
"""
_SEEN = """
    {owner} saw {n} {things} at a fair last year.
    {owner} counted {n} {things} on a trip to the coast.
    {owner} once drew {n} {things} on a wall.
    Last summer, {owner} photographed {n} {things}.
    {owner} has photographs of {n} {things}.
    Last week, {owner} read about {n} {things} in the newspaper.
    {owner} dreamed of {n} {things} last night.
"""
_WHATEVER = """
    {owner} counted {n} {things} last week.
    {owner} dreamed of {n} {things} last night.
    Last week, {owner} read about {n} {things} in the newspaper.
    {owner} once wrote about {n} {things} in a diary.
    Last month, {owner} kept track of {n} {things}.
"""
_EATEN = """
    {owner} bought {n} {things} at the market last week.
    {owner} prepared {n} {things} for a picnic last summer.
    A week ago, {owner} served {n} {things} at a party.
    {owner} ordered {n} {things} in a diner.
    {owner} keeps {n} {things} in the kitchen.
    Last year, {owner} took {n} {things} to a school fair.
    {owner} has {n} {things} in a basket.
    {owner} sold {n} {things} at a stand last month.
"""
_KEPT = """
    {owner} has {n} {things}.
    {owner} fed {n} {things} last weekend.
    {owner} saw {n} {things} on a farm.
    Last summer, {owner} took care of {n} {things}.
    {owner} photographed {n} {things} in the park.
    {owner} drew {n} {things} in a notebook.
"""
_VISITED = """
    {owner} visited {n} {things} last year.
    {owner} photographed {n} {things} on a trip.
    Last summer, {owner} passed {n} {things} on a drive.
    {owner} marked {n} {things} on a map.
    {owner} once worked in {n} {things}.
"""
_MET = """
    {owner} knows {n} {things}.
    {owner} met {n} {things} at a wedding.
    Last year, {owner} wrote letters to {n} {things}.
    {owner} took a bus with {n} {things} last week.
    {owner} once worked with {n} {things}.
"""
_ATTENDED = """
    {owner} went to {tens} {things} over the years.
    {owner} wrote about {n} {things} in a diary.
    {owner} once planned {tens} {things}.
    {owner} has photographs of {n} {things}.
"""
_DRAWN = """
    {owner} drew {n} {things} in a notebook.
    Last summer, {owner} painted {n} {things} on a wall.
    {owner} has photographs of {n} {things}.
    {owner} once counted {n} {things} in a comic book.
"""
_SCORED = """
    {owner} wrote down {n} {things} in a notebook.
    Last month, {owner} kept track of {n} {things}.
    {owner} made a list of {n} {things} last summer.
"""


def _by_kind(kinds: str, lines: str) -> dict[str, tuple[Template, ...]]:
    return dict.fromkeys(kinds.split(), templates(lines))


#: For what is asked for, by its kind in the lexicon; that of a word which is not there is empty.
ASKED: dict[str, tuple[Template, ...]] = {
    **_by_kind("toy paper stationery picture clothing jewelry furniture container tool instrument device gift", _OWNED),
    **_by_kind("fruit vegetable sweet food drink", _EATEN),
    **_by_kind("animal bird fish insect", _KEPT),
    **_by_kind("flower plant vehicle", _OWNED.replace("upstairs", "behind the house")),
    **_by_kind("place house", _VISITED),
    **_by_kind("person group", _MET),
    **_by_kind("event", _ATTENDED),
    **_by_kind("idea sport work music message business", _SCORED),
    **_by_kind("body", _DRAWN),
    "": templates(_WHATEVER),
}
#: Where money is asked for.
MONEY = templates(
    """
    {owner} has ${n} in a savings account.
    {owner} paid ${hundreds} for a coat last month.
    {owner} earned ${n} last week.
    {owner} spent ${n} on a birthday party.
    Last year, {owner} won ${n} in a raffle.
    {owner} sold an old bicycle for ${hundreds}.
    {owner} keeps ${hundreds} in a jar.
    {owner} donated ${n} to a shelter last summer.
    A week ago, {owner} borrowed ${n} from a friend.
    {owner} makes ${hundreds} on a good day.
    """
)
#: The same with a thing of the scene that can be bought.
MONEY_FOR_THINGS = templates(
    """
    {owner} paid ${n} for {things}.
    {owner} spent ${n} on {things} last month.
    {owner} earned ${n} by selling {things}.
    Last year, {owner} saved ${n} to buy {things}.
    {owner} sold {things} for ${n} at a fair.
    A week ago, {owner} ordered {things} for ${n}.
    {owner} bought {things} for ${n} in a store downtown.
    """
)
AGE = templates(
    """
    {owner} is {tens} years old.
    {owner} turned {tens} years old last month.
    {owner} has a house that is {tens} years old.
    {owner} drives a car that is {tens} years old.
    """
)
#: Where a measure is asked for, by its kind.
ASKED_UNITS: dict[str, tuple[Template, ...]] = {
    "time": templates(
        """
        {owner} waited {tens} minutes at the station.
        {owner} worked {tens} hours last week.
        {owner} practiced the piano for {tens} hours last month.
        Last summer, {owner} was away for {tens} days.
        {owner} painted a fence in {tens} hours.
        {owner} has lived in town for {tens} years.
        {owner} talked on the phone for {tens} minutes.
        """
    ),
    "length": templates(
        """
        {owner} walked {tens} miles last weekend.
        {owner} lives {hundreds} miles from the lake.
        Last summer, {owner} drove {n} miles to the coast.
        {owner} ran {tens} miles last month.
        {owner} has a garden that is {hundreds} feet long.
        {owner} bought {hundreds} feet of rope.
        """
    ),
    "weight": templates(
        """
        {owner} bought {hundreds} pounds of potatoes.
        {owner} lifted {hundreds} pounds at the gym.
        {owner} has a dog that weighs {tens} pounds.
        Last year, {owner} carried {hundreds} pounds of books upstairs.
        """
    ),
    "volume": templates(
        """
        {owner} bought {n} gallons of paint.
        {owner} has a tank of {n} gallons.
        Last week, {owner} used {n} gallons of water in the garden.
        """
    ),
}
#: For words with more than one sense.
SEEN = templates(_SEEN)
#: For things that are only a part of something.
PARTS = templates(
    """
    {owner} counted {n} {things} on a trip to the coast.
    {owner} dreamed of {n} {things} last night.
    Last week, {owner} read about {n} {things} in the newspaper.
    {owner} once wrote about {n} {things} in a diary.
    """
)
#: The question's things are in it, and something else is counted.
SCENE_OF_ANYTHING = templates(
    """
    {owner} wrote {n} pages about {things}.
    {owner} knows {hundreds} jokes about {things}.
    {owner} knows {tens} songs about {things}.
    {owner} collected {n} riddles about {things}.
    {owner} read {hundreds} poems about {things}.
    {owner} told {tens} stories about {things} last night.
    {owner} read {tens} articles about {things} last year.
    {owner} watched {hundreds} videos about {things} last week.
    {owner} has seen {tens} films about {things}.
    """
)
#: The same for what can be pictured.
SCENE_OF_THINGS = templates(
    """
    {owner} has {n} postcards of {things}.
    Last year, {owner} made {hundreds} drawings of {things}.
    {owner} has {hundreds} cartoons of {things} on a wall.
    Last summer, {owner} took {n} photographs of {things}.
    {owner} keeps {n} stickers of {things} in an album.
    {owner} made {hundreds} sketches of {things} last month.
    """
)
#: The same without a plural that "they" could mean.
SCENE_SINGULAR = templates(
    """
    {owner} paid ${n} for a painting of {a_thing}.
    {owner} sold a photograph of {a_thing} for ${n}.
    {owner} spent {tens} hours on a drawing of {a_thing}.
    {owner} watched a cartoon about {a_thing} for {hundreds} minutes.
    {owner} painted {a_thing} on a wall that is {tens} feet high.
    {owner} walked {tens} miles to see a painting of {a_thing}.
    {owner} worked for {tens} days on a painting of {a_thing}.
    """
)
#: Nobody is in it.
TOPIC_OF_ANYTHING = templates(
    """
    A book in the library of {town} has {n} pages about {things}.
    A website about {town} lists {n} riddles about {things}.
    A class in {town} wrote {tens} essays about {things}.
    The newspaper of {town} printed {hundreds} letters about {things} last year.
    An archive in {town} keeps {hundreds} songs about {things}.
    A club in {town} collected {tens} tales about {things}.
    """
)
TOPIC_OF_THINGS = templates(
    """
    A magazine from {town} has {hundreds} photographs of {things}.
    A museum in {town} shows {n} paintings of {things}.
    A comic book from {town} has {tens} cartoons of {things}.
    A catalog from {town} shows {n} pictures of {things}.
    A school in {town} has {hundreds} drawings of {things}.
    """
)
TOPIC_SINGULAR = templates(
    """
    In {town}, a painting of {a_thing} was sold for ${n}.
    In {town}, a cartoon about {a_thing} ran for {hundreds} minutes.
    In {town}, a statue of {a_thing} weighs {n} pounds.
    In {town}, a mural of {a_thing} is {tens} feet high.
    In {town}, a poster of {a_thing} is {tens} feet wide.
    In {town}, a play about {a_thing} has run for {tens} weeks.
    """
)
