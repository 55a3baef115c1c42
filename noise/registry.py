"""The noises, and the placebos that match them.

A new noise is a file that makes a `Noise` and a line here; the property tests then cover it."""

from __future__ import annotations

import re

from noise.entry_point_noises import packaged_noise
from noise.ic import IC
from noise.inf import INF
from noise.near import NEAR
from noise.placebo_names import split_placebo
from noise.placebos import DIGITS, FILLER, Placebo
from noise.proposals import Noise
from noise.rcs import RCS
from noise.sd import SD
from noise.unknown_name import unknown_name

NOISES: dict[str, Noise] = {
    "inf": INF,
    "rcs": RCS,
    "sd": SD,
    "near": NEAR,
    "ic": IC,
}
PLACEBOS: dict[str, Placebo] = {
    "filler": FILLER,
    "digits": DIGITS,
}
#: Part of the manifest of written files. Raise it when a change here can change a draw.
NOISE_VERSION = "2"
#: The most distractors that a name may ask for.
MAX_DOSE = 32
_DOSE = re.compile(r"(.*\D)([1-9]\d*)")


class UnknownNoiseError(ValueError):
    """A name is that of no noise, here or in an installed package."""


def default_noises() -> tuple[str, ...]:
    """Return the names of the noises that are drawn where none is named."""
    return tuple(name for name, noise in NOISES.items() if noise.by_default)


def find_noise(name: str) -> tuple[Noise, int]:
    """Return the noise of a name, and its dose, the number of distractors: `inf` has one, `inf4` four.

    A noise of another package is registered when it is asked for. Of a placebo they are those of the noise that it
    matches: `inf` and four of `filler:inf4`. Raises `UnknownNoiseError` for an unknown name, with the nearest one, and
    `ValueError` for a dose that is not 2 to `MAX_DOSE`, for a package that cannot be loaded, for a placebo without a
    noise, and for numbers without any to match.
    """
    placebo_name, matched = split_placebo(name)
    if placebo_name or matched in PLACEBOS:
        return _matched_noise(placebo_name or matched, matched if placebo_name else "")
    if name in NOISES:
        return NOISES[name], 1
    with_dose = _DOSE.fullmatch(name)
    base = with_dose[1] if with_dose else name
    if base not in NOISES:
        packaged = packaged_noise(base)
        if packaged is None:
            raise UnknownNoiseError(unknown_name("noise", base, NOISES))
        NOISES[base] = packaged
    if with_dose is None:
        return NOISES[base], 1
    dose = int(with_dose[2])
    if not 2 <= dose <= MAX_DOSE:
        raise ValueError(
            f"noise {name!r}: the number after {with_dose[1]!r} is the number of distractors, expected 2 to {MAX_DOSE}"
        )
    return NOISES[with_dose[1]], dose


def find_placebo(name: str) -> Placebo | None:
    """Return the placebo of a name that `find_noise` accepts: that of `filler:inf`; None for a noise of its own."""
    return PLACEBOS.get(split_placebo(name)[0])


def _matched_noise(placebo: str, matched: str) -> tuple[Noise, int]:
    """Return what `find_noise` does for the noise that a placebo matches."""
    if placebo not in PLACEBOS:
        raise ValueError(unknown_name("placebo", placebo, PLACEBOS))
    if not matched:
        raise ValueError(f"{placebo} alone needs a noise to match: {placebo}:{next(iter(NOISES))}")
    full_name = f"{placebo}:{matched}"
    if matched in PLACEBOS or split_placebo(matched)[0]:
        raise ValueError(f"placebo {full_name!r}: expected a noise after {placebo}, got a placebo")
    noise, dose = find_noise(matched)
    if placebo == DIGITS.name and noise.carries == "nothing":
        raise ValueError(f"placebo {full_name!r}: {matched} has no numbers to match; use filler:{matched}")
    return noise, dose
