"""The sentences of `sd` that speak of talk, of words and of the weather; the slots are those of `sd_templates`."""

from __future__ import annotations

from noise.proposals import draw, templates
from noise.sd_slots import SLOTS

# What somebody does or plays: basketball, gardening.
PASTIMES = templates(
    """
    Songs about {nouns} are popular with children.
    Talk on the radio was about {nouns}.
    {people} like to talk about {nouns}.
    {people} enjoy {nouns}.
    {people} were talking about {nouns}.
    {people} are fond of {nouns}.
    Talk {talking} was about {nouns}.
    """,
    SLOTS,
)
# For anything of a question: a price, a plan, a letter.
TALK = templates(
    """
    {people} were talking about the {form}.
    {people} talked about the {form} {talking}.
    {people} had questions about the {form}.
    {people} were asking about the {form}.
    {people} were curious about the {form}.
    {people} chatted about the {form} {talking}.
    Talk {talking} was about the {form}.
    Small talk {talking} was about the {form}.
    The topic of the {form} came up {talking}.
    Questions about the {form} came up {talking}.
    The {form} {was} a popular topic.
    The {form} came up in a talk with the neighbors.
    A note about the {form} was on the desk.
    A letter about the {form} was on the table.
    A note about the {form} hung on the wall.
    Notes about the {form} were on the desk.
    {people} asked questions about the {form} {talking}.
    {people} joked about the {form} {talking}.
    Jokes about the {form} came up {talking}.
    """,
    SLOTS,
)
# Of the word itself: whatever it means in the question.
WORDS = templates(
    """
    The word {noun} was in a song on the radio.
    The word {noun} was on a spelling test.
    The word {noun} is easy to spell.
    The word {noun} was in a crossword.
    The word {noun} was in a poem on the wall.
    The word {noun} was in the title of a movie.
    The word {noun} is in a well-known song.
    The word {noun} was the answer to a riddle.
    The word {noun} was in a headline.
    The word {noun} is in the dictionary.
    """
)
WORDS_SAFE = templates(
    """
    Music with the word {noun} in the title was playing.
    Talk on the radio turned to the word {noun}.
    Chalk on the board spelled the word {noun}.
    Red paint on a wall spelled the word {noun}.
    """
)
WEATHER = templates(
    """
    Soft music was playing in the background.
    The sky was clear and the air was pleasant.
    Birds were singing in the distance.
    A gentle breeze was blowing from the west.
    The weather was mild and sunny.
    Clouds drifted slowly across the sky.
    The street outside was calm and quiet.
    Sunlight was streaming through the window.
    The smell of rain was in the air.
    A church bell was ringing in the distance.
    """
)
NEUTRAL = templates(
    """
    Soft music was playing {where}.
    Sunlight was streaming in from outside.
    Sunlight was shining {where}.
    Wind was whispering {where}.
    Rain was pattering softly {where}.
    Moonlight was shining faintly {where}.
    Snow was melting quietly {where}.
    Laughter was echoing {where}.
    Traffic was humming {where}.
    Fresh air was drifting in from outside.
    Steam was rising slowly {where}.
    Gossip was spreading {where}.
    Grass was rustling {where}.
    """,
    {"where": lambda rng: draw(("in the background", "in the distance", "outside", "far away"), rng)},
)
