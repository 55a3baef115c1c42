"""The noises. A new noise is a file that makes a `Noise` and a line here; the property tests then cover it."""

from __future__ import annotations

import re

from noise.inf import INF
from noise.near import NEAR
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
#: The most distractors that a name may ask for.
MAX_DOSE = 32
_DOSE = re.compile(r"(.*\D)([1-9]\d*)")


def default_noises() -> tuple[str, ...]:
    """Return the names of the noises that are drawn where none is named."""
    return tuple(name for name, noise in NOISES.items() if noise.by_default)


def find_noise(name: str) -> tuple[Noise, int]:
    """Return the noise of a name, and its dose, the number of distractors: `inf` has one, `inf4` four.

    Raises `ValueError` for an unknown name, with the nearest one, and for a dose that is not 2 to `MAX_DOSE`.
    """
    if name in NOISES:
        return NOISES[name], 1
    with_dose = _DOSE.fullmatch(name)
    if with_dose is None or with_dose[1] not in NOISES:
        raise ValueError(unknown_name("noise", with_dose[1] if with_dose else name, NOISES))
    dose = int(with_dose[2])
    if not 2 <= dose <= MAX_DOSE:
        raise ValueError(
            f"noise {name!r}: the number after {with_dose[1]!r} is the number of distractors, expected 2 to {MAX_DOSE}"
        )
    return NOISES[with_dose[1]], dose
