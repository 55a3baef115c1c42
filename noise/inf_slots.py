"""What the slots of the sentences of `inf` are filled with."""

from __future__ import annotations

import random

from noise.proposals import between, draw
from noise.text.filler_vocabulary import (
    BAKED,
    COLLECTED,
    CROPS,
    FARM_ANIMALS,
    FOODS,
    NAMES,
    PLANTS,
    POND_ANIMALS,
    STREETS,
    THINGS,
    TOWNS,
    VEGETABLES,
    WILDLIFE,
)


def _where(rng: random.Random) -> str:
    """Return where a stranger's thing is: a street or a town, or a part of one."""
    kind = rng.random()
    if kind < 0.3:
        return f"on {draw(STREETS, rng)}"
    return (
        f"in {draw(TOWNS, rng)}" if kind < 0.9 else draw(("across town", "in the next town", "in a nearby town"), rng)
    )


def _when(rng: random.Random) -> str:
    return draw(_TIMES, rng)


_TIMES = ("",) * 6 + (
    "yesterday, ", "last week, ", "last month, ", "last summer, ", "last year, ", "on Saturday, ", "on Monday, ",
)  # fmt: skip

# Counts start at three, so every counted noun is plural. Years are written without a comma.
SLOTS = {
    "name": lambda rng: draw(NAMES, rng),
    "town": lambda rng: draw(TOWNS, rng),
    "where": _where,
    "local": lambda rng: draw(("local", "nearby"), rng),
    "when": _when,
    "things": lambda rng: draw(THINGS, rng),
    "foods": lambda rng: draw(FOODS, rng),
    "baked": lambda rng: draw(BAKED, rng),
    "vegetables": lambda rng: draw(VEGETABLES, rng),
    "crops": lambda rng: draw(CROPS, rng),
    "plants": lambda rng: draw(PLANTS, rng),
    "animals": lambda rng: draw(FARM_ANIMALS, rng),
    "collected": lambda rng: draw(COLLECTED, rng),
    "swimmers": lambda rng: draw(POND_ANIMALS, rng),
    "wildlife": lambda rng: draw(WILDLIFE, rng),
    "year": lambda rng: str(1904 + int(rng.random() * 110)),
    "age": between(6, 68),
    "weight": between(61, 238),
    "handful": between(3, 9),
    "few": between(3, 29),
    "tens": between(11, 98),
    "many": between(105, 987),
    "big": between(1012, 9876),
}
