"""The noises. A new one is a file that makes a `Noise`, and a line here; the property tests then cover it."""

from __future__ import annotations

import re

from noise.inf import INF
from noise.problems.jsonl import unknown
from noise.proposals import Noise
from noise.rcs import RCS
from noise.sd import SD

NOISES: dict[str, Noise] = {
    "inf": INF,
    "rcs": RCS,
    "sd": SD,
}
#: The most distractors that a name may ask for.
MOST = 32
_DOSE = re.compile(r"(.*\D)([1-9]\d*)")


def find_noise(name: str) -> tuple[Noise, int]:
    """The noise that a name stands for, and its dose, the number of distractors: `inf` is one, `inf4` four of them.

    Raises `ValueError` with the nearest name for another, and for a dose that is not 2 to `MOST`.
    """
    if name in NOISES:
        return NOISES[name], 1
    with_dose = _DOSE.fullmatch(name)
    if with_dose is None or with_dose[1] not in NOISES:
        raise ValueError(unknown("noise", with_dose[1] if with_dose else name, NOISES))
    dose = int(with_dose[2])
    if not 2 <= dose <= MOST:
        said = f"the number behind {with_dose[1]!r} is how many distractors, expected 2 to {MOST}"
        raise ValueError(f"noise {name!r}: {said}")
    return NOISES[with_dose[1]], dose
