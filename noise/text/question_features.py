"""What a question says about its own world: who and what is in it, what it asks for, and what it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain

from noise.text.back_references import back_references
from noise.text.english import is_english
from noise.text.question_names import names_of, titled_names
from noise.text.question_nouns import NounUse, NounUses, noun_uses
from noise.text.question_numbers import number_values, stated_numbers
from noise.text.question_target import question_target
from noise.text.sentence_splitting import insertion_point
from noise.text.word_lists import word_list
from noise.text.word_tokens import WordToken, tokenize

_EVERYONE = frozenset(word_list("everyone everybody"))


@dataclass(frozen=True, eq=False)
class QuestionFeatures:
    """What noises and the certification rule read from a question.

    - `insertion_point`: character offset where distractors go: that of the asking sentence, unless this goes on with a
      number of the text. What is said below of the asking sentence is then said of all that follows.
    - `meanings`: every content word as its lemma, with synonyms folded.
    - `proper_names`: capitalised names, in lower case. `people`: those that act as people, as written.
    - `nouns`: the nouns of the lexicon that stand for their thing. `other_nouns`: those in a compound or in a sense
      that is not sure, as the "mouse" of a computer.
    - `of_other_things`: nouns, in the singular, that are only parts of another thing's name, as in "basketball court".
    - `numbers`: its numbers as text without commas, those in words included (`noise.text.question_numbers`).
    - `values`: what its numbers come to, a fraction as one number.
    - `asked_kinds`: the kinds of quantity that the asking sentence speaks of (`money`, `time`, …).
    - `asked_nouns`: the meanings of the nouns in the asking sentence.
    - `open_references`: what the asking sentence refers back to without naming it: `person`, `plural`, `thing`,
      `number`; `label` where a number such as that of a bus may be meant, `numbers` where any number of the text may,
      `text` where any of its sentences may. `there` is somewhere, and `who` asks for somebody.
    - `mentions_group`: whether the question speaks of a group that a newcomer might join.
    - `english`: whether the question is in English, or too short to tell.
    - `asking`: the words of the asking sentence, in lower case.
    - `text`, `words`: the question, and its words. Nouns, values and titles are read from them when a noise first asks.
    """

    insertion_point: int
    meanings: frozenset[str]
    proper_names: frozenset[str]
    people: tuple[str, ...]
    numbers: frozenset[str]
    asked_kinds: frozenset[str]
    asked_nouns: frozenset[str]
    open_references: frozenset[str]
    mentions_group: bool
    english: bool
    asking: tuple[str, ...]
    text: str
    words: Sequence[WordToken]

    @cached_property
    def _noun_uses(self) -> NounUses:
        return noun_uses(self.words)

    @cached_property
    def values(self) -> frozenset[Fraction]:
        """The values of the question's numbers: a fraction has its own, not those of its parts."""
        return number_values(self.text, self.words)

    @cached_property
    def titled(self) -> frozenset[str]:
        """The names behind a title, in lower case, as that of "Miss Davis": no given names."""
        return titled_names(self.words)

    @property
    def nouns(self) -> tuple[NounUse, ...]:
        return self._noun_uses.nouns

    @property
    def other_nouns(self) -> tuple[NounUse, ...]:
        return self._noun_uses.other_nouns

    @property
    def of_other_things(self) -> frozenset[str]:
        return self._noun_uses.of_other_things


def question_features(question: str, at: int | None = None) -> QuestionFeatures:
    """Return the features of any text; those of an empty one are empty.

    `at` is the offset of a distractor in front of the usual place: all that follows it is then read as the asking
    sentence is, as it could go on with what the distractor says.
    """
    offset, back = back_references(question, insertion_point(question))
    offset = offset if at is None else min(at, offset)
    asking = tokenize(question[offset:])
    glued = offset and not question[offset - 1].isspace()  # "apples.How" is read as one word
    words = tokenize(question) if glued else tokenize(question[:offset]) + asking
    proper_names, people = names_of(words)
    asking_words = [word.text for word in asking]
    target = question_target(asking_words)
    return QuestionFeatures(
        insertion_point=offset,
        meanings=frozenset(chain.from_iterable([word.meanings for word in words])),
        proper_names=proper_names,
        people=people,
        numbers=stated_numbers(question, words),
        asked_kinds=target.kinds,
        asked_nouns=target.nouns,
        open_references=target.open_references | back,
        mentions_group=target.mentions_group or ("every" in question.lower() and _speaks_of_everyone(words)),
        english=is_english(question, words),
        asking=tuple(asking_words),
        text=question,
        words=words,
    )


def _speaks_of_everyone(words: Sequence[WordToken]) -> bool:
    return not _EVERYONE.isdisjoint([word.bare for word in words])
