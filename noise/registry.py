"""The noises. A new noise is a file that makes a `Noise` and a line here; the property tests then cover it."""

from __future__ import annotations

import re

from noise.inf import INF
from noise.near import NEAR
from noise.packaged_noises import packaged_noise
from noise.proposals import Noise
from noise.rcs import RCS
from noise.sd import SD
from noise.unknown_name import unknown_name

NOISES: dict[str, Noise] = {
    "inf": INF,
    "rcs": RCS,
    "sd": SD,
    "near": NEAR,
}
#: Part of the manifest of written files. Raise it when a change here can change a draw.
NOISE_VERSION = "1"
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

    A noise of another package is registered when it is asked for. Raises `UnknownNoiseError` for an unknown name, with
    the nearest one, and `ValueError` for a dose that is not 2 to `MAX_DOSE` and a package that cannot be loaded.
    """
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
