"""`rcs`: redundant calculation steps, true, written out with their result, and irrelevant."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from noise.proposals import Noise, Proposal, Template, draw
from noise.rcs_templates import DIFFERENCE, NEUTRAL, PRODUCT, QUOTIENT, SAID, SUM, WRITTEN
from noise.template_pool import TemplatePool
from noise.text.filler_vocabulary import (
    BAKED,
    CROPS,
    FARM_ANIMALS,
    FOODS,
    PLANTS,
    POND_ANIMALS,
    THINGS,
    VEGETABLES,
    WILDLIFE,
)
from noise.text.question_features import QuestionFeatures
from noise.text.word_lists import word_list

_ONES = word_list(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
    """
)
_TENS = word_list("- - twenty thirty forty fifty sixty seventy eighty ninety")


def _spell(number: int) -> str:
    """Return a whole number from 0 to 99 in words; a larger one in digits."""
    if number < 20:
        return _ONES[number]
    if number > 99:
        return str(number)
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def _product(rng: random.Random) -> tuple[int, int, int]:
    a, b = 3 + int(rng.random() * 17), 4 + int(rng.random() * 22)
    return a, b, a * b


def _sum(rng: random.Random) -> tuple[int, int, int]:
    a, b = 11 + int(rng.random() * 88), 11 + int(rng.random() * 88)
    return a, b, a + b


def _difference(rng: random.Random) -> tuple[int, int, int]:
    b, c = 11 + int(rng.random() * 70), 11 + int(rng.random() * 70)
    return b + c, b, c


def _quotient(rng: random.Random) -> tuple[int, int, int]:
    b, c = 3 + int(rng.random() * 12), 4 + int(rng.random() * 25)
    return b * c, b, c


# For each operation: a function that draws its numbers, its sign, and the words for it and for its result.
_OPERATIONS: dict[
    str, tuple[Callable[[random.Random], tuple[int, int, int]], str, tuple[str, ...], tuple[str, ...]]
] = {
    "product": (_product, "×", ("times", "multiplied by"), ("is", "equals", "makes")),
    "sum": (_sum, "+", ("plus",), ("is", "equals", "makes")),
    "difference": (_difference, "-", ("minus",), ("is", "equals", "leaves")),
    "quotient": (_quotient, "÷", ("divided by",), ("is", "equals", "gives")),
}
_OPERATION_NAMES = tuple(_OPERATIONS)


# A noun stands for the same things wherever a story names it: they are drawn once.
_STOCK = {
    "things": THINGS,
    "foods": FOODS,
    "baked": BAKED,
    "vegetables": VEGETABLES,
    "crops": CROPS,
    "plants": PLANTS,
    "animals": FARM_ANIMALS,
    "swimmers": POND_ANIMALS,
    "wildlife": WILDLIFE,
}
_NOUNS = re.compile(rf"\{{({'|'.join(_STOCK)})\}}")


_STORIES = {"product": PRODUCT, "sum": SUM, "difference": DIFFERENCE, "quotient": QUOTIENT}
_ALL = [(template, operation) for operation, stories in _STORIES.items() for template in stories]
_ALL += [(template, "") for template in SAID + WRITTEN]


def _fill(template: Template, operation: str, rng: random.Random) -> Proposal:
    """Fill `template` with a new sum of the operation, or of a random one where it is empty."""
    calculate, sign, words, results = _OPERATIONS[operation or draw(_OPERATION_NAMES, rng)]
    a, b, c = calculate(rng)
    by, equals = draw(words, rng), draw(results, rng)
    values = {
        "a": f"{a}",
        "b": f"{b}",
        "c": f"{c}",
        "sum": f"{a} {sign} {b} = {c}",
        "told": f"{a} {by} {b} {equals} {c}",
    }
    if "{spelled}" in template.text:
        spelled = f"{_spell(a)} {by} {_spell(b)} {equals} {_spell(c)}"
        values["spelled"] = spelled if max(a, b, c) < 100 else values["told"]
    for noun in _NOUNS.findall(template.text):
        values.setdefault(noun, draw(_STOCK[noun], rng))
    return template.fill(rng, values)


_POOL = TemplatePool(_ALL, lambda option, rng: _fill(*option, rng))


def _propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return _fill(*draw(_POOL.fitting(features), rng), rng)


def _neutral(features: QuestionFeatures, rng: random.Random) -> Proposal:
    return _fill(draw(NEUTRAL, rng), "", rng)


RCS = Noise(
    name="rcs",
    description="redundant calculation steps: sums that are true and beside the point",
    carries="sums",
    propose=_propose,
    neutral=_neutral,
)
