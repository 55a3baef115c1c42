"""The words of the placebos, and how they join into a sentence: weather, light, sounds, plants and manners.

A sentence is one clause or more, such as "Pale mist drifted softly over the lagoon". It counts nothing and names
nobody, its subjects have no plural and no article, so that no later "they" or "it" can mean them, and nothing comes,
goes or changes hands in it.
"""

from __future__ import annotations

import random
from collections.abc import Container
from dataclasses import dataclass, field

from noise.proposals import draw
from noise.text.noun_lexicon import meaning
from noise.text.word_lists import word_list


@dataclass(frozen=True)
class Theme:
    """Words that go together: any subject with any adjective, verb, adverb and place.

    `bears_labels` says whether it may be near "pier 31".
    """

    subjects: tuple[str, ...]
    adjectives: tuple[str, ...]
    verbs: tuple[str, ...]
    adverbs: tuple[str, ...]
    prepositions: tuple[str, ...]
    sites: tuple[str, ...]
    bears_labels: bool = True


_OUTDOORS = word_list(
    """
    lagoon meadow cliff moor estuary ravine hillside headland shoreline marsh canal glade thicket plateau gorge cove
    fjord heath canyon reef peninsula countryside wilderness prairie tundra steppe delta inlet strait summit ridge crest
    copse grove wetland seafront promontory isthmus oasis bayou savanna waterfall riverbank coastline hilltop clifftop
    brook creek dell
    """
)
_BUILT = word_list(
    """
    courtyard cloister balcony terrace colonnade pavilion gazebo archway rampart spire steeple facade veranda rotunda
    abbey citadel aqueduct viaduct belfry bandstand fountain obelisk pergola portico chapel monastery manor turret
    battlement causeway jetty quay lighthouse windmill watermill boathouse footbridge cathedral palace
    """
)
_REGIONS = word_list(
    """
    province kingdom region capital suburb hamlet duchy parish republic district borough commune empire realm domain
    hinterland heartland frontier colony
    """
)
# Only prepositions that the certificate knows: any other word behind a label would be what its number counts.
_ACROSS = word_list("over across above near around along")
_SOFTLY = word_list(
    "softly quietly gently slowly faintly calmly silently lazily gracefully serenely peacefully dreamily"
)
_AUDIBLY = tuple(adverb for adverb in _SOFTLY if adverb != "silently")
#: Before a second place, and before a label.
NEAR = word_list("near by around")

