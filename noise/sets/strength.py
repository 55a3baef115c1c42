"""How near distractors are to their problems: whom and what they share with them, and which numbers they hold.

The shares are those by which published distractors differ most (docs/noisy-sets.md). A distractor is all that was added
to a question. Everything is read by rule, so a share is comparable between sets and is no count of a reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction

from noise.problems.problem import NoisyProblem
from noise.text.distractor_features import distractor_features
from noise.text.equations import number_words_to_digits
from noise.text.question_features import question_features
from noise.text.word_lists import word_list
from noise.text.word_tokens import WordToken, numbers_in_digits, tokenize

_PRONOUNS = frozenset(word_list("he him his she her hers they them their theirs"))
_SKIPPED = frozenset(word_list("more fewer total different additional extra other of the his her their its"))
_MONEY = frozenset({"$", "€", "£", "¢", "dollar", "dollars", "cent", "cents"})


@dataclass(frozen=True)
class Strength:
    """What one distractor shares with its problem.

    `name`: a name. `name_or_pronoun`: a name, or it says "he", "their" and the like. `content_noun`: a word that names
    something in the question, in any form. `number`: it holds a number. `number_in_range`: one between the smallest and
    the largest of the question. `asked_unit`: it names what the question asks for, or its unit.
    """

    name: bool
    name_or_pronoun: bool
    content_noun: bool
    number: bool
    number_in_range: bool
    asked_unit: bool


#: The columns of the table, in order.
COLUMNS = tuple(field.name for field in fields(Strength))


def strength_of(noisy: NoisyProblem) -> Strength:
    """Return what the distractor of `noisy` shares with its clean question."""
    features = question_features(noisy.problem.question)
    text = " ".join(noisy.question[start:stop].strip() for start, stop in noisy.spans)
    words = tokenize(text)
    shared = _names(text) & features.proper_names
    pronouns = not _PRONOUNS.isdisjoint(word.bare for word in words)
    numbers, limits = _numbers(text), _numbers(noisy.problem.question)
    meanings = frozenset(meaning for word in words for meaning in word.meanings if not word.unit)
    return Strength(
        name=bool(shared),
        name_or_pronoun=bool(shared) or pronouns,
        content_noun=not meanings.isdisjoint(features.meanings - features.proper_names),
        number=bool(numbers),
        number_in_range=bool(limits) and any(min(limits) <= number <= max(limits) for number in numbers),
        asked_unit=_names_what_is_asked(tokenize(noisy.problem.question[features.insertion_point :]), words),
    )


def strength_shares(noisy_problems: Iterable[NoisyProblem]) -> tuple[int, dict[str, float]]:
    """Return the number of distractors, and by column the share of those that have it, from 0 to 1; 0 for none."""
    counts, total = dict.fromkeys(COLUMNS, 0), 0
    for noisy in noisy_problems:
        total += 1
        strength = strength_of(noisy)
        for column in COLUMNS:
            counts[column] += getattr(strength, column)
    return total, {column: count / total if total else 0.0 for column, count in counts.items()}


def strength_table(rows: Iterable[tuple[str, int, dict[str, float]]]) -> list[str]:
    """Return the lines of a table of named sets, each with the number of its distractors and its shares in per cent."""
    titles = [column.replace("_", " ") for column in COLUMNS]
    rows = list(rows)
    width = max([len("distractors of"), *(len(name) for name, _, _ in rows)])
    lines = [f"{'distractors of':{width}}  {'n':>6}  {'  '.join(titles)}"]
    for name, total, shares in rows:
        cells = (
            f"{100 * shares[column]:>{len(title) - 2}.1f} %" for column, title in zip(COLUMNS, titles, strict=True)
        )
        lines.append(f"{name:{width}}  {total:>6,}  {'  '.join(cells)}")
    return lines


def _numbers(text: str) -> list[Fraction]:
    """Return the numbers of a text, in digits and in words."""
    return [Fraction(number) for number in numbers_in_digits(number_words_to_digits(text))]


def _names(text: str) -> frozenset[str]:
    features = distractor_features(text) if tokenize(text) else None
    return frozenset((*features.names, *features.place_names)) if features else frozenset()


def _names_what_is_asked(asked: list[WordToken], words: list[WordToken]) -> bool:
    """Return whether `words` name what the asking sentence counts, or a unit of the kind of quantity it asks for."""
    counted, kinds = set[str](), set[str]()
    for number, word in enumerate(asked):
        kinds.update(word.kinds)
        if word.text == "many":
            counted.update(_counted(asked[number + 1 :]))
        if word.text == "much" and [after.text for after in asked[number + 1 : number + 2]] != ["more"]:
            kinds.add("money")
    if any(word.content and not counted.isdisjoint(word.meanings) for word in words):
        return True
    return any(word.unit and not kinds.isdisjoint(word.kinds) for word in words) or (
        "money" in kinds and any(word.text in _MONEY for word in words)
    )


def _counted(words: list[WordToken]) -> frozenset[str]:
    """Return the meanings of what "how many" counts: the words behind it, up to the first plural."""
    counted = set[str]()
    for word in words:
        if word.text in _SKIPPED:
            continue
        if not word.content:
            break
        counted.update(word.meanings)
        if word.plural:
            break
    return frozenset(counted)
