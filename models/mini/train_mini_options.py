"""The options of `python -m models train-mini`, read into seeds and a recipe."""

from __future__ import annotations

import argparse
import difflib
import os
import re
from dataclasses import replace

from models.mini.mini_families import FAMILIES
from models.mini.mini_recipe import RECIPES, Recipe

_MOST_STEPS, _HIGHEST_SEED, _MOST_SEEDS, _MOST_WORKERS = 10**7, 2**32 - 1, 1_000, 1_024


def parse_seeds(text: str) -> list[int]:
    """Return the seeds of a list such as `0-7` or `0,3`, sorted, each once. Raises `ValueError`."""
    seeds: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,10})(?:-(\d{1,10}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= _HIGHEST_SEED or last - first >= _MOST_SEEDS:
            raise ValueError(
                f"--seeds {text!r}: expected numbers from 0 to {_HIGHEST_SEED:,}, as in 0-7 or 0,3, got {part!r}"
            )
        seeds |= set(range(first, last + 1))
    return sorted(seeds)


def parse_families(text: str) -> list[str]:
    """Return the families of a list such as `diffv2,gda`, each once. Raises `ValueError`."""
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in FAMILIES:
            near = difflib.get_close_matches(name, FAMILIES, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"--family {text!r}: expected {', '.join(FAMILIES)}, got {name!r}.{hint}")
    return names


def recipe_from_options(options: argparse.Namespace) -> Recipe:
    """Return the recipe of a size, with what was asked for. Raises `ValueError`."""
    if options.size not in RECIPES:
        raise ValueError(f"--size {options.size!r}: expected {', '.join(RECIPES)}")
    recipe, share = RECIPES[options.size], options.distractor_share
    if options.steps is not None:
        recipe = replace(recipe, steps=_within("steps", options.steps, _MOST_STEPS))
    if share is not None:
        if not 0 <= share <= 1:
            raise ValueError(f"--distractor-share {share:g}: expected a share from 0 to 1")
        recipe = replace(recipe, distractor_share=share)
    return recipe


def worker_count(count: int | None) -> int:
    """Return how many models are trained at the same time. Raises `ValueError`."""
    return (os.cpu_count() or 1) if count is None else _within("workers", count, _MOST_WORKERS)


def _within(name: str, value: int, highest: int) -> int:
    if not 1 <= value <= highest:
        raise ValueError(f"--{name} {value}: expected a number from 1 to {highest:,}")
    return value
