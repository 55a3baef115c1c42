"""What sentences about a problem's own scene are filled with: somebody close to its people, and a thing of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

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

#: What is no thing at all: nobody has "74 times", and nothing is told of them.
NO_THINGS = frozenset(
    word_list(
        """
        times ways pieces parts sections units numbers amounts dollars cents percent packs packets sets batches pairs
        rows stacks piles bunches servings portions
        """
    )
)
#: Nouns of which there are no riddles, songs and pictures.
UNTOLD = frozenset(
    word_list(
        """
        price cost profit value point investment record calorie digit object row figure step throw score skill lap
        length width perimeter area discount deadline follower credit time height weight distance speed growth
        mileage age rent revenue earnings tax goal rank item unit good product bill order page slice sheet member task
        chapter pack packet people owner gigabyte megabyte jack bar drawer scoop company wing
        """
    )
)


def somebody_close(scene: AskedScene, rng: random.Random, kin: Sequence[str] = ()) -> str:
    """Return somebody close to a person of the question, as "Bob's sister" or "an uncle of Bob".

    `kin` are the words to choose from, those of the scene by default.
    """
    relative = draw(kin or scene.kin, rng)
    if rng.random() < 0.1:
        return f"{scene.person}'s {relative}"
    return f"{with_article(relative)} of {scene.person}"


def with_article(noun: str) -> str:
    """Return a noun with its indefinite article: "an uncle"."""
    return f"{'an' if noun[0] in 'aeiou' and not noun.startswith(('uni', 'eu', 'one')) else 'a'} {noun}"


def is_told_of(features: QuestionFeatures, entry: NounEntry) -> bool:
    """Return whether something can be told of a noun: not of the "figures" of action figures."""
    sure = [noun.entry for noun in features.nouns]
    return entry.singular not in UNTOLD and (entry in sure or not sure)


def scene_noun(features: QuestionFeatures, rng: random.Random) -> tuple[NounEntry | None, str]:
    """Return a noun of the question: its entry in the lexicon, if it has one, and its plural.

    It is what "how many" asks for, unless that is a unit, or an abstract noun where the question has another. Where the
    question has none of which something could be told, both are empty.
    """
    plural = asked_scene(features).plural
    if plural in UNITS:
        plural = ""
    entry = LEXICON.get(plural)
    known = [noun.entry for noun in features.nouns or features.other_nouns if noun.entry.singular not in UNTOLD]
    concrete = [noun for noun in known if noun.kind not in ABSTRACT_KINDS]
    if entry is None or (entry.kind in ABSTRACT_KINDS and concrete) or not is_told_of(features, entry):
        nouns = concrete or known
        entry = draw(nouns, rng) if nouns else None
    if entry is None:
        return None, "" if plural in NO_THINGS or plural in LEXICON else plural
    return entry, entry.plural
