"""The names of placebos, as records carry them: `filler:inf` is the placebo `filler`, matched to the noise `inf`.

`noise.placebo_names` has the same rule; a test holds both sides together.
"""

from __future__ import annotations

#: What a sentence calls the placebos.
PHRASES = {"filler": "filler of the same length", "digits": "labels with as many digits"}


def split_placebo(noise: str) -> tuple[str, str]:
    """Return the placebo of a name and the noise that it matches: (`filler`, `inf4`) for `filler:inf4`, and
    ("", `inf4`) for `inf4`."""
    placebo, separator, matched = noise.partition(":")
    return (placebo, matched) if separator else ("", noise)


def is_placebo(noise: str) -> bool:
    """Return whether a name is that of a placebo: it is no noise, and in no mean over noises."""
    return bool(split_placebo(noise)[0])


def placebo_phrase(placebo: str) -> str:
    """Return what a sentence calls a placebo."""
    return PHRASES.get(placebo, placebo)


def placebo_order(noise: str) -> int:
    """Return 0 for a noise of its own, and for a placebo its number in the order of `PHRASES`, from 1."""
    placebo = split_placebo(noise)[0]
    return [*PHRASES, placebo].index(placebo) + 1 if placebo else 0
