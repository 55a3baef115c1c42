"""The noises. A new one is a file that makes a `Noise`, and a line here; the property tests then cover it."""

from __future__ import annotations

from noise.inf import INF
from noise.proposals import Noise
from noise.rcs import RCS
from noise.sd import SD

NOISES: dict[str, Noise] = {
    "inf": INF,
    "rcs": RCS,
    "sd": SD,
}
