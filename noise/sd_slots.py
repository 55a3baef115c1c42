"""Who talks in the sentences of `sd`, and when: slots that no question fills."""

from __future__ import annotations

from noise.proposals import draw

_PEOPLE = (
    "people", "neighbors", "friends of the family", "visitors", "people in town", "people on the street", "children",
    "guests", "shoppers", "tourists",
)  # fmt: skip
_TALK = (
    "at lunch", "at dinner", "at breakfast", "over coffee", "on the bus", "on the phone", "in the car", "by the door",
    "in town", "in the kitchen",
)  # fmt: skip
_DAYTIMES = ("in the morning", "in the afternoon", "in the evening", "at noon")
SLOTS = {
    "people": lambda rng: draw(_PEOPLE, rng),
    "talking": lambda rng: draw(_TALK, rng).replace("_", " "),
    "daytime": lambda rng: draw(_DAYTIMES, rng),
}
