"""The sentences of `ic`. Every cell of its design draws from the same ones, so that they differ in nothing else.

Slots: {who} is the owner, {n} a number, {things} a plural, {a_thing} its singular with an article, {town} a town that
is no part of the question's. No sentence has a pronoun, and none hands anything to somebody of the question.
"""

from __future__ import annotations

from noise.proposals import templates

#: What somebody did with things of any kind.
COUNTED = templates(
    """
    {who} saw {n} {things} on a trip last year.
    {who} counted {n} {things} last summer.
    {who} once drew {n} {things} on a wall.
    Last summer, {who} photographed {n} {things}.
    {who} talked about {n} {things} on the phone.
    {who} told a story about {n} {things}.
    Last week, {who} read about {n} {things} in the newspaper.
    {who} dreamed of {n} {things} last night.
    """
)
#: The same for what can be carried home.
OWNED = COUNTED + templates(
    """
    {who} has {n} {things}.
    {who} bought {n} {things} last month.
    {who} won {n} {things} in a raffle.
    {who} once owned {n} {things}.
    {who} keeps {n} {things} at work.
    Last year, {who} packed {n} {things} for a move.
    {who} sold {n} {things} at a stand last month.
    Last summer, {who} gave {n} {things} to a charity.
    """
)
#: Something else is counted, and the things are what it is about.
ABOUT = templates(
    """
    {who} wrote {n} pages about {things}.
    {who} knows {n} jokes about {things}.
    {who} sang {n} songs about {things} last year.
    {who} collected {n} riddles about {things}.
    {who} read {n} poems about {things}.
    {who} told {n} stories about {things} last year.
    {who} watched {n} videos about {things}.
    {who} printed {n} articles about {things}.
    """
)
#: The same for what can be pictured.
ABOUT_PICTURED = ABOUT + templates(
    """
    {who} has {n} postcards of {things}.
    Last year, {who} painted {n} portraits of {things}.
    {who} has {n} cartoons of {things} on a wall.
    Last summer, {who} took {n} photographs of {things}.
    {who} keeps {n} stickers of {things} in an album.
    {who} made {n} sketches of {things} last month.
    """
)
#: The same without a plural that "they" could mean.
SINGULAR = templates(
    """
    {who} paid ${n} for a painting of {a_thing}.
    {who} walked {n} miles to see a statue of {a_thing}.
    {who} spent {n} minutes on a drawing of {a_thing}.
    {who} watched a film about {a_thing} for {n} minutes.
    {who} owns a statue of {a_thing} that weighs {n} pounds.
    {who} painted {a_thing} on a wall that is {n} feet long.
    """
)
#: Nobody is in it.
NOBODY = templates(
    """
    A book in the library of {town} has {n} pages about {things}.
    A website about {town} lists {n} riddles about {things}.
    The newspaper of {town} printed {n} letters about {things} last year.
    A radio station in {town} played {n} songs about {things} last month.
    A magazine from {town} has {n} photographs of {things}.
    A museum in {town} shows {n} paintings of {things}.
    A catalog from {town} shows {n} pictures of {things}.
    """
)
NOBODY_SINGULAR = templates(
    """
    In {town}, a painting of {a_thing} was sold for ${n}.
    In {town}, a film about {a_thing} ran for {n} minutes.
    In {town}, a statue of {a_thing} weighs {n} pounds.
    In {town}, a mural of {a_thing} is {n} feet long.
    """
)