THEMES = (
    Theme(
        word_list("mist fog haze vapor drizzle sleet dust pollen spray foam smoke murk"),
        word_list("pale gentle faint damp chilly wispy milky ghostly drowsy thin feathery cool"),
        word_list("drifted lingered settled swirled crept gathered floated hovered glistened hung"),
        _SOFTLY,
        _ACROSS,
        _OUTDOORS,
    ),
    Theme(
        word_list(
            "moonlight sunlight starlight twilight daylight candlelight lamplight firelight torchlight dusk dawn"
        ),
        word_list("soft mellow silvery dim amber radiant dreamy tender pearly muted subdued crimson"),
        word_list("shimmered flickered glowed glimmered lingered gleamed sparkled beamed danced"),
        _SOFTLY,
        _ACROSS,
        _OUTDOORS + _BUILT,
    ),
    Theme(
        word_list("birdsong chirping chatter humming whispering applause murmuring chanting drumming whistling"),
        word_list("distant muffled cheerful solemn merry hushed rhythmic melodious joyful lively mournful serene"),
        word_list("echoed resounded lingered faded drifted swelled reverberated"),
        _AUDIBLY,
        _ACROSS,
        _BUILT + _OUTDOORS,
    ),
    Theme(
        word_list("moss lichen bracken lavender honeysuckle clover wisteria mistletoe gorse sedge"),
        word_list("lush verdant dense wild hardy velvety tangled glossy sturdy slender leafy"),
        word_list("thrived flourished spread clung nestled trembled sprouted swayed"),
        word_list("quietly densely freely slowly lushly steadily gracefully wildly abundantly richly sturdily"),
        word_list("along around near"),
        _BUILT + _OUTDOORS,
        bears_labels=False,
    ),
    Theme(
        word_list(
            """
            folklore etiquette philosophy nostalgia curiosity courtesy hospitality superstition patience politeness
            mythology rhetoric diplomacy humility grammar astrology scholarship chivalry calligraphy
            """
        ),
        word_list("humble refined earnest subtle sincere rustic scholarly graceful sober modest noble formal"),
        word_list("thrived endured persisted flourished prevailed blossomed survived lingered"),
        word_list("quietly steadily subtly gracefully peacefully calmly tacitly modestly openly visibly"),
        word_list("across within around in through"),
        _REGIONS,
        bears_labels=False,
    ),
)
PLACE_ADJECTIVES = word_list(
    """
    ancient rugged wooded rocky windswept sleepy sheltered weathered deserted picturesque secluded remote forgotten
    tranquil stately shadowy lonely famous scenic mossy sunlit venerable legendary crumbling nameless
    """
)
OPENERS = (
    "in the background",
    "by tradition",
    "as ever",
    "on the horizon",
    "in the moonlight",
    "at dusk",
    "in springtime",
    "in wintertime",
    "at daybreak",
    "in the open",
    "beneath the sky",
    "along the way",
    "against the skyline",
    "in hindsight",
    "by coincidence",
)
#: What says that a number belongs elsewhere: before the sentence, as an adjective of a place, or behind the verb.
FAR_OPENERS = (
    "far away",
    "in a distant province",
    "in a faraway kingdom",
    "on a distant coastline",
    "in a distant suburb",
    "in a faraway capital",
)
FAR_ADJECTIVES = ("distant", "faraway")
FAR_ADVERBS = ("abroad", "elsewhere", "far away", "across town")
#: What can be said of anything that bears a label.
LABELLED_VERBS = word_list("gleamed glowed shone echoed hummed creaked sparkled shimmered")
#: What bears a number that counts nothing, as in "near pier 31".
LABELLED = word_list(
    """
    bus tram room gate platform pier locker route hall aisle channel exit booth cabin ward dock hangar lane berth kiosk
    suite turnstile doorway stairwell corridor vault bollard signpost milepost buoy carriage barge
    """
)


@dataclass
class Clause:
    """The parts of a clause, of which all but the subject and the verb may be missing."""

    theme: Theme
    subject: str
    verb: str
    adjective: str = ""
    adverb: str = ""
    where: str = ""
    phrases: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.adjective, self.subject, self.verb, self.adverb, self.where, *self.phrases)))


class WordDraws:
    """Draws words of which none has a meaning in `taboo`, or one that was drawn before; with `short`, short ones."""

    def __init__(self, rng: random.Random, taboo: Container[str], short: bool = False) -> None:
        self.rng, self._taboo, self._short, self.drawn = rng, taboo, short, set[str]()

    def pick(self, options: tuple[str, ...]) -> str:
        """Return one of the options. Raises `LookupError` where a dozen draws gave none that is allowed."""
        for _ in range(12):
            option = min((draw(options, self.rng) for _ in range(8 if self._short else 1)), key=len)
            meanings = [meaning(word) for word in option.split()]
            if not any(word in self._taboo or word in self.drawn for word in meanings):
                self.drawn.update(word for word in meanings if word not in _JOINTS)
                return option
        raise LookupError("no word is left")

    def clause(self, bears_labels: bool = False) -> Clause:
        theme = draw([theme for theme in THEMES if theme.bears_labels or not bears_labels], self.rng)
        return Clause(theme, self.pick(theme.subjects), self.pick(theme.verbs))

    def phrase(self, clause: Clause, adjectives: tuple[str, ...] = ()) -> str:
        """Return such as "over the lagoon", or "over the quiet lagoon" where there are adjectives."""
        prepositions = NEAR if clause.phrases else clause.theme.prepositions
        used = [phrase.partition(" ")[0] for phrase in clause.phrases]
        preposition = draw([word for word in prepositions if word not in used], self.rng)
        adjective = f" {self.pick(adjectives)}" if adjectives else ""
        return f"{preposition} the{adjective} {self.pick(clause.theme.sites)}"


#: Words without a meaning of their own, which may recur.
_JOINTS = frozenset(word_list("in by as at on the a under all of ever far away beneath against"))
