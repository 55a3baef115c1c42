"""Replicates in the names of models: `diffllama:3` is the model of the family `diffllama` with training seed 3.

`diffllama` alone is `diffllama:0`. What a whole family comes to has the name `diffllama:*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations

from reports.store.stage_and_file_names import TUNED_SUFFIX

_REPLICATE = re.compile(r"(?P<family>[^:]+)(?::(?P<number>0|[1-9][0-9]{0,3}))?")
_ALL = ":*"


def split_replicate(model: str) -> tuple[str, int]:
    """Return the family and the number of a model; `diffllama:3+sft` is number 3 of the family `diffllama+sft`."""
    suffix = TUNED_SUFFIX if model.endswith(TUNED_SUFFIX) else ""
    match = _REPLICATE.fullmatch(model.removesuffix(suffix))
    return (match["family"] + suffix, int(match["number"] or 0)) if match else (model, 0)


def replicate_label(model: str) -> str:
    """Return the name of a model with its number, the first replicate's too: `diffllama:0`."""
    family, number = split_replicate(model)
    suffix = TUNED_SUFFIX if family.endswith(TUNED_SUFFIX) else ""
    return f"{family.removesuffix(suffix)}:{number}{suffix}"


def family_label(family: str) -> str:
    """Return the name of what all replicates of a family come to: `diffllama:*`."""
    suffix = TUNED_SUFFIX if family.endswith(TUNED_SUFFIX) else ""
    return f"{family.removesuffix(suffix)}{_ALL}{suffix}"


def display_name(model: str) -> str:
    """Return a name as sentences and tables have it: `diffllama:*` is `diffllama`."""
    return model.replace(_ALL, "")


def model_order(model: str) -> tuple[str, int]:
    """Return the sort key of a model: by family, then by number, so that two families have one order in every pair."""
    return split_replicate(model)


def compared_pairs(models: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of models that are compared: those of one number, and two families with one replicate each.

    A tuned model is not compared with an untuned one, as they differ in more than the model. Two replicates of a family
    are no pair.
    """
    ordered = sorted(models, key=model_order)
    several = replicated_families(ordered)
    pairs = []
    for left, right in combinations(ordered, 2):
        (family, number), (against, other) = split_replicate(left), split_replicate(right)
        is_alike = number == other or not {family, against} & several
        if family != against and is_alike and left.endswith(TUNED_SUFFIX) == right.endswith(TUNED_SUFFIX):
            pairs.append((left, right))
    return pairs


def replicated_families(models: Iterable[str]) -> set[str]:
    """Return the families of which there are several replicates."""
    numbers: dict[str, set[int]] = {}
    for family, number in map(split_replicate, models):
        numbers.setdefault(family, set()).add(number)
    return {family for family, of in numbers.items() if len(of) > 1}


def first_replicates(models: Iterable[str]) -> set[str]:
    """Return of each family the replicate with the lowest number."""
    lowest: dict[str, str] = {}
    for model in models:
        family, number = split_replicate(model)
        if family not in lowest or number < split_replicate(lowest[family])[1]:
            lowest[family] = model
    return set(lowest.values())
