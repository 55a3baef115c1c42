"""Names of noises with a number behind them, the dose: `inf4` has four distractors of `inf`."""

from __future__ import annotations

import re
from collections.abc import Iterable

CLEAN = "clean"


def dose_of(noise: str) -> tuple[str, int]:
    """The noise that a name stands for, and how many distractors of it: (`inf`, 4) for `inf4`, (`inf`, 1) for `inf`,
    (`clean`, 0) for `clean`."""
    if noise == CLEAN:
        return CLEAN, 0
    named = re.fullmatch(r"(.*\D)(\d+)", noise)
    return (named[1], int(named[2])) if named else (noise, 1)


def by_dose(noise: str) -> tuple[bool, str, int, str]:
    """What noises are sorted by: clean first, then by name, each from the smallest dose up."""
    name, dose = dose_of(noise)
    return noise != CLEAN, name, dose, noise


def once(noises: Iterable[str]) -> list[str]:
    """Of each noise the smallest dose, without `clean`: what a mean over noises is a mean of."""
    smallest: dict[str, str] = {}
    for noise in sorted(noises, key=by_dose):
        if noise != CLEAN:
            smallest.setdefault(dose_of(noise)[0], noise)
    return list(smallest.values())
