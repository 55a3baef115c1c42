"""The names of placebos: `filler:inf` is the placebo `filler`, matched to the noise `inf`.

`reports` may not import this, and keeps the same rule for itself (`reports.stats.placebo_labels`); a test holds both
sides together.
"""

from __future__ import annotations

_SEPARATOR = ":"


def split_placebo(name: str) -> tuple[str, str]:
    """Return the placebo of a name and the noise that it matches: (`filler`, `inf4`) for `filler:inf4`.

    The placebo is empty for a noise of its own: ("", `inf4`) for `inf4`.
    """
    placebo, separator, noise = name.partition(_SEPARATOR)
    return (placebo, noise) if separator else ("", name)


def is_placebo(name: str) -> bool:
    """Return whether a name is that of a placebo."""
    return bool(split_placebo(name)[0])


def file_stem(name: str) -> str:
    """Return a name for files, where not every disk allows a colon: `filler-inf` for `filler:inf`."""
    return name.replace(_SEPARATOR, "-")
