"""The sentences of `sd` about a question's only person, {name}; the slots are those of `sd_templates`."""

from __future__ import annotations

from noise.proposals import templates
from noise.sd_slots import SLOTS

THINGS_OF_NAME = templates(
    """
    {name} likes the color of the {form}.
    {name} is very proud of the {form}.
    {name} thinks the {form} {look} nice.
    {name} is happy with the look of the {form}.
    {name} is very careful with the {form}.
    {name} likes to talk about the {form}.
    {name} thinks the {form} {have} a nice color.
    {name} wants to draw a picture of the {form}.
    {name} was looking at the {form} {daytime}.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    {name} likes to look at the {form} {daytime}.
    """,
    SLOTS,
)
READING_OF_NAME = templates(
    """
    {name} likes the {cover} of the {form}.
    {name} likes to talk about the {form}.
    {name} is very careful with the {form}.
    {name} thinks the {form} {look} interesting.
    {name} was excited about the {form}.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    """,
    SLOTS,
)
EDIBLES_OF_NAME = templates(
    """
    {name} loves the taste of {nouns}.
    {name} thinks the {form} {look} delicious.
    {name} likes to talk about {nouns}.
    {name} is very fond of {nouns}.
    {name} has loved {nouns} since childhood.
    {name} likes the look of the {form}.
    {name} was hungry and looked at the {form}.
    {name} likes to read about {nouns} in a cookbook.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    {name} was dreaming about the {form} {daytime}.
    {name} joked about the {form} {talking}.
    {name} chatted about the {form} {talking}.
    {name} was smiling at the {form} {daytime}.
    """,
    SLOTS,
)
CREATURES_OF_NAME = templates(
    """
    {name} likes to watch the {form}.
    {name} is very fond of {nouns}.
    {name} likes to read about {nouns}.
    {name} thinks the {form} {look} beautiful.
    {name} has loved {nouns} since childhood.
    {name} likes to draw pictures of the {form}.
    {name} likes to talk about the {form}.
    {name} was watching the {form} {daytime}.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    """,
    SLOTS,
)
LOCATIONS_OF_NAME = templates(
    """
    {name} likes the look of the {form}.
    {name} knows the way to the {form} by heart.
    {name} thinks the {form} {look} nice in the sunlight.
    {name} likes to talk about the {form}.
    {name} has fond memories of the {form}.
    {name} likes to draw pictures of the {form}.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    """,
    SLOTS,
)
PEOPLE_OF_NAME = templates(
    """
    {name} likes to joke with the {form}.
    {name} is very kind to the {form}.
    {name} was talking with the {form} about the weather.
    {name} likes to talk about music with the {form}.
    {name} smiled at the {form}.
    {name} is on good terms with the {form}.
    """
)
EVENTS_OF_NAME = templates(
    """
    {name} was very excited about the {form}.
    {name} was looking forward to the {form}.
    {name} dreamed about the {form} during the night.
    {name} likes to talk about the {form}.
    {name} has fond memories of the {form}.
    {name} was in a good mood during the {form}.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    """,
    SLOTS,
)
PASTIMES_OF_NAME = templates(
    """
    {name} enjoys {nouns}.
    {name} is very fond of {nouns}.
    {name} likes to talk about {nouns}.
    {name} likes to read about {nouns}.
    {name} has loved {nouns} since childhood.
    {name} was dreaming about {nouns}.
    """
)
TALK_OF_NAME = templates(
    """
    {name} likes to talk about the {form}.
    {name} dreamed about the {form} during the night.
    {name} was thinking about the {form} on the way home.
    {name} wrote about the {form} in a diary.
    {name} talked about the {form} {talking}.
    {name} was thinking about the {form} {daytime}.
    {name} had a question about the {form} {talking}.
    """,
    SLOTS,
)
# Of a person alone, where the question has no thing that a sentence could take up.
NAME_ALONE = templates(
    """
    {name} was in a good mood.
    {name} was humming a song.
    {name} likes sunny weather.
    {name} slept well during the night.
    {name} enjoyed the sunshine.
    {name} likes to listen to music.
    {name} was smiling in the morning.
    {name} likes to tell jokes.
    {name} likes warm weather.
    {name} was feeling great.
    {name} likes to look at the clouds.
    {name} was happy about the nice weather.
    """
)
