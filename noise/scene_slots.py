"""What sentences about a problem's own scene are filled with: somebody close to its people, and a thing of it."""

from __future__ import annotations

import random

from noise.proposals import draw
from noise.text.asked_scene import AskedScene, asked_scene
from noise.text.noun_lexicon import LEXICON, NounEntry
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import UNITS, word_list

#: Where a museum or a library is that is no part of the problem.
TOWNS = ("the next town", "the next county", "a nearby town", "a town nearby")
#: Kinds of noun that cannot be pictured.
ABSTRACT_KINDS = frozenset(
    word_list("idea notion sport work body group event message business pastime goods music person")
)


def somebody_close(scene: AskedScene, rng: random.Random) -> str:
    """Return somebody close to a person of the question, as "Bob's sister" or "an uncle of Bob"."""
    kin = draw(scene.kin, rng)
    if rng.random() < 0.1:
        return f"{scene.person}'s {kin}"
    return f"{'an' if kin[0] in 'aeiou' else 'a'} {kin} of {scene.person}"


def scene_noun(features: QuestionFeatures, rng: random.Random) -> tuple[NounEntry | None, str]:
    """Return a noun of the question: its entry in the lexicon, if it has one, and its plural.

    It is what "how many" asks for, unless that is a unit, or an abstract noun where the question has another. Where the
    question has none, both are empty.
    """
    plural = asked_scene(features).plural
    if plural in UNITS:
        plural = ""
    entry = LEXICON.get(plural)
    known = [noun.entry for noun in features.nouns or features.other_nouns]
    concrete = [noun for noun in known if noun.kind not in ABSTRACT_KINDS]
    if entry is None or (entry.kind in ABSTRACT_KINDS and concrete):
        nouns = concrete or known
        entry = draw(nouns, rng) if nouns else None
    return entry, plural if entry is None else entry.plural
