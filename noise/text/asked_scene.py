"""Whose quantity a question asks for, and who is in its scene: what a fact must keep clear of to be irrelevant."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from noise.text.given_names import GIVEN_NAMES, MEN_NAMES, NEWCOMERS, WOMEN_NAMES
from noise.text.noun_lexicon import LEXICON, lemma, meaning
from noise.text.question_features import QuestionFeatures
from noise.text.question_names import NATIONS
from noise.text.word_lists import ADJECTIVES, DETERMINERS, FUNCTION_WORDS, MONTHS_AND_DAYS, NAMES_IN_S, UNITS, word_list

#: Relatives and acquaintances by what a later "he" or "she" may mean: those of a gender, and those of any.
MEN = word_list("brother uncle nephew grandfather stepbrother godfather")
WOMEN = word_list("sister aunt niece grandmother stepsister godmother")
OTHERS = word_list("cousin neighbor coworker roommate classmate teammate acquaintance")
KIN = frozenset((*MEN, *WOMEN, *OTHERS))
_RELATIVES = frozenset((*MEN, *WOMEN, "cousin"))
#: Words for several relatives at once: with one of them in the question, a relative might be among them.
_FAMILY = frozenset(
    word_list(
        "family families sibling siblings relative relatives household parent parents kid kids child children twins "
        "brothers sisters cousins uncles aunts grandparents grandchildren"
    )
)
_HE = frozenset(word_list("he him his himself"))
_SHE = frozenset(word_list("she her hers herself"))
#: With one of these in the asking sentence, more than one person's things may be asked for.
_SEVERAL = frozenset(word_list("they them their theirs themselves we us our ours together both else others another"))
#: With one of these, people may be counted, or something divided among them.
_HEADS = frozenset(
    word_list(
        "everyone everybody anyone anybody nobody people person group family household friends guests members equally "
        "split share divide divided evenly average who whose whom"
    )
)
#: The same unless it goes with a thing, as in "each cookie" and "all his animals".
_EACH = frozenset(word_list("each every all"))
_BEFORE_NAMES = frozenset(word_list("did does do will can has had is was would could should if and for by of to"))


_NAMED = frozenset(("animal", "bird", "fish", "insect"))
_ALIKE = 4  # letters at the beginning
_BEFORE_NOUNS = frozenset(word_list("and if for by of to"))
_FAMILY_MEANINGS = frozenset(map(meaning, _FAMILY))
# With one of its senses in the question, a word is no newcomer: a stepsister is a sister.
_MEN, _WOMEN, _ANY = (
    {word: frozenset((meaning(word), meaning(word).removeprefix("step"))) for word in words}
    for words in (MEN, WOMEN, (*MEN, *WOMEN, *OTHERS))
)
_KIN_MEANINGS = frozenset[str]().union(*_ANY.values())


class AskedScene(NamedTuple):
    """The people of a question, as a noise near to it needs them.

    `owned` says that the asking sentence names whose quantity it asks for, one person's or a named few's. `heads` says
    that people may be counted, and so somebody new. `person` is somebody of the question with a given name, as
    written, if there is anybody. `kin` are the words for people whom the question does not have, and whom no later
    pronoun could mean. `strangers` are names that no later pronoun could mean, and like none of the question. `plural`
    is what "how many" is followed by, such as `eggs`; empty where nothing is counted.
    """

    owned: bool
    heads: bool
    person: str
    kin: tuple[str, ...]
    strangers: tuple[str, ...]
    plural: str


def alike(name: str, other: str) -> bool:
    """Return whether a reader could take one name for another: Jerry for Jerome, Jon for Jan. Both in lower case."""
    if name[:_ALIKE] == other[:_ALIKE] or (name[:3] == other[:3] and len(min(name, other, key=len)) > 4):
        return True
    return len(name) == len(other) and sum(a != b for a, b in zip(name, other, strict=True)) == 1


@lru_cache(maxsize=64)  # asked for at every proposal for a question
def asked_scene(features: QuestionFeatures) -> AskedScene:
    """Return the scene of a question, from its features."""
    asking = features.asking
    words = frozenset([word.removesuffix("'s") for word in asking])
    he, she = not _HE.isdisjoint(words), not _SHE.isdisjoint(words)
    names = [name for name in features.people if name.lower() in words]
    names += _other_names(features) if not names else []
    plural = _counted(asking)
    heads = not _HEADS.isdisjoint(words) or lemma(plural) in KIN or _counts_each(asking)
    owned = not heads and _SEVERAL.isdisjoint(words) and (bool(names) or he != she)
    person = _person(features, names)
    kin: Mapping[str, frozenset[str]] = {} if he and she else _MEN if she else _WOMEN if he else _ANY
    strangers = () if he and she else MEN_NAMES if she else WOMEN_NAMES if he else NEWCOMERS
    strangers = tuple(name for name in strangers if not any(alike(name.lower(), own) for own in features.proper_names))
    about = features.asked_nouns if owned else features.meanings
    relatives = _FAMILY_MEANINGS.isdisjoint(about)
    had = features.meanings & _KIN_MEANINGS
    known = [word for word, senses in kin.items() if had.isdisjoint(senses)] if had else [*kin]
    known = known if relatives else [word for word in known if word not in _RELATIVES]
    return AskedScene(owned, heads, person, tuple(known), strangers, plural)


def _person(features: QuestionFeatures, names: list[str]) -> str:
    """Return somebody with a given name, one of the `names` asked for if possible.

    An unknown name beside animals may be that of a dog, and one that does not act as people do that of anything.
    """
    given = [name for name in (*names, *features.people) if name.lower() not in features.titled]
    listed = [name for name in given if name in GIVEN_NAMES]
    others = any(noun.entry.kind in _NAMED for noun in (*features.nouns, *features.other_nouns))
    acting = [] if others else [name for name in given if name in features.people]
    return (listed or acting or [""])[0]


def _other_names(features: QuestionFeatures) -> list[str]:
    """Return the names in the asking sentence that stand where a person would: "does Ada", "Ada's"."""
    names: list[str] = []
    for before, word in pairwise(features.asking) if features.proper_names else ():
        if before not in _BEFORE_NAMES:
            continue
        name = word.removesuffix("'s")
        if name not in features.proper_names:
            continue
        # "bucket C", and the "cones" that a sentence about "Cones" opened with
        if len(name) == 1 or (name.endswith("s") and name not in NAMES_IN_S and before in _BEFORE_NOUNS):
            continue
        if name not in MONTHS_AND_DAYS and name not in NATIONS and name not in LEXICON and name not in names:
            names.append(name)
    return [name.title() for name in names]


def _counts_each(asking: tuple[str, ...]) -> bool:
    """Return whether each or all people may be counted."""
    if _EACH.isdisjoint(asking):
        return False
    return any(_is_of_people(asking, i) for i, word in enumerate(asking) if word in _EACH)


def _is_of_people(asking: tuple[str, ...], i: int) -> bool:
    """Return whether the "each" or "all" at index `i` is of people, or of nobody that it names: "how much is each"."""
    for word in asking[i + 1 : i + 4]:
        entry = LEXICON.get(word)
        if entry is not None:
            return entry.kind in ("person", "group")
        if word in DETERMINERS or word in ADJECTIVES or word == "of":
            continue
        return (word in FUNCTION_WORDS or not word.isalpha()) and asking[i] != "all"
    return False


def _counted(asking: tuple[str, ...]) -> str:
    """Return the plural that the asking sentence counts: "how many red eggs" gives `eggs`."""
    for i in [i for i, word in enumerate(asking) if word == "many"]:
        for candidate in asking[i + 1 : i + 5]:
            entry = LEXICON.get(candidate)
            if candidate in UNITS or (entry is not None and not entry.mass and candidate == entry.plural):
                return candidate
            unknown = entry is None and candidate not in FUNCTION_WORDS and candidate.isalpha()
            if unknown and candidate.endswith("s") and not candidate.endswith(("ss", "us", "is")):
                return candidate
            if candidate in ("did", "does", "do", "are", "is", "were", "was", "will", "can", "?", "of", "in"):
                break
    return ""
