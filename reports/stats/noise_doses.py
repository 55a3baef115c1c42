"""Doses: a number at the end of a noise's name. `inf4` adds four distractors of `inf`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reports.stats.placebo_labels import is_placebo, placebo_order, split_placebo

CLEAN = "clean"


def split_dose(noise: str) -> tuple[str, int]:
    """Return the noise without its dose, and the dose: (`inf`, 4) for `inf4`, (`inf`, 1) for `inf`, (`clean`, 0) for
    `clean`."""
    if noise == CLEAN:
        return CLEAN, 0
    match = re.fullmatch(r"(.*\D)(\d+)", noise)
    return (match[1], int(match[2])) if match else (noise, 1)


def noise_order(noise: str) -> tuple[bool, str, int, int, str]:
    """Return the sort key of a noise: clean first, then by name, then by dose, with its placebos behind it."""
    name, dose = split_dose(split_placebo(noise)[1])
    return noise != CLEAN, name, dose, placebo_order(noise), noise


def smallest_doses(noises: Iterable[str]) -> list[str]:
    """Return the smallest dose of each noise, without `clean` and placebos: a mean over noises is over these."""
    smallest: dict[str, str] = {}
    for noise in sorted(noises, key=noise_order):
        if noise != CLEAN and not is_placebo(noise):
            smallest.setdefault(split_dose(noise)[0], noise)
    return list(smallest.values())
