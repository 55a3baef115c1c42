"""The sentences of `sd`: about the nouns of a question, without a quantity.

Slots: {nouns} is a noun of the question in the plural (a mass noun as it is), {noun} its singular. {form} is the noun
in the number that the question uses, and {was} agrees with it. {name} is the only person of the question. No sentence
counts, compares, hands over, makes or ends anything.
"""

from __future__ import annotations

from noise.proposals import draw, templates

# For nouns that can be pictured. The subject is one thing: not before an open "it".
PICTURES = templates(
    """
    A poster about {nouns} hung in the hallway of a nearby building.
    A local painter is known for cheerful pictures of {nouns}.
    A nearby museum has a quiet room devoted to {nouns}.
    The town library keeps old postcards of {nouns} in a glass cabinet.
    A mural of {nouns} covers the wall across the street.
    A famous photographer is known for black-and-white pictures of {nouns}.
    A calendar with pictures of {nouns} hung beside the door.
    A stained-glass window in the chapel shows {nouns} in bright colors.
    A sign with a drawing of {nouns} creaked in the wind.
    A tapestry with a pattern of {nouns} hangs in the town hall.
    A bookshop downtown displayed a picture book about {nouns} in the window.
    A sketch of {nouns} was pinned to the notice board.
    A craftsman in the old town carves tiny figures of {nouns}.
    A cartoon about {nouns} was playing on a screen in the corner.
    """
)
# For any noun. The subject is one thing: not before an open "it".
TALK_SINGULAR = templates(
    """
    An old song about {nouns} was playing softly on the radio.
    A radio host was chatting happily about {nouns}.
    The local newspaper printed a friendly article about {nouns}.
    A well-known poet wrote warmly about {nouns}.
    A documentary about {nouns} was on television in the evening.
    A neighbor hummed a tune about {nouns} while sweeping the sidewalk.
    The dictionary has a charming entry on {nouns}.
    A travel writer described {nouns} with great affection.
    The museum guide spoke at length about {nouns}.
    A puppet theater downtown was performing a fairy tale about {nouns}.
    A gentle breeze carried the sound of voices talking about {nouns}.
    A lecture about {nouns} was announced on the notice board.
    The librarian was happily arranging old magazines about {nouns}.
    A crossword in the newspaper had a clue about {nouns}.
    A schoolbook from long ago has a chapter about {nouns}.
    The mayor was preparing a cheerful speech about {nouns}.
    A quiz show on the radio had a question about {nouns}.
    A street singer was performing a ballad about {nouns}.
    A theater downtown was rehearsing a comedy about {nouns}.
    A podcast about {nouns} was playing quietly somewhere nearby.
    A letter to the editor complained politely about {nouns}.
    The village choir was practicing a hymn about {nouns}.
    A friendly debate about {nouns} was on the radio.
    """
)
# For any noun. The subject is nobody and nothing in particular: safe before an open "it".
TALK_PLURAL = templates(
    """
    People in the neighborhood enjoy chatting about {nouns}.
    Old proverbs often mention {nouns}.
    Poets often write about {nouns}.
    Opinions about {nouns} differ from town to town.
    Conversation in the street soon turned to {nouns}.
    Visitors from abroad like to talk about {nouns}.
    Journalists like writing cheerful columns about {nouns}.
    Rumors about {nouns} travel quickly in a small town.
    Philosophers have long argued about {nouns}.
    Grandparents in the region like to tell stories about {nouns}.
    Talk shows often invite experts on {nouns}.
    Jokes about {nouns} are popular in the region.
    Novelists often write about {nouns}.
    Comedians like to joke about {nouns}.
    Dreams about {nouns} are said to bring luck.
    Letters to the editor often mention {nouns}.
    Books about {nouns} are popular in the library.
    Questions about {nouns} often come up in quiz shows.
    """
)
LORE = templates(
    """
    Folk tales from the region often speak of {nouns}.
    Painters have long been fond of {nouns}.
    Historians like to discuss the origin of {nouns}.
    Old photographs of {nouns} decorate the walls of the town hall.
    Local legends about {nouns} are popular with tourists.
    Traditional songs about {nouns} are popular in the region.
    Pictures of {nouns} decorated the windows along the street.
    Writers of fairy tales are fond of {nouns}.
    Embroidered curtains with pictures of {nouns} are typical of the region.
    Nursery rhymes often mention {nouns}.
    """
)
# Of a kind of thing in general: safe before an open "they".
NOUN_AS_KIND = templates(
    """
    The history of the {noun} goes back to ancient times.
    An old legend explains the origin of the {noun}.
    The shape of the {noun} has inspired a famous painter.
    A nearby museum has an exhibit on the history of the {noun}.
    The radio was playing an old song about a lonely {noun}.
    A famous poem praises the humble {noun}.
    A mural across the street shows a cheerful {noun}.
    A well-known proverb mentions the humble {noun}.
    A tall sign in the shape of a {noun} stood by the road.
    A fairy tale about a magic {noun} was on the radio.
    A famous painter is known for a portrait of a {noun}.
    The local newspaper printed a friendly article about the humble {noun}.
    A stained-glass window in the chapel shows a {noun} in bright colors.
    A lecture on the history of the {noun} was announced on the radio.
    A nursery rhyme about a sleepy {noun} is popular in the region.
    The town crest shows a golden {noun} on a blue field.
    A documentary about the {noun} was on television in the evening.
    A riddle about a talking {noun} is popular in the region.
    A weathervane in the shape of a {noun} turned slowly in the wind.
    Folklore has a special place for the humble {noun}.
    Local legend speaks of a golden {noun}.
    Gossip in the street was about a painting of a {noun}.
    Tradition in the region honors the humble {noun}.
    Conversation on the radio turned to the history of the {noun}.
    Literature has long been kind to the humble {noun}.
    Folk wisdom in the region praises the humble {noun}.
    Music about a lonely {noun} was playing in the distance.
    """
)
# Of the word itself: for people, and for abstract nouns.
NOUN_AS_WORD = templates(
    """
    The dictionary has a charming entry on the word {noun}.
    The word {noun} is printed in bold in the dictionary.
    The crossword in the newspaper has {noun} as an answer.
    A professor on the radio was explaining the origin of the word {noun}.
    A language teacher was explaining the word {noun} to a foreign visitor.
    The word {noun} appears in a famous poem.
    The word {noun} can be heard in an old song on the radio.
    A spelling guide lists the word {noun} near the top of the page.
    Usage of the word {noun} differs from region to region.
    Spelling of the word {noun} goes back to medieval times.
    Pronunciation of the word {noun} differs from region to region.
    Poetry with the word {noun} was playing on the radio.
    """
)
# For mass nouns: no pronoun but "it" could mean them.
MASS_NOUNS = templates(
    """
    Folklore has a special place for {nouns}.
    Local legend often speaks of {nouns}.
    Gossip in the street was about {nouns}.
    Conversation on the radio turned to the history of {nouns}.
    Literature has long been kind to {nouns}.
    Tradition in the region honors {nouns}.
    Folk wisdom in the region praises {nouns}.
    Music about {nouns} was playing in the distance.
    """
)
THINGS = templates(
    """
    The {form} looked cheerful in the afternoon light.
    The {form} {was} neatly arranged and easy to see.
    The {form} had a pleasant, familiar look.
    The {form} reminded the neighbors of happy summers.
    The {form} caught the eye of a passing photographer.
    Dust danced in the sunlight around the {form}.
    The {form} cast a soft shadow on the ground.
    The color of the {form} went nicely with the curtains.
    Sunlight fell on the {form} through a tall window.
    A curious cat was sniffing at the {form}.
    The {form} {was} of a kind popular in the region.
    A visitor admired the {form} with a smile.
    """
)
FOOD = templates(
    """
    The {form} had a lovely smell.
    The {form} looked fresh and colorful.
    The smell of {nouns} drifted through the neighborhood.
    A chef on television was praising {nouns}.
    The {form} {was} popular with visitors from abroad.
    A cookbook on the shelf had a glossy photograph of {nouns} on the cover.
    Doctors and cooks like to argue about {nouns}.
    The color of the {form} reminded a passing painter of autumn.
    Recipes with {nouns} are handed down in the region.
    The {form} shone in the light of the lamp.
    """
)
ANIMALS = templates(
    """
    The {form} seemed calm and content.
    The {form} had gentle eyes and a soft voice.
    The {form} liked to rest in the shade.
    A veterinarian on the radio was talking about {nouns}.
    The {form} {was} curious about the noise of the wind.
    Children in the neighborhood like drawing pictures of {nouns}.
    The {form} {was} friendly toward strangers.
    A nature magazine had a beautiful photograph of {nouns} on the cover.
    The {form} watched the clouds drift by.
    Scientists have long studied the habits of {nouns}.
    """
)
PLANTS = templates(
    """
    The {form} swayed gently in the breeze.
    The {form} looked lovely in the morning sun.
    Bees were humming around the {form}.
    A gardener on the radio was praising {nouns}.
    The {form} {was} wet with dew.
    The scent of the {form} drifted across the street.
    A painter had set up an easel in front of the {form}.
    The {form} attracted colorful butterflies.
    """
)
LOCATIONS = templates(
    """
    The road to the {form} is lined with tall trees.
    The {form} {was} well known for a friendly atmosphere.
    A gentle breeze was blowing around the {form}.
    Soft music could be heard near the {form}.
    The sign in front of the {form} was freshly painted.
    Birds were singing in the trees around the {form}.
    The {form} looked lovely in the evening light.
    A stray cat likes to nap in front of the {form}.
    Sunlight streamed across the {form} in the afternoon.
    Old photographs of the {form} hang in the town hall.
    The view from the {form} is popular with painters.
    A street musician was playing near the {form}.
    """
)
PEOPLE = templates(
    """
    The {form} {was} in a cheerful mood.
    The {form} chatted happily about the weather.
    The {form} {was} known for good manners.
    The {form} had a fondness for old songs.
    The {form} greeted the neighbors politely.
    The {form} hummed a cheerful tune.
    The {form} enjoyed the pleasant weather.
    The {form} liked to talk about old films.
    The {form} had a friendly smile.
    The {form} {was} fond of fairy tales.
    """
)
WITH_NAME = templates(
    """
    {name} likes looking at old pictures of {nouns}.
    {name} enjoys listening to songs about {nouns}.
    {name} was humming a tune about {nouns}.
    {name} likes talking about {nouns} with the neighbors.
    {name} has fond childhood memories of {nouns}.
    {name} often daydreams about {nouns}.
    {name} is fond of poems about {nouns}.
    {name} saw a documentary about {nouns} on television.
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
