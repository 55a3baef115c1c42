"""The sentences of `ic`. Every cell of its design draws from the same ones, so that they differ in nothing else.

Slots: {who} is the owner, {n} a number, {things} a plural, {a_thing} its singular with an article, {town} a town that
is no part of the question's. No sentence has a pronoun, and none hands anything to somebody of the question. Before
each stands from which number to which it makes sense: nobody draws 900 boats, and no text has 3 words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from noise.proposals import Template, templates


class SizedTemplate(NamedTuple):
    """A template and the numbers that it bears, both ends included."""

    template: Template
    least: int
    most: int


def _sized(lines: str) -> tuple[SizedTemplate, ...]:
    sized = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        numbers, _, text = line.partition(" ")
        least, _, most = numbers.replace("_", "").partition("-")
        sized.append(SizedTemplate(templates(text)[0], int(least), int(most)))
    return tuple(sized)


def bearing(stock: Sequence[SizedTemplate], low: int, high: int) -> tuple[Template, ...]:
    """Return the templates that bear every number from `low` to `high`."""
    return tuple(template for template, least, most in stock if least <= low and high <= most)


#: What is had, bought and sold.
HELD = _sized(
    """
    2-160 {who} has {n} {things}.
    2-160 {who} bought {n} {things} last month.
    2-160 {who} keeps {n} {things} at work.
    2-160 {who} had {n} {things} on a table last week.
    2-250 {who} sold {n} {things} at a stand last month.
    2-250 {who} counted {n} {things} at a fair last year.
    2-60 {who} drew {n} {things} on a poster last week.
    2-160 {who} read a story about {n} {things} last week.
    2-9_000_000 {who} collected {n} {things} in a video game last week.
    6-9_000_000 {who} read about a store in {town} with {n} {things}.
    6-9_000_000 {who} saw a film about a ship with {n} {things}.
    6-9_000_000 {who} wrote a story about a train with {n} {things}.
    6-9_000 Last month, {who} read about a warehouse with {n} {things}.
    """
)
#: What is seen on the way, and not carried home.
SEEN = _sized(
    """
    2-160 {who} saw {n} {things} on a trip last year.
    2-160 {who} counted {n} {things} on a trip last year.
    2-60 Last summer, {who} photographed {n} {things}.
    2-60 {who} drew {n} {things} on a poster last week.
    2-160 {who} read a story about {n} {things} last week.
    2-160 {who} saw a cartoon with {n} {things} last week.
    2-9_000_000 {who} saw {n} {things} in a video game last week.
    6-9_000_000 {who} wrote a story about an island with {n} {things}.
    6-9_000_000 Last month, {who} read about an island with {n} {things}.
    6-9_000_000 {who} saw a film about an island with {n} {things}.
    40-9_000_000 {who} read about a country with {n} {things}.
    """
)
#: Something else is counted, and the things are what it is about.
ABOUT = _sized(
    """
    2-300 {who} wrote {n} pages about {things} last year.
    2-900 {who} read {n} pages about {things} last year.
    2-60 {who} knows {n} jokes about {things}.
    2-60 {who} asked {n} questions about {things} in a quiz last week.
    2-30 {who} has {n} books about {things}.
    2-200 {who} watched {n} videos about {things} last year.
    2-400 {who} knows a book of {n} pages about {things}.
    2-9_000_000 {who} found {n} websites about {things} last week.
    6-9_000_000 {who} watched a video about {things} with {n} views.
    60-20_000 {who} read a text of {n} words about {things}.
    60-20_000 {who} wrote {n} words about {things} last year.
    6-9_000_000 A video about {things} by {who} has {n} views.
    """
)
#: The same for what can be pictured.
PICTURED = ABOUT + _sized(
    """
    2-60 {who} made {n} sketches of {things} last month.
    2-120 Last summer, {who} took {n} photographs of {things}.
    3-60 {who} has a calendar with {n} pictures of {things}.
    3-300 {who} has a book with {n} pictures of {things}.
    2-9_000_000 {who} found {n} pictures of {things} on a website.
    12-9_000 {who} has a puzzle of {n} pieces with a picture of {things}.
    20-90_000 {who} has an app with {n} pictures of {things}.
    """
)
#: The same without a plural that "they" could mean.
SINGULAR = _sized(
    """
    2-240 {who} watched a film about {a_thing} for {n} minutes.
    2-240 {who} wrote about {a_thing} for {n} minutes.
    2-100 {who} read about {a_thing} for {n} minutes.
    2-60 {who} looked for a book about {a_thing} for {n} minutes.
    2-9_000 {who} watched a video about {a_thing} for {n} seconds.
    4-400 {who} paid ${n} for a book about {a_thing}.
    60-9_000_000 {who} made ${n} with a film about {a_thing}.
    60-9_000_000 A film about {a_thing} by {who} cost ${n}.
    """
)
SINGULAR_PICTURED = SINGULAR + _sized(
    """
    2-240 {who} spent {n} minutes on a drawing of {a_thing}.
    4-900 {who} paid ${n} for a picture of {a_thing}.
    6-90 {who} has a poster of {a_thing} with a width of {n} inches.
    60-9_000_000 {who} sold a painting of {a_thing} for ${n}.
    20-90_000 {who} has a picture of {a_thing} with a weight of {n} grams.
    """
)
#: Nobody is in it.
NOBODY = _sized(
    """
    2-1_500 A book in the library of {town} has {n} pages about {things}.
    2-120 The library of {town} has {n} books about {things}.
    2-300 The newspaper of {town} printed {n} articles about {things} last year.
    2-900 A class in {town} wrote {n} pages about {things} last year.
    2-9_000_000 A website from {town} has {n} pages about {things}.
    6-9_000_000 A video from {town} about {things} has {n} views.
    60-90_000 In the newspaper of {town}, a text about {things} has {n} words.
    """
)
NOBODY_PICTURED = NOBODY + _sized(
    """
    2-300 A magazine from {town} has {n} photographs of {things}.
    3-60 A calendar from {town} has {n} pictures of {things}.
    2-900 A catalog from {town} shows {n} pictures of {things}.
    2-9_000_000 A website from {town} has {n} pictures of {things}.
    90-9_000_000 The archive of {town} keeps {n} pictures of {things}.
    """
)
NOBODY_SINGULAR = _sized(
    """
    2-240 In {town}, a film about {a_thing} ran for {n} minutes.
    4-400 In {town}, a book about {a_thing} was sold for ${n}.
    2-9_000 In {town}, a video about {a_thing} runs for {n} seconds.
    60-9_000_000 In {town}, a film about {a_thing} cost ${n}.
    """
)
NOBODY_SINGULAR_PICTURED = NOBODY_SINGULAR + _sized(
    """
    6-300 In {town}, a mural of {a_thing} is {n} feet long.
    20-90_000 In {town}, a picture of {a_thing} weighs {n} grams.
    60-9_000_000 In {town}, a painting of {a_thing} was sold for ${n}.
    """
)
