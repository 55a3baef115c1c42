"""Sentences of a wanted length: a clause grows by phrases, clauses, adjectives and adverbs until it is long enough."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from noise.placebo_templates import (
    FAR_ADJECTIVES,
    FAR_ADVERBS,
    FAR_OPENERS,
    LABELLED,
    LABELLED_VERBS,
    NEAR,
    OPENERS,
    PLACE_ADJECTIVES,
    Clause,
    WordDraws,
)
from noise.proposals import draw

Length = Callable[[str], int]
"""Returns the length of a text, in tokens of a tokenizer or in words."""
_MOST_PHRASES = 2
_MOST_CLAUSES = 12


@dataclass(frozen=True)
class Wanted:
    """The sentence to draw: its `total` length as `length` counts it, and the numbers of its `labels`. `short`
    prefers short words: longer ones came to too long a sentence."""

    total: int
    length: Length
    labels: list[str]
    short: bool = False


@dataclass(frozen=True)
class Drawn:
    """A sentence, its length, and the meanings of its words."""

    text: str
    length: int
    words: set[str]


def sentence_of_length(wanted: Wanted, taboo: Collection[str], rng: random.Random) -> Drawn | None:
    """Return a sentence of about the wanted length without a word of `taboo`; None where the draw came to nothing.

    The sentence may be too long or too short: the caller compares lengths, and draws again.
    """
    words = WordDraws(rng, taboo, wanted.short)
    try:
        if len(wanted.labels) == 1:
            shortest = _shortest_with_label(words, wanted.labels[0])
            if wanted.length(shortest) >= wanted.total:
                return Drawn(shortest, wanted.length(shortest), words.drawn)
            words.drawn.clear()
        draft = _Draft(words, wanted)
        return draft.grown()
    except LookupError:
        return None


def _shortest_with_label(words: WordDraws, label: str) -> str:
    """Return a sentence of four words or five: a number of four words' noise leaves no room for more."""
    elsewhere = words.pick(FAR_ADVERBS)
    return f"{elsewhere[0].upper()}{elsewhere[1:]}, {words.pick(LABELLED)} {label} {words.pick(LABELLED_VERBS)}."


class _Draft:
    """A sentence that grows. Each step adds what is about as long as what is missing."""

    def __init__(self, words: WordDraws, wanted: Wanted) -> None:
        self._words, self._rng, self._wanted = words, words.rng, wanted
        self._opener = ""
        self._clauses = [words.clause(bool(wanted.labels))]
        if wanted.labels:
            self._add_labels()

    def _add_labels(self) -> None:
        """Add the labels, and what says that they are far away. Several become one code where there is little room."""
        labels, rng = self._wanted.labels, self._rng
        words_per_token = len(self.text().split()) / max(1, self._wanted.length(self.text()))
        room = self._wanted.total * words_per_token
        far = int(rng.random() * (3 if room > 4.5 * len(labels) + 6 else 1))
        if far == 2:
            self._opener = self._words.pick(FAR_OPENERS)
        elif far == 0:
            self._clauses[0].where = self._words.pick(FAR_ADVERBS)
        clauses = -(-len(labels) // _MOST_PHRASES)
        is_code = len(labels) > 1 and (room < 3 * len(labels) + 3 * clauses + 1 or rng.random() < 0.2)
        for label in ["-".join(labels)] if is_code else labels:
            if len(self._clauses[-1].phrases) == _MOST_PHRASES:
                self._clauses.append(self._words.clause(bears_labels=True))
            phrases = self._clauses[-1].phrases
            used = [phrase.partition(" ")[0] for phrase in phrases]
            preposition = draw([word for word in NEAR if word not in used], rng)
            phrases.append(f"{preposition} {self._words.pick(LABELLED)} {label}")
        if far == 1:
            self._clauses[0].phrases.insert(0, self._words.phrase(self._clauses[0], FAR_ADJECTIVES))

    def text(self) -> str:
        """Return the sentence as it is now, with a capital and a full stop."""
        opener = f"{self._opener}, " if self._opener else ""
        body = ", and ".join(map(str, self._clauses))
        sentence = f"{opener}{body}."
        return sentence[0].upper() + sentence[1:]

    def grown(self) -> Drawn:
        """Return the sentence once nothing short enough can be added."""
        wanted = self._wanted
        text = self.text()
        total = wanted.length(text)
        while total < wanted.total:
            missing = (wanted.total - total) * len(text.split()) / total
            self._grow(missing)
            text = self.text()
            total = wanted.length(text)
        return Drawn(text, total, self._words.drawn)

    def _grow(self, missing: float) -> None:
        """Add one part for about `missing` words. Raises `LookupError` where nothing can be added."""
        if missing >= 5.5 and self._rng.random() < 0.5 and len(self._clauses) < _MOST_CLAUSES:
            self._clauses.append(self._words.clause())
            return
        if missing >= 2.5:
            with_room = [clause for clause in self._clauses if len(clause.phrases) < _MOST_PHRASES]
            if not self._opener and self._rng.random() < 0.3:
                self._opener = self._words.pick(OPENERS)
            elif with_room:
                clause = draw(with_room, self._rng)
                adjectives = PLACE_ADJECTIVES if missing >= 3.5 and self._rng.random() < 0.5 else ()
                clause.phrases.append(self._words.phrase(clause, adjectives))
            else:
                self._clauses.append(self._words.clause())
            return
        self._add_word()

    def _add_word(self) -> None:
        """Add an adjective or an adverb where there is none."""
        options: list[tuple[Clause, str]] = []
        for clause in self._clauses:
            options += [(clause, name) for name in ("adjective", "adverb") if not getattr(clause, name)]
        if not options:
            raise LookupError("no word can be added")
        clause, name = draw(options, self._rng)
        setattr(
            clause, name, self._words.pick(clause.theme.adjectives if name == "adjective" else clause.theme.adverbs)
        )
