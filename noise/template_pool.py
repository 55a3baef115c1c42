"""A stock of templates, and those that suit a question: most of the others would be refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from noise.proposals import Proposal
from noise.text.distractor_features import distractor_features
from noise.text.noun_lists import PEOPLE_NOUNS
from noise.text.question_features import QuestionFeatures

T = TypeVar("T")
_SAMPLES = 4


class _Traits(NamedTuple):
    """What a template has in every sample: kinds of quantity, what a later pronoun could mean, a name, and whether it
    has bare numbers, which count nothing and are nowhere."""

    kinds: frozenset[str]
    antecedent_of: frozenset[str]
    named: bool
    bare: bool


class TemplatePool(Generic[T]):
    """Templates with the function that fills them. `fitting` is computed once for each kind of question."""

    def __init__(self, stock: Sequence[T], fill: Callable[[T, random.Random], Proposal]) -> None:
        self._stock = tuple(stock)
        self._fill = fill
        self._traits: tuple[_Traits, ...] = ()
        self._fitting: dict[tuple[frozenset[str], frozenset[str], bool, bool], tuple[T, ...]] = {}

    def fitting(self, features: QuestionFeatures) -> tuple[T, ...]:
        """Return the templates that may suit a question; all of them where none does."""
        asks_for_people = not PEOPLE_NOUNS.isdisjoint(features.asked_nouns)
        key = (features.open_references, features.asked_kinds, features.mentions_group, asks_for_people)
        if key not in self._fitting:
            self._fitting[key] = self._suiting(*key) or self._stock
        return self._fitting[key]

    def _suiting(
        self, references: frozenset[str], kinds: frozenset[str], group: bool, asks_for_people: bool
    ) -> tuple[T, ...]:
        self._traits = self._traits or tuple(map(self._traits_of, self._stock))
        open_references = references | {"person"} if group else references
        return tuple(
            template
            for template, traits in zip(self._stock, self._traits, strict=True)
            if open_references.isdisjoint(traits.antecedent_of)
            and kinds.isdisjoint(traits.kinds)
            and not (asks_for_people and traits.named)
            and not ("number" in references and traits.bare)
        )

    def _traits_of(self, template: T) -> _Traits:
        samples = [distractor_features(self._fill(template, random.Random(seed)).text) for seed in range(_SAMPLES)]
        return _Traits(
            frozenset.intersection(*(sample.kinds for sample in samples)),
            frozenset.intersection(*(sample.antecedent_of for sample in samples)),
            all(sample.names for sample in samples),
            not any(sample.place_names or sample.counted_nouns for sample in samples),
        )
