"""The sentences of `sd`: about the things and the person of a question, without a quantity.

Slots: {form} is a noun of the question in the number that the question uses; {was}, {look}, {have} and {cover} agree
with it. {nouns} is its plural (a mass noun as it is), {noun} its singular. {name} is the only person of the question.
No sentence counts, compares, hands over, makes or ends anything. `noise/sd_kinds.py` says which nouns a group fits.
"""

from __future__ import annotations

from noise.proposals import templates
from noise.sd_slots import SLOTS

# For whatever can be seen and has an outside.
THINGS = templates(
    """
    The {form} looked nice in the afternoon light.
    The {form} {was} clean and in good shape.
    The {form} {was} easy to see from the door.
    The {form} had a nice color.
    The {form} looked great in the sunlight.
    The {form} {was} of good quality.
    The {form} looked neat and clean.
    The {form} {was} nice to look at.
    The {form} looked neat in the lamp light.
    The {form} had a nice shape.
    The {form} could be seen through the window.
    The color of the {form} was very nice.
    The look of the {form} was very nice.
    Warm light was shining on the {form}.
    Soft light was shining on the {form}.
    Sunlight was shining on the {form}.
    Morning light was shining on the {form}.
    Photos of the {form} looked very nice.
    The {form} looked good by lamp light.
    The {form} {was} plain and simple.
    Morning sun was shining on the {form}.
    Dust danced in the sunlight near the {form}.
    The {form} looked pretty from across the room.
    {people} liked the look of the {form}.
    {people} admired the {form}.
    {people} often looked at the {form}.
    {people} had a good look at the {form}.
    Talk {talking} was about the look of the {form}.
    """,
    SLOTS,
)
EDIBLES = templates(
    """
    The {form} tasted great.
    The {form} looked delicious.
    The {form} {was} fresh and tasty.
    The {form} {was} popular with the family.
    The {form} {was} a favorite of the neighbors.
    The taste of the {form} was wonderful.
    {people} asked about the {form} {talking}.
    {people} liked to look at the {form} {daytime}.
    The {form} tasted good {daytime}.
    Photos of the {form} looked delicious.
    Soft light was shining on the plate with the {form}.
    {people} liked the taste of the {form}.
    {people} liked the smell of the {form}.
    {people} were excited about the {form}.
    {people} talked about the {form} {talking}.
    Talk {talking} was about the taste of the {form}.
    The {form} looked very good {daytime}.
    {people} joked about the {form} {talking}.
    {people} chatted about the {form} {talking}.
    {people} admired the {form} {daytime}.
    """,
    SLOTS,
)
# Of what has pages: it is read rather than looked at.
READING = templates(
    """
    The {form} {was} fun to read.
    The {form} {was} very interesting.
    The {form} {was} in good shape.
    The {form} {was} easy to read.
    The {form} {was} well written.
    The {cover} of the {form} {was} very pretty.
    The {cover} of the {form} had a nice color.
    Warm light was shining on the {form}.
    Soft light was shining on the {cover} of the {form}.
    {people} liked the {cover} of the {form}.
    {people} liked the {form}.
    {people} were talking about the {form}.
    {people} chatted about the {form} {talking}.
    """,
    SLOTS,
)
BAKED = templates(
    """
    The {form} smelled delicious.
    The smell of the {form} was wonderful.
    The kitchen smelled like {nouns}.
    Warm air carried the smell of the {form} outside.
    """
)
CREATURES = templates(
    """
    The {form} looked healthy.
    The {form} looked happy and healthy.
    The {form} {was} fun to watch.
    The {form} looked beautiful in the sunlight.
    The {form} {was} a lovely sight.
    The {form} {was} calm and quiet in the morning.
    The {form} liked the warm weather.
    Photos of the {form} looked beautiful.
    Soft light was shining on the {form}.
    Warm sunlight was shining on the {form}.
    {people} like to watch the {form}.
    {people} like to look at the {form}.
    {people} like to draw pictures of {nouns}.
    {people} talked about the {form} {talking}.
    {people} chatted about the {form} {talking}.
    """,
    SLOTS,
)
PETS = templates(
    """
    The {form} {was} friendly.
    The {form} {was} in a playful mood.
    The {form} slept well during the night.
    The {form} {was} curious about the visitors.
    The {form} liked to nap in the shade.
    """
)
PLANTS = templates(
    """
    The {form} looked lovely in the morning sun.
    The {form} {was} wet with dew in the morning.
    The {form} swayed gently in the breeze.
    The {form} smelled nice after the rain.
    Bees were buzzing around the {form}.
    Butterflies were flying around the {form}.
    Birds were singing near the {form}.
    People like to walk by the {form}.
    The smell of the {form} was lovely.
    """
)
LOCATIONS = templates(
    """
    The {form} {was} clean and tidy.
    The {form} looked nice in the evening light.
    The {form} {was} quiet in the morning.
    The {form} {was} bright and cheerful.
    The {form} {was} well known for a friendly feel.
    The {form} {was} easy to see from far away.
    Music could be heard near the {form}.
    Birds were singing near the {form}.
    A light breeze was blowing near the {form}.
    Sunlight was shining on the {form}.
    Photos of the {form} looked very nice.
    The way to the {form} is lined with trees.
    Soft light was shining on the {form}.
    Warm air was blowing near the {form}.
    {people} like the {form}.
    {people} often talk about the {form}.
    {people} often walk by the {form}.
    Small talk {talking} was about the {form}.
    """,
    SLOTS,
)
INDOORS = templates(
    """
    The {form} {was} clean and tidy.
    The {form} {was} bright and cheerful.
    The {form} {was} quiet in the morning.
    The {form} looked nice {daytime}.
    The {form} {was} warm and cozy.
    The {form} had a friendly feel.
    Music could be heard in the {form}.
    Soft light was shining in the {form}.
    Warm air was blowing in the {form}.
    Fresh air was blowing through the {form}.
    {people} liked the look of the {form}.
    {people} often talk about the {form}.
    {people} chatted about the {form} {talking}.
    """,
    SLOTS,
)
PEOPLE = templates(
    """
    The {form} {was} in a good mood.
    The {form} {was} polite and friendly.
    The {form} {was} happy about the weather.
    The {form} enjoyed the sunshine.
    The {form} liked to tell jokes.
    The {form} {was} smiling.
    The {form} {was} fond of music.
    The {form} {was} glad about the warm weather.
    The {form} talked about the weather.
    The {form} slept well during the night.
    The {form} looked happy in the photo.
    The {form} {was} looking forward to the summer.
    The {form} sang a song.
    The {form} liked to talk about movies.
    Music put the {form} in a good mood.
    Soft music was playing for the {form}.
    The {form} {was} in high spirits.
    The {form} {was} chatting about music.
    The {form} liked to laugh.
    The {form} {was} humming a song.
    {people} waved to the {form}.
    {people} said hello to the {form}.
    """,
    SLOTS,
)
EVENTS = templates(
    """
    The {form} {was} the talk of the town.
    The weather was nice during the {form}.
    The {form} {was} well organized.
    The mood at the {form} was cheerful.
    Music was playing during the {form}.
    Photos of the {form} looked very nice.
    Word about the {form} spread in town.
    {people} were excited about the {form}.
    {people} like to talk about the {form}.
    {people} talked about the {form} {talking}.
    Talk {talking} was about the {form}.
    """,
    SLOTS,
)
